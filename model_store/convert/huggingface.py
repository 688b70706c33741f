"""Hugging Face's model folders, and transformers' models and pipelines in this process."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from model_store.convert.huggingface_graph import export
from model_store.convert.huggingface_inputs import Images, Inputs, Texts
from model_store.convert.huggingface_tasks import Task, task_of
from model_store.convert.source import Batch, Converted, LoadOptions, Origin, Sample, SourceModel, lacks, of_package
from warmstart.errors import Unreachable, UnsupportedModel, Untrusted

if TYPE_CHECKING:
    from transformers import PreTrainedModel

EXTRA: Final = "huggingface"
CONFIG: Final = "config.json"
WEIGHTS: Final = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""The .bin files are pickles, which transformers reads with `weights_only`: tensors alone, no code."""
CODE: Final = "auto_map"
"""Where a configuration names Python files of the folder that would be run."""
FAILURES: Final = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, AssertionError, EOFError, MemoryError),
    pickle.UnpicklingError,  # of weights that hold more than tensors
)
"""What transformers, safetensors (`SafetensorError`) and torch raise for a folder that is not what it says."""


class HuggingFaceModel:
    """A model of transformers with its tokenizer or image processor, for one of the tasks that are served."""

    def __init__(self, model: PreTrainedModel, inputs: Inputs, task: Task) -> None:
        self._model, self._inputs, self._task = model.eval(), inputs, task

    @property
    def origin(self) -> Origin:
        """Say `transformers`, its version, and the class of the model."""
        import transformers

        return Origin("transformers", transformers.__version__, type(self._model).__name__)

    @property
    def example(self) -> Batch | None:
        """Return texts, or images, that tell implementations apart."""
        return self._inputs.example()

    def convert(self, folder: Path, sample: Sample | None) -> Converted:  # noqa: ARG002 - types are known
        """Export the model, and declare its tokenizer or image processor. Raises: UnsupportedModel, Unreachable."""
        graph = folder / "model.onnx"
        export(self._task.module(self._model), self._inputs.traced(), self._task.outputs, self._task.labels, graph)
        prepared = self._inputs.declare(folder / "preprocessing", tokens=self._task.answer == "tokens")
        return Converted(
            graph,
            labels=self._task.labels,
            preprocessing={self._inputs.name: self._inputs.says},
            prepared=prepared,
        )

    def predict(self, inputs: Batch) -> Batch:
        """Tokenize or process by transformers, and run the model. Raises: UnsupportedModel."""
        try:
            return self._task.answers(self._model, self._inputs.read(inputs))
        except FAILURES as error:
            raise UnsupportedModel(f"transformers fails on these rows: {error}") from error


def recognises(path: Path) -> bool:
    """Say whether a folder has a configuration that names a model's type or class."""
    return bool({"model_type", "architectures"} & set(_config(path / CONFIG)))


def load(path: Path, options: LoadOptions) -> SourceModel:
    """Read a folder, from this disk alone. Raises: UnsupportedModel, Untrusted, Unreachable."""
    if not any((path / name).is_file() for name in WEIGHTS):
        raise UnsupportedModel(
            f"{path}: expected weights ({WEIGHTS[0]}, or {WEIGHTS[2]}), found none; a checkpoint of TensorFlow or Flax "
            "is converted by loading it with an older transformers, and `save_pretrained`"
        )
    if not options.trust:
        _refuse_code(path)
    task = task_of(path, _config(path / CONFIG))
    try:
        from safetensors import SafetensorError
    except ImportError as error:
        raise lacks(error, EXTRA) from error
    try:
        model = task.load(path, trust=options.trust)
        return HuggingFaceModel(model, _inputs(task, model, path, trust=options.trust), task.of(model))
    except ImportError as error:
        raise _lacking(error) from error
    except (*FAILURES, SafetensorError) as error:
        raise UnsupportedModel(f"{path}: transformers does not read it: {error}") from error


def adopt(model: object, options: LoadOptions) -> SourceModel | None:  # noqa: ARG001 - a framework's signature
    """Take a pipeline, or a model that was loaded from a folder which still has its tokenizer or image processor.

    Raises: UnsupportedModel.
    """
    if not of_package(model, ("transformers",)):
        return None
    from transformers import Pipeline, PreTrainedModel

    if isinstance(model, Pipeline):
        return _adopted(model.model, model.tokenizer, model.image_processor)
    if isinstance(model, PreTrainedModel):
        return _adopted(model, None, None)
    return None


def _adopted(model: Any, tokenizer: Any, processor: Any) -> SourceModel:
    folder = Path(model.name_or_path)
    task = task_of(folder, {"architectures": [type(model).__name__]})
    if task.takes == "text" and tokenizer is not None:
        inputs: Inputs = Texts(tokenizer, model, folder)
    elif task.takes == "image" and processor is not None:
        inputs = Images(processor, model)
    elif (folder / CONFIG).is_file():
        inputs = _inputs(task, model, folder, trust=False)
    else:
        raise UnsupportedModel(
            f"{type(model).__name__}: expected its tokenizer or image processor too: give a pipeline, as in "
            "`pipeline('text-classification', model=model, tokenizer=tokenizer)`, or a folder that both were saved to"
        )
    return HuggingFaceModel(model, inputs, task.of(model))


def _inputs(task: Task, model: PreTrainedModel, path: Path, *, trust: bool) -> Inputs:
    if task.takes == "text":
        return Texts.load(path, model, trust=trust)
    return Images.load(path, model, trust=trust)


def _refuse_code(path: Path) -> None:
    for name in (CONFIG, "tokenizer_config.json", "preprocessor_config.json"):
        if CODE in _config(path / name):
            raise Untrusted(
                f"{path}: its {name} names Python code of the folder ({CODE}), which loading would run; "
                "if you know where it is from, say so with --trust"
            )


def _config(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _lacking(error: ImportError) -> Unreachable | UnsupportedModel:
    """Say what is missing; transformers raises ImportError without a name for a tokenizer's own requirements."""
    return lacks(error, EXTRA) if error.name else UnsupportedModel(f"transformers: {error}")
