"""What PyTorch's models are called in ONNX, and what of them is refused, with the remedy."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch as pytorch
from torch import Tensor, nn

from model_store.convert import torch
from model_store.convert.source import Batch, LoadOptions, Sample, SourceModel
from warmstart.errors import InvalidSample, UnsupportedModel, Untrusted

BATCH = pytorch.export.Dim("batch")


class Function(nn.Module):
    """A module of one function, with a weight so that it has a datatype."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function, self.weight = function, nn.Parameter(pytorch.ones(1))

    def forward(self, x: Tensor) -> Any:
        return self.function(x * self.weight)


class TwoRows(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.view(2, 4) * 2


class Branches(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


class NamesNothing(nn.Module):
    def forward(self, *tensors: Tensor) -> Tensor:
        return tensors[0]


def sample(**columns: Any) -> Sample:
    return Sample({name: np.asarray(column) for name, column in columns.items()}, "rows.npz")


def rows(*shape: int) -> Any:
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape)


def adopt(model: object, given: Sample | None) -> SourceModel:
    adopted = torch.adopt(model, LoadOptions(sample=given))
    assert adopted is not None
    return adopted


def graph_of(model: object, given: Sample | None, folder: Path) -> onnx.ModelProto:
    return onnx.load(adopt(model, given).convert(folder, given).graph)


def names(values: Any) -> list[str]:
    return [value.name for value in values]


def free(values: Any) -> list[bool]:
    return [bool(value.type.tensor_type.shape.dim[0].dim_param) for value in values]


@pytest.mark.parametrize(
    ("function", "outputs"),
    [
        (lambda x: x * 2, ["output"]),
        (lambda x: (x * 2, x * 3), ["output_0", "output_1"]),
        (lambda x: {"scores": x * 2, "vector": x * 3}, ["scores", "vector"]),
        (lambda x: (x * 2, (x * 3, x * 4)), ["output_0", "output_1_0", "output_1_1"]),
        (lambda x: {"last": x * 2, "hidden": [x * 3]}, ["last", "hidden_0"]),
        (lambda x: (x * 2, None), ["output_0"]),
        (lambda x: {"x": x * 2}, ["x_out"]),
    ],
)
def test_outputs_are_called_as_forward_returns_them(function: Any, outputs: list[str], tmp_path: Path) -> None:
    model, given = adopt(Function(function), sample(x=rows(3, 4))), sample(x=rows(3, 4))
    graph = onnx.load(model.convert(tmp_path, given).graph).graph
    assert (names(graph.input), names(graph.output)) == (["x"], outputs)
    assert list(model.predict({"x": rows(3, 4)})) == outputs


def test_the_number_of_rows_is_free_even_if_the_sample_has_one(tmp_path: Path) -> None:
    graph = graph_of(nn.Linear(4, 2), sample(input=rows(1, 4)), tmp_path).graph
    assert free(graph.input) == [True]
    assert free(graph.output) == [True]


def test_the_graph_has_no_line_of_the_publishers_code(tmp_path: Path) -> None:
    adopt(Function(lambda x: x * 2), sample(x=rows(3, 4))).convert(tmp_path, None)
    assert str(Path(__file__).parent).encode() not in (tmp_path / "model.onnx").read_bytes()


def test_whole_numbers_are_given_as_floats_to_a_module_that_takes_floats_alone(tmp_path: Path) -> None:
    graph = graph_of(nn.Linear(2, 1), sample(age=[1, 2, 3], rooms=[4, 5, 6]), tmp_path).graph
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_ids_stay_whole_numbers(tmp_path: Path) -> None:
    graph = graph_of(nn.Embedding(9, 2), sample(input=[[1, 2], [3, 4]]), tmp_path).graph
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.INT64


def test_a_module_of_doubles_stays_one(tmp_path: Path) -> None:
    graph = graph_of(nn.Linear(4, 2).double(), sample(input=rows(3, 4)), tmp_path).graph
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.DOUBLE


def test_a_notebooks_module_is_in_training_again_afterwards(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(4, 2), nn.Dropout(0.5)).train()
    module[0].eval()
    adopt(module, sample(input=rows(3, 4))).convert(tmp_path, None)
    assert [part.training for part in module.modules()] == [True, False, True]


def test_a_module_brings_example_inputs_in_a_tuple() -> None:
    example = adopt((nn.Linear(4, 2), pytorch.ones(3, 4)), None).example
    assert example is not None
    assert {name: array.tolist() for name, array in example.items()} == {"input": [[1, 1, 1, 1], [1, 1, 1, 1]]}


@pytest.mark.parametrize(
    ("module", "given", "reason"),
    [
        (nn.Linear(4, 2), None, "expected rows to trace it with: give a sample, or publish package.module:factory"),
        (TwoRows(), sample(x=rows(2, 4)), r"its forward fixes the number of rows: write x.shape\[0\] \(or -1\)"),
        (Branches(), sample(x=rows(3, 4)), "its forward branches on computed values: use torch.where or torch.cond"),
        (Function(pytorch.linalg.eigvals), sample(x=rows(2, 3, 3)), "ONNX has no operator for aten.linalg_eig"),
        (Function(lambda x: float(x.sum())), sample(x=rows(2, 3)), "forward returns a float: expected tensors"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_the_remedy(
    module: nn.Module, given: Sample | None, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedModel, match=reason):
        adopt(module, given).convert(tmp_path, given)


def test_a_forward_without_names_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="its forward names no input"):
        torch.adopt(NamesNothing(), LoadOptions())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (sample(a=rows(2, 4), b=rows(2, 4)), "expected the inputs of forward, input; got a, b"),
        (sample(name=np.array(["x", "y"], object), age=[1, 2]), "column 'name': expected numbers, got object"),
        (sample(input=rows(2, 7)), r"the model does not take the sample's rows \(input \[2, 7\] torch.float32\)"),
        (sample(input=rows(0, 4)), "expected rows to try the model on, got none"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused(given: Sample, reason: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSample, match=reason):
        adopt(nn.Linear(4, 2), given).convert(tmp_path, given)


@pytest.mark.parametrize("zipped", [True, False])
def test_weights_alone_are_refused(zipped: bool, tmp_path: Path) -> None:
    checkpoint = {"epoch": 3, "model": nn.Linear(4, 2).state_dict()}
    pytorch.save(checkpoint, tmp_path / "model.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsupportedModel, match="weights without the model that they belong to: write a function"):
        torch.load(tmp_path / "model.pt", LoadOptions(trust=True))


def test_a_pickled_module_is_not_opened_without_leave(tmp_path: Path) -> None:
    pytorch.save(nn.Linear(4, 2), tmp_path / "model.pt")
    with pytest.raises(Untrusted, match="a pickle executes code when it is read"):
        torch.load(tmp_path / "model.pt", LoadOptions())


class MakesAFolder:
    """What an attacker's pickle does."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return Path.mkdir, (self._path,)


def test_an_exported_program_can_bring_code_so_it_is_not_opened_without_leave(tmp_path: Path) -> None:
    program = pytorch.export.export(nn.Linear(4, 2), (pytorch.ones(3, 4),), dynamic_shapes=({0: BATCH},))
    pytorch.export.save(program, tmp_path / "good.pt2")
    pytorch.save({"x": MakesAFolder(tmp_path / "made")}, code := io.BytesIO())
    with zipfile.ZipFile(tmp_path / "good.pt2") as good, zipfile.ZipFile(tmp_path / "bad.pt2", "w") as bad:
        for name in good.namelist():
            bad.writestr(name, code.getvalue() if name.endswith("sample_inputs/model.pt") else good.read(name))
    with pytest.raises(Untrusted):
        torch.load(tmp_path / "bad.pt2", LoadOptions())
    assert not (tmp_path / "made").exists()
    with pytest.raises(UnsupportedModel):
        torch.load(tmp_path / "bad.pt2", LoadOptions(trust=True))
    assert (tmp_path / "made").exists()


def test_a_program_for_a_fixed_number_of_rows_is_refused() -> None:
    program = pytorch.export.export(nn.Linear(4, 2), (pytorch.ones(3, 4),))
    with pytest.raises(UnsupportedModel, match=r"exported for \[3\] rows alone .*torch.export.Dim"):
        torch.adopt(program, LoadOptions())


def test_a_program_that_still_trains_is_refused() -> None:
    module = nn.Sequential(nn.Linear(4, 2), nn.Dropout(0.5)).train()
    program = pytorch.export.export(module, (pytorch.ones(3, 4),), dynamic_shapes=({0: BATCH},))
    with pytest.raises(UnsupportedModel, match=r"exported in training mode \(dropout\): call model.eval\(\) first"):
        torch.adopt(program, LoadOptions())


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (None, "no module warmstart_factory, neither installed nor in "),
        ("import torch\ndef build():\n    raise OSError('no weights.pt')", "it fails: OSError: no weights.pt"),
        ("def other(): ...", "it fails: AttributeError: .*build"),
        ("def build():\n    return 3", "expected a torch.nn.Module, .*; got a int"),
        ("import torch\ndef build():\n    return torch.nn.Linear(4, 2), 'x'", "expected a tensor, a tuple"),
    ],
)
def test_a_factory_that_makes_no_model_is_refused(
    code: str | None, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if code is not None:
        (tmp_path / "warmstart_factory.py").write_text(code)
    try:
        with pytest.raises(UnsupportedModel, match=reason):
            torch.load(Path("warmstart_factory:build"), LoadOptions())
    finally:
        sys.modules.pop("warmstart_factory", None)


def test_a_factory_is_found_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "warmstart_built.py").write_text(
        "import torch\ndef build():\n    return torch.nn.Linear(4, 2), torch.ones(2, 4)"
    )
    model = torch.load(Path("warmstart_built:build"), LoadOptions())
    answer: Batch = model.predict({"input": np.ones((5, 4))})
    assert answer["output"].shape == (5, 2)
