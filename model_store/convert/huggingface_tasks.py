"""What a Hugging Face model is for, found by its class: what it answers, computed by it and written into the graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from transformers import PreTrainedModel

Answer = Literal["classes", "several", "number", "tokens", "embedding"]
"""One class, several at once, a number; a class per token; a vector."""
HEADS: Final[Mapping[str, tuple[str, Answer, Literal["text", "image"]]]] = {
    "ForSequenceClassification": ("AutoModelForSequenceClassification", "classes", "text"),
    "ForTokenClassification": ("AutoModelForTokenClassification", "tokens", "text"),
    "ForImageClassification": ("AutoModelForImageClassification", "classes", "image"),
    "Model": ("AutoModel", "embedding", "text"),
}
"""The end of a class's name → its Auto class, what it answers, what it takes."""
ROWS: Final = 32
"""The source computes so many at a time."""


class Pooling(NamedTuple):
    """How an embedding is made of the tokens' states. `bare`: the folder says nothing, so the states are given too."""

    by: Literal["mean", "cls"] = "mean"
    normalise: bool = False
    bare: bool = True


class Task(NamedTuple):
    """What is asked of a model."""

    auto: str
    answer: Answer
    takes: Literal["text", "image"]
    labels: tuple[str, ...] = ()
    pooling: Pooling = Pooling()

    @property
    def outputs(self) -> tuple[str, ...]:
        """The graph's outputs as they are exported; where there are labels, the first is an index of them."""
        match self.answer:
            case "classes" | "tokens":
                return ("label", "probabilities")
            case "several":
                return ("probabilities",)
            case "number":
                return ("variable",)
            case "embedding":
                return ("embedding", "last_hidden_state") if self.pooling.bare else ("embedding",)

    def load(self, path: Path, *, trust: bool) -> PreTrainedModel:
        """Read the weights, as FP32. Raises: UnsupportedModel if some are missing; what transformers raises."""
        import transformers

        auto: Any = getattr(transformers, self.auto)
        read = {"local_files_only": True, "trust_remote_code": trust, "output_loading_info": True}
        model, info = auto.from_pretrained(str(path), dtype="float32", **read)
        missing = sorted(name for name in info["missing_keys"] if not name.startswith("pooler."))
        if missing:
            raise UnsupportedModel(
                f"{path}: its weights lack {', '.join(missing[:3])}: {type(model).__name__} was not trained, or was "
                "saved as another class; train it, and `save_pretrained`"
            )
        return model

    def of(self, model: PreTrainedModel) -> Task:
        """Complete it by what the model's configuration says."""
        config: Any = model.config
        if self.answer == "embedding":
            return self
        labels = tuple(str(config.id2label[index]) for index in range(config.num_labels))
        kind = getattr(config, "problem_type", None)
        if self.answer == "classes" and (kind == "regression" or (kind is None and config.num_labels == 1)):
            return self._replace(answer="number")
        if self.answer == "classes" and kind == "multi_label_classification":
            return self._replace(answer="several", labels=labels)
        return self._replace(labels=labels)

    def module(self, model: PreTrainedModel) -> Module:
        """Return what is exported: the model, and after it what makes answers of its logits or states."""
        from torch.nn import Module

        task = self

        class Answering(Module):  # type: ignore[misc]  # torch is not where types are checked
            def __init__(self) -> None:
                super().__init__()
                self.model = model

            def forward(self, numbers: dict[str, Tensor]) -> tuple[Tensor, ...]:
                return task.after(self.model(**numbers), numbers.get("attention_mask"))

        return Answering()

    def after(self, output: Any, mask: Tensor | None) -> tuple[Tensor, ...]:
        """Make answers of what the model gives, in torch: it is exported with the model."""
        import torch

        match self.answer:
            case "classes" | "tokens":
                return output.logits.argmax(-1), torch.softmax(output.logits, -1)
            case "several":
                return (torch.sigmoid(output.logits),)
            case "number":
                return (output.logits,)
            case "embedding":
                states = output.last_hidden_state
                pooled = _pooled(states, mask, self.pooling)
                return (pooled, states) if self.pooling.bare else (pooled,)

    def answers(self, model: PreTrainedModel, numbers: Mapping[str, NDArray[Any]]) -> Batch:
        """Compute the source's own answers, under the graph's output names; probabilities and pooling by numpy."""
        import torch

        parts: list[NDArray[Any]] = []
        rows = len(next(iter(numbers.values())))
        with torch.no_grad():
            for start in range(0, rows, ROWS):
                given = {name: torch.from_numpy(array[start : start + ROWS]) for name, array in numbers.items()}
                output: Any = model(**given)
                states = output.last_hidden_state if self.answer == "embedding" else output.logits
                parts.append(states.double().numpy())
        return self._answers(np.concatenate(parts), numbers.get("attention_mask"))

    def _answers(self, raw: NDArray[Any], mask: NDArray[Any] | None) -> Batch:
        names = np.array(self.labels, object)
        match self.answer:
            case "classes" | "tokens":
                label = names[raw.argmax(-1)]
                if self.answer == "tokens" and mask is not None:
                    label = np.where(mask == 1, label, "")
                powers = np.exp(raw - raw.max(-1, keepdims=True))
                return {"label": label, "probabilities": powers / powers.sum(-1, keepdims=True)}
            case "several":
                return {"probabilities": 1 / (1 + np.exp(-raw))}
            case "number":
                return {"variable": raw}
            case "embedding":
                return {"embedding": _numpy_pooled(raw, mask, self.pooling), "last_hidden_state": raw}


