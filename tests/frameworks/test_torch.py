"""PyTorch through the whole gate: held-out rows at the endpoint, against the module's own answers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

from model_store.convert.source import Batch
from tests.frameworks import torch_models
from tests.frameworks.matrix import Built, Case, Prove
from tests.frameworks.torch_models import Rows, Trained

MODELS: dict[str, Callable[[], Trained]] = {
    "mlp": torch_models.mlp,
    "cnn": torch_models.cnn,
    "lstm": torch_models.lstm,
    "gru": torch_models.gru,
    "transformer": torch_models.transformer,
    "bag-of-words": torch_models.bag_of_words,
    "two-inputs": torch_models.two_inputs,
    "two-heads": torch_models.two_heads,
}
Build = Callable[[Path], Built]


def arrays(rows: Rows) -> Batch:
    return {name: tensor.numpy() for name, tensor in rows.items()}


def answers(module: nn.Module, rows: Rows) -> Batch:
    with torch.inference_mode():
        answer = module(**rows)
    return arrays(answer if isinstance(answer, dict) else {"output": answer})


def built(source: object, trained: Trained, *, sample: bool) -> Built:
    seen = arrays({name: tensor[:10] for name, tensor in trained.seen.items()})
    expected = answers(trained.module, trained.held_out)
    return Built(source, arrays(trained.held_out), expected, sample=seen if sample else None)


@contextmanager
def torch_may_warn() -> Iterator[None]:
    """Let what a user calls warn: of its own insides, and of TorchScript's end. The gate itself stays silent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def in_process(make: Callable[[], Trained]) -> Build:
    def build(_: Path) -> Built:
        trained = make()
        return built(trained.module, trained, sample=True)

    return build


def exported(make: Callable[[], Trained]) -> Build:
    def build(folder: Path) -> Built:
        trained = make()
        rows = {name: {0: torch.export.Dim("batch")} for name in trained.seen}
        with torch_may_warn():
            program = torch.export.export(trained.module, (), dict(trained.seen), dynamic_shapes=rows)
            torch.export.save(program, folder / "model.pt2")
        return built(folder / "model.pt2", trained, sample=False)

    return build


def scripted(make: Callable[[], Trained]) -> Build:
    def build(folder: Path) -> Built:
        trained = make()
        with torch_may_warn():
            torch.jit.script(trained.module).save(str(folder / "model.pt"))
        return built(folder / "model.pt", trained, sample=True)

    return build


def traced(make: Callable[[], Trained]) -> Build:
    def build(folder: Path) -> Built:
        trained = make()
        with torch_may_warn():
            torch.jit.trace(trained.module, tuple(trained.seen.values())).save(str(folder / "model.pt"))
        return built(folder / "model.pt", trained, sample=True)

    return build


def of_a_factory(_: Path) -> Built:
    return built("tests.frameworks.torch_models:price_model", torch_models.two_inputs(), sample=False)


def of_a_table(_: Path) -> Built:
    trained = torch_models.mlp()
    columns = {f"column {n}": trained.seen["features"][:30, n].numpy() for n in range(6)}
    return built(trained.module, trained, sample=False)._replace(sample=columns)


def pickled(folder: Path) -> Built:
    trained = torch_models.two_heads()
    torch.save(trained.module, folder / "model.pth")
    return built(folder / "model.pth", trained, sample=True)


CASES = (
    *(Case(f"torch-{name}", in_process(make)) for name, make in MODELS.items()),
    *(Case(f"torch-{name}-pt2", exported(make)) for name, make in MODELS.items()),
    Case("torch-cnn-scripted", scripted(torch_models.cnn)),
    Case("torch-lstm-scripted", scripted(torch_models.lstm)),
    Case("torch-two-inputs-traced", traced(torch_models.two_inputs)),
    Case("torch-two-inputs-factory", of_a_factory),
    Case("torch-mlp-table", of_a_table),
    Case("torch-two-heads-pickled", pickled),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_endpoint_answers_as_the_source_does(case: Case, prove: Prove) -> None:
    prove(case)
