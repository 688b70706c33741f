"""PyTorch: torch.export archives, TorchScript, whole modules, `package.module:factory`, and modules in this process.

All of PyTorch's files may execute code when they are read, so each needs leave: docs/pytorch.md says which and why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from model_store.convert.source import Batch, Converted, LoadOptions, Origin, Sample, SourceModel, lacks, of_package
from model_store.convert.torch_files import ADDRESS, FAILURES, kind_of, make, read
from model_store.convert.torch_forms import Form, form_of, outputs_of
from model_store.convert.torch_tensors import Tensors, as_arrays, as_tensors, name_outputs
from warmstart.errors import UnsupportedModel

GRAPH: Final = "model.onnx"
_NO_EXAMPLE: Final = (
    "expected rows to trace it with: give a sample, or publish package.module:factory whose factory returns "
    "(module, example inputs)"
)


class TorchModel:
    """A model of PyTorch, with the inputs that it is traced with: its own, else the sample's."""

    def __init__(self, form: Form, sample: Sample | None) -> None:
        self._form, self._sample = form, sample
        self._traced: Tensors | None = form.example

    @property
    def origin(self) -> Origin:
        """PyTorch, and the module's class."""
        import torch

        return Origin("pytorch", torch.__version__.partition("+")[0], self._form.kind)

    @property
    def example(self) -> Batch | None:
        """The example inputs that a program keeps, or that a factory returned."""
        return None if self._form.example is None else as_arrays(self._form.example)

    def convert(self, folder: Path, sample: Sample | None) -> Converted:
        """Export it; inputs are called as forward's parameters, outputs as docs/pytorch.md says."""
        example = self._example(sample or self._sample)
        self._form.export(example, outputs_of(self._form, example), folder / GRAPH)
        return Converted(folder / GRAPH)

    def predict(self, inputs: Batch) -> Batch:
        """Compute in evaluation mode, with the datatypes that the model was traced with."""
        example = self._example(self._sample)
        try:
            answer = self._form.answer(as_tensors(inputs, example))
        except FAILURES as error:
            raise UnsupportedModel(f"{self._form.kind}: it fails on these rows: {error}") from error
        return as_arrays(name_outputs(answer, list(example)))

    def _example(self, sample: Sample | None) -> Tensors:
        if self._traced is None:
            if sample is None:
                raise UnsupportedModel(f"{self._form.kind}: {_NO_EXAMPLE}")
            self._traced = self._form.try_on(sample)
        return self._traced


def recognises(path: Path) -> bool:
    """Say whether it is a file of PyTorch's, or an address `package.module:factory`."""
    return kind_of(path) is not None or (ADDRESS.fullmatch(str(path)) is not None and not path.exists())


def load(path: Path, options: LoadOptions) -> SourceModel:
    """Read a file, or call a factory. Raises: UnsupportedModel, Untrusted, Unreachable, OSError."""
    made = read(path, options) if path.exists() else make(str(path))
    form = form_of(made)
    if form is None:
        raise UnsupportedModel(
            f"{path}: expected a torch.nn.Module, (module, example inputs) or an exported program; "
            f"got a {type(made).__name__}"
        )
    return TorchModel(form, options.sample)


def adopt(model: object, options: LoadOptions) -> SourceModel | None:
    """Take a module, an exported program, a TorchScript, or (module, example inputs)."""
    whole = model[0] if isinstance(model, tuple) and len(model) == 2 else model
    if not of_package(whole, ("torch",)):
        return None
    try:
        form = form_of(model)
    except ImportError as error:
        raise lacks(error, "torch") from error
    return None if form is None else TorchModel(form, options.sample)
