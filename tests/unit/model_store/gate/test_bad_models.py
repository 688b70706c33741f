# ruff: noqa: E501 - tables of messages
"""Models and samples that are wrong on purpose, through the whole gate: which step refuses each, and what it says."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from model_store.gate import examine
from model_store.gate.steps import GateOptions, GateRejected
from tests.build import models

HUGE = 2**20
"""Squared, 2^40 elements: 4 TB of FP32."""
NO_OPTIONS = GateOptions()


def refused(source: Path, folder: Path, options: GateOptions = NO_OPTIONS) -> GateRejected:
    """Take a source through the gate, which has to refuse it."""
    (folder / "gate").mkdir()
    with pytest.raises(GateRejected) as caught:
        examine(source, "bad", folder / "gate", options)
    report = caught.value.report.steps[-1]
    assert (report.step, report.status, report.summary) == (caught.value.step, "rejected", caught.value.reason)
    return caught.value


def written(folder: Path, body: bytes, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(body)
    return path


def adds(made: Sequence[onnx.NodeProto] = (), *, shape: Sequence[models.Dim] = ("batch",)) -> onnx.ModelProto:
    """Give y = x + w, FP32, of a `w` that is made by the nodes, or comes from elsewhere."""
    x, y = (models.tensor(name, TensorProto.FLOAT, shape) for name in "xy")
    return models.unchecked([*made, helper.make_node("Add", ["x", "w"], ["y"])], [x], [y])


def constant(name: str, *values: int) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(values, np.int64)))


def huge_initializer() -> onnx.ModelProto:
    model = adds()
    model.graph.initializer.append(TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[HUGE, HUGE]))
    return model


def huge_sparse_initializer() -> onnx.ModelProto:
    model = adds()
    values, indices = numpy_helper.from_array(np.ones(1, np.float32), "w"), numpy_helper.from_array(np.array([7]))
    model.graph.sparse_initializer.append(onnx.SparseTensorProto(values=values, indices=indices, dims=[HUGE, HUGE]))
    return model


def huge_attribute() -> onnx.ModelProto:
    bomb = TensorProto(data_type=TensorProto.FLOAT, dims=[HUGE, HUGE])
    return adds([helper.make_node("Constant", [], ["w"], value=bomb)])


def huge_constant_of_shape() -> onnx.ModelProto:
    return adds([constant("shape", HUGE, HUGE), helper.make_node("ConstantOfShape", ["shape"], ["w"])])


def huge_in_a_branch() -> onnx.ModelProto:
    y = models.tensor("y", TensorProto.FLOAT, ["n"])
    made = [constant("shape", HUGE * HUGE), helper.make_node("ConstantOfShape", ["shape"], ["y"])]
    then = helper.make_graph(made, "then", [], [y])
    other = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "other", [], [y])
    choose = helper.make_node("If", ["if"], ["y"], then_branch=then, else_branch=other)
    inputs = [models.tensor("x", TensorProto.FLOAT, ["n"]), models.tensor("if", TensorProto.BOOL, [])]
    return models.unchecked([choose], inputs, [y])


def huge_random() -> onnx.ModelProto:
    return adds([helper.make_node("RandomNormal", [], ["w"], shape=[HUGE, HUGE])])


def huge_by_arithmetic() -> onnx.ModelProto:
    squared = helper.make_node("Mul", ["shape", "shape"], ["sizes"])
    return adds([constant("shape", HUGE), squared, helper.make_node("ConstantOfShape", ["sizes"], ["w"])])


BOMBS: list[tuple[Callable[[], onnx.ModelProto], str]] = [
    (huge_initializer, "tensor 'w' declares [1048576, 1048576], 1099511627776 elements or at least 4398046511104 bytes, and has 0 bytes of data"),
    (huge_sparse_initializer, "sparse initializer 'w' declares [1048576, 1048576], 4398046511104 bytes: expected at most 10737418240, the memory of the largest function"),
    (huge_attribute, "declares [1048576, 1048576], 1099511627776 elements or at least 4398046511104 bytes, and has 0 bytes of data"),
    (huge_constant_of_shape, "ConstantOfShape 'w' declares [1048576, 1048576], 1099511627776 bytes: expected at most 10737418240"),
    (huge_in_a_branch, "ConstantOfShape 'y' declares [1099511627776], 1099511627776 bytes: expected at most"),
    (huge_random, "RandomNormal 'w' declares [1048576, 1048576], 1099511627776 bytes: expected at most"),
    (lambda: adds([constant("w", 1)], shape=[HUGE, HUGE]), "value 'x' declares [1048576, 1048576], 4398046511104 bytes: expected at most"),
    (huge_by_arithmetic, "MB, it asks for more: [ONNXRuntimeError]"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "message"), BOMBS, ids=[message[:30] for _, message in BOMBS])
def test_a_bomb_is_refused_before_it_is_opened(
    tmp_path: Path, build: Callable[[], onnx.ModelProto], message: str
) -> None:
    found = refused(written(tmp_path, build().SerializeToString()), tmp_path)

    assert found.step == "check"
    assert message in found.reason


@pytest.mark.parametrize("name", ["model.onnx", "model"])
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_truncated_graph_is_refused_when_it_is_loaded(tmp_path: Path, name: str, kept: float) -> None:
    weight = numpy_helper.from_array(np.ones((50, 50), np.float32), "w")
    x, y = (models.tensor(name, TensorProto.FLOAT, ["batch", 50]) for name in "xy")
    body = models.model([helper.make_node("MatMul", ["x", "w"], ["y"])], [x], [y], [weight])

    found = refused(written(tmp_path, body[: int(len(body) * kept)], name), tmp_path)

    assert found.step == "load"
    assert "not an ONNX model: it ends in the middle, at least" in found.reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty: export it again"),
        (b"hello", "it begins with b'hello': export it again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "it is a pointer of Git LFS: run `git lfs pull`"),
        (pickle.dumps({"a": 1}), "it is a pickle: publish it under its own name, with --trust"),
    ],
    ids=["empty", "text", "git-lfs", "pickle"],
)
def test_what_is_only_called_onnx_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    found = refused(written(tmp_path, content), tmp_path)

    assert found.step == "load"
    assert message in found.reason


def test_a_graph_that_is_not_one_inside_is_refused(tmp_path: Path) -> None:
    whole = bytes([0x08, 9, 0x3A, 4]) + b"\xff\xff\xff\xff"  # ir_version 9, and a graph of four bytes that mean nothing

    found = refused(written(tmp_path, whole), tmp_path)

    assert (found.step, "not an ONNX model" in found.reason) == ("check", True)


def relocated(folder: Path, location: str) -> Path:
    """Say in a graph with external data that it lies elsewhere."""
    path = models.with_external_data(folder)
    model = onnx.load_model_from_string(path.read_bytes())
    entry = next(entry for entry in model.graph.initializer[0].external_data if entry.key == "location")
    entry.value = location
    return written(folder, model.SerializeToString())


@pytest.mark.parametrize("location", ["../secret", "/etc/hostname", "sub/../../secret"])
def test_external_data_that_leaves_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret").write_bytes(bytes(64 * 64 * 4))

    found = refused(relocated(tmp_path / "model", location), tmp_path)

    assert (found.step, "does not lie beside the graph" in found.reason) == ("check", True)


def test_external_data_behind_a_link_is_refused(tmp_path: Path) -> None:
    path = models.with_external_data(tmp_path / "model")
    (tmp_path / "secret").write_bytes((tmp_path / "model/weights.bin").read_bytes())
    (tmp_path / "model/weights.bin").unlink()
    (tmp_path / "model/weights.bin").symlink_to(tmp_path / "secret")

    found = refused(path, tmp_path)

    assert (found.step, "is a link out of the graph's folder" in found.reason) == ("check", True)


def test_external_data_that_is_missing_is_refused(tmp_path: Path) -> None:
    path = models.with_external_data(tmp_path / "model")
    (tmp_path / "model/weights.bin").unlink()

    found = refused(path, tmp_path)

    assert (found.step, "its external data 'weights.bin' is missing" in found.reason) == ("check", True)


def test_external_data_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = models.with_external_data(tmp_path / "model")
    (tmp_path / "model/weights.bin").write_bytes(b"only this")

    found = refused(path, tmp_path)

    assert found.step == "check"
    assert "tensor 'weights' declares [64, 64], 4096 elements or at least 16384 bytes, and has 9 bytes" in found.reason


def optional_output() -> bytes:
    kind = helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, ["batch"]))
    x, y = models.tensor("x", TensorProto.FLOAT, ["batch"]), helper.make_value_info("y", kind)
    return bytes(models.unchecked([helper.make_node("Optional", ["x"], ["y"])], [x], [y]).SerializeToString())


def sequence_output() -> bytes:
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, ["batch"]))
    x, y = models.tensor("x", TensorProto.FLOAT, ["batch"]), helper.make_value_info("y", kind)
    return bytes(models.unchecked([helper.make_node("SequenceConstruct", ["x"], ["y"])], [x], [y]).SerializeToString())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (models.zipmap(), "output 'probabilities': expected a tensor, got a sequence; convert it without ZipMap"),
        (sequence_output(), "output 'y': expected a tensor, got a sequence"),
        (optional_output(), "output 'y': expected a tensor, got a optional; replace it by a tensor"),
        (models.text_to_bfloat16(), "output 'y': ONNX Runtime cannot take text and give BF16: cast the output to FP32"),
        (models.identity(TensorProto.COMPLEX64), "input 'x': its element type 14 is none that a request can carry"),
    ],
    ids=["zipmap", "sequence", "optional", "bf16-of-text", "complex"],
)
def test_what_no_answer_can_carry_is_refused(tmp_path: Path, body: bytes, message: str) -> None:
    found = refused(written(tmp_path, body), tmp_path)

    assert (found.step, message in found.reason) == ("check", True)


def operator(name: str, domain: str = "") -> onnx.ModelProto:
    x, y = (models.tensor(name, TensorProto.FLOAT, ["batch"]) for name in "xy")
    model = models.unchecked([helper.make_node(name, ["x"], ["y"], domain=domain)], [x], [y])
    if domain:
        model.opset_import.add(domain=domain, version=1)
    return model


def newer(*, ir_version: int = models.IR_VERSION, opset: int = models.OPSET) -> onnx.ModelProto:
    model = onnx.load_model_from_string(models.scale())
    model.ir_version, model.opset_import[0].version = ir_version, opset
    return model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (operator("Invert", "com.example"), "com.example:Invert: no custom operator without its library"),
        (operator("NoSuchOperator"), "does not load it: it has no operator ai.onnx:NoSuchOperator"),
        (operator("Gelu2", "com.microsoft"), "does not load it: it has no operator com.microsoft:Gelu2"),
        (newer(opset=99), "operator set 99 of ai.onnx: ONNX Runtime 1."),
        (newer(ir_version=99), "IR version 99: ONNX Runtime 1."),
        (adds([]), "ONNX's checker refuses it: Nodes in a graph must be topologically sorted"),
        (adds([constant("w", 1)]), "ONNX Runtime 1."),
    ],
    ids=["custom", "unknown", "unknown of Microsoft's", "opset", "IR version", "no such value", "types"],
)  # fmt: skip
def test_what_the_runtime_does_not_have_is_refused(tmp_path: Path, model: onnx.ModelProto, message: str) -> None:
    found = refused(written(tmp_path, model.SerializeToString()), tmp_path)

    assert (found.step, message in found.reason) == ("check", True), found.reason


def test_rows_that_the_model_refuses_ask_for_a_sample(tmp_path: Path) -> None:
    table = numpy_helper.from_array(np.ones((1, 4), np.float32), "table")
    x, y = models.tensor("x", TensorProto.INT64, ["batch"]), models.tensor("y", TensorProto.FLOAT, ["batch", 4])
    body = models.model([helper.make_node("Gather", ["table", "x"], ["y"])], [x], [y], [table])

    found = refused(written(tmp_path, body), tmp_path)

    assert found.step == "parity"
    assert "the model itself fails on rows that were made from its signature (row 0: x=1)" in found.reason
    assert found.reason.endswith("give rows that it was made for: --sample FILE")


def test_a_model_that_answers_differently_once_converted_is_refused(tmp_path: Path) -> None:
    rows, kinds = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(rows, kinds)
    as_fitted = model.predict_proba
    model.predict_proba = lambda inputs: as_fitted(inputs)[:, ::-1]  # what no converter can know
    (tmp_path / "gate").mkdir()
    np.savez(tmp_path / "rows.npz", X=rows)

    with pytest.raises(GateRejected) as caught:
        examine(model, "iris", tmp_path / "gate", GateOptions(sample=tmp_path / "rows.npz"))

    outputs: Any = caught.value.report.steps[-1].figures["outputs"]
    assert caught.value.step == "parity"
    assert "probabilities: 150 of 150 rows differ by more than 0.0001 + 0.001·|expected|; the worst is row" in (
        caught.value.reason
    )
    assert (outputs["label"]["agreement"], outputs["probabilities"]["rows_beyond"]) == (1.0, 150)


SAMPLES: list[tuple[str, str, str]] = [
    ("a,b,c\n1,2,3\n", "parity", "x: FP32 [-1, 2]: expected 2 columns, got 3: 'a', 'b', 'c': if 'c' is the right answer, say so (--truth c)"),
    ("a,b\n1,x\n", "parity", "x: FP32 [-1, 2]: column 'b': expected numbers, got text"),
    ("a,b\n", "load", "expected at least one row, got none"),
    ("a,a\n1,2\n", "load", "expected each column once, got 'a' again"),
    ("", "load", "got an empty file"),
    ('{"a": [1, 2]}\n', "load", "column 'a': expected numbers, booleans or text, got list<item: int64>"),
    ("a,b\n1,1e300\n", "parity", "x: FP32 [-1, 2]: expected numbers up to 3.403e+38, got 1e+300 in row 0"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "step", "message"), SAMPLES, ids=[message[-30:] for _, _, message in SAMPLES])
def test_a_sample_that_does_not_fit_is_refused(tmp_path: Path, content: str, step: str, message: str) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(content)

    found = refused(written(tmp_path, models.scale()), tmp_path, GateOptions(sample=rows))

    assert (found.step, message in found.reason) == (step, True), found.reason


def test_a_sample_of_objects_is_refused(tmp_path: Path) -> None:
    rows: Any = np.array([[1, "a"]], dtype=object)
    np.savez(tmp_path / "rows.npz", x=rows)

    found = refused(written(tmp_path, models.scale()), tmp_path, GateOptions(sample=tmp_path / "rows.npz"))

    assert (found.step, "not readable as npz" in found.reason) == ("load", True)


def test_nan_in_an_integer_column_is_refused(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n1,2\n,3\n")

    found = refused(written(tmp_path, models.identity(TensorProto.INT64)), tmp_path, GateOptions(sample=rows))

    assert (found.step, "got nan in row 1" in found.reason) == ("parity", True)