def task_of(path: Path, config: Mapping[str, Any]) -> Task:
    """Find the task by the class that a configuration names. Raises: UnsupportedModel."""
    pooling = _pooling(path)
    architectures = config.get("architectures") or []
    name = str(architectures[0]) if architectures else ""
    for end, (auto, answer, takes) in HEADS.items():
        if name.endswith(end):
            return Task(auto, answer, takes, pooling=pooling)
    if not pooling.bare:
        return Task(*HEADS["Model"], pooling=pooling)
    served = ", ".join(f"*{end}" for end in HEADS)
    raise UnsupportedModel(
        f"{path}: a {name or 'model that does not say its class'}; those that are served are {served} (an embedding)"
    )


def _pooling(path: Path) -> Pooling:
    """Read how sentence-transformers pools, where the folder is one of its. Raises: UnsupportedModel."""
    try:
        modules = json.loads((path / "modules.json").read_bytes())
        kinds = [module["type"].rpartition(".")[2] for module in modules]
        folder = path / next(module["path"] for module in modules if module["type"].endswith(".Pooling"))
        document = json.loads((folder / "config.json").read_bytes())
    except FileNotFoundError:
        return Pooling()
    except (ValueError, KeyError, TypeError, StopIteration, AttributeError) as error:
        raise UnsupportedModel(f"{path}: its modules.json is none that can be read: {error}") from error
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise UnsupportedModel(
            f"{path}: expected the modules Transformer, Pooling and perhaps Normalize, got {', '.join(kinds)}"
        )
    modes = [name for name, used in document.items() if name.startswith("pooling_mode_") and used is True]
    if modes == ["pooling_mode_mean_tokens"] or document.get("pooling_mode") == "mean":
        return Pooling("mean", "Normalize" in kinds, bare=False)
    if modes == ["pooling_mode_cls_token"] or document.get("pooling_mode") == "cls":
        return Pooling("cls", "Normalize" in kinds, bare=False)
    raise UnsupportedModel(f"{path}: expected pooling by mean or by the first token, got {', '.join(modes) or 'none'}")


def _pooled(states: Tensor, mask: Tensor | None, pooling: Pooling) -> Tensor:
    import torch

    if pooling.by == "cls" or mask is None:
        pooled = states[:, 0]
    else:
        weights = mask.unsqueeze(-1).to(states.dtype)
        pooled = (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(pooled, dim=-1) if pooling.normalise else pooled


def _numpy_pooled(states: NDArray[Any], mask: NDArray[Any] | None, pooling: Pooling) -> NDArray[Any]:
    if pooling.by == "cls" or mask is None:
        pooled = states[:, 0]
    else:
        pooled = np.stack([row[real == 1].mean(0) for row, real in zip(states, mask, strict=True)])
    return pooled / np.linalg.norm(pooled, axis=-1, keepdims=True) if pooling.normalise else pooled
