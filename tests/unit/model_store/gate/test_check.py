"""Whether a graph is one that the pinned runtime serves, and what is told of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from model_store.convert.source import Converted
from model_store.gate import sandbox_program
from model_store.gate.check import check, supported_ir, supported_opset
from model_store.gate.sandbox import try_session
from model_store.gate.steps import GateOptions, Outcome
from model_store.preprocessing.declared import TextInput
from tests.build import models
from tests.build.prepared import text_folder, token_counter
from warmstart.errors import UnsupportedModel


def checked(folder: Path, body: bytes, **options: Any) -> Outcome[Any]:
    path = folder / "source.onnx"
    path.write_bytes(body)
    return check(Converted(path, labels=("off", "on")), GateOptions(**options))


def test_figures_say_what_the_graph_is_made_of(tmp_path: Path) -> None:
    outcome = checked(tmp_path, models.scale())

    assert outcome.figures == {
        "size_bytes": len(models.scale()),
        "files": 1,
        "parameters": 1,
        "ir_version": 9,
        "opsets": {"ai.onnx": 17, "ai.onnx.ml": 3},
        "operators": {"Mul": 1},
        "warnings": [],
    }
    assert outcome.summary == "x: FP32 [-1, 2] → y: FP32 [-1, 2]"


def test_a_model_of_text_is_summed_up_as_its_clients_see_it(tmp_path: Path) -> None:
    path = tmp_path / "source.onnx"
    path.write_bytes(token_counter())
    files = text_folder(tmp_path, TextInput(("input_ids", "attention_mask")))

    outcome = check(Converted(path, prepared=files), GateOptions())

    assert outcome.summary == (
        "text: BYTES [-1] → length: INT64 [-1], ids: INT64 [-1, -1]; "
        "the graph is given input_ids: INT64 [-1, -1], attention_mask: INT64 [-1, -1]"
    )
    assert [spec.name for spec in outcome.value.signature.inputs] == ["input_ids", "attention_mask"]


def test_given_labels_come_before_those_of_the_conversion(tmp_path: Path) -> None:
    assert checked(tmp_path, models.scale()).value.labels == ("off", "on")
    assert checked(tmp_path, models.scale(), labels=("a", "b")).value.labels == ("a", "b")


def test_labels_that_cannot_be_the_models_are_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"expected one for each column of y: FP32 \[-1, 2\], got 3: a, b, c"):
        checked(tmp_path, models.scale(), labels=("a", "b", "c"))


def test_a_fixed_batch_is_served_and_warned_of(tmp_path: Path) -> None:
    outcome = checked(tmp_path, models.identity(shape=[1, 3]))

    warning = "input 'x' takes exactly 1 row at a time: export it with a dynamic batch axis to send any number"
    assert outcome.figures["warnings"] == [warning]
    assert outcome.summary.endswith(warning)


def test_an_output_without_a_shape_gets_the_inferred_one(tmp_path: Path) -> None:
    x, y = models.tensor("x", TensorProto.FLOAT, ["batch", 2]), models.tensor("y", TensorProto.FLOAT, None)
    body = models.unchecked([helper.make_node("Identity", ["x"], ["y"])], [x], [y]).SerializeToString()

    outcome = checked(tmp_path, body)

    assert outcome.value.signature.outputs[0].shape == (-1, 2)
    assert "Field 'shape' of 'type' is required" in outcome.summary


def test_shapes_that_were_declared_too_narrowly_are_a_warning(tmp_path: Path) -> None:
    x, y = models.tensor("x", TensorProto.FLOAT, ["batch", 2]), models.tensor("y", TensorProto.FLOAT, ["batch", 5])
    body = models.unchecked([helper.make_node("Identity", ["x"], ["y"])], [x], [y]).SerializeToString()

    assert "; ONNX's inference of shapes disagrees with the graph: [ShapeInferenceError]" in (
        checked(tmp_path, body).summary
    )


def test_functions_of_the_models_own_are_no_custom_operators(tmp_path: Path) -> None:
    x, y = (models.tensor(name, TensorProto.FLOAT, ["batch"]) for name in "xy")
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    twice = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], opsets[:1]
    )
    graph = helper.make_graph([helper.make_node("Twice", ["x"], ["y"], domain="mine")], "graph", [x], [y])
    body = helper.make_model(graph, functions=[twice], opset_imports=opsets, ir_version=9).SerializeToString()

    assert checked(tmp_path, body).figures["operators"] == {"Add": 1, "mine:Twice": 1}


def test_operators_of_microsofts_domain_are_served(tmp_path: Path) -> None:
    x, y = (models.tensor(name, TensorProto.FLOAT, ["batch", 4]) for name in "xy")
    model = models.unchecked([helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")], [x], [y])
    model.opset_import.add(domain="com.microsoft", version=1)

    assert checked(tmp_path, model.SerializeToString()).figures["operators"] == {"com.microsoft:Gelu": 1}


def test_the_newest_versions_that_the_runtime_opens_are_found_by_trying(tmp_path: Path) -> None:
    model = onnx.load_model_from_string(models.scale())
    model.ir_version, model.opset_import[0].version = supported_ir(), supported_opset("ai.onnx")

    assert checked(tmp_path, model.SerializeToString()).figures["ir_version"] == supported_ir()
    assert supported_opset("com.microsoft") == 1


def test_a_model_of_more_than_2_gb_has_its_weights_beside_it(tmp_path: Path) -> None:
    rows = 2**29 + 1
    table = TensorProto(name="table", data_type=TensorProto.FLOAT, dims=[rows, 1], data_location=TensorProto.EXTERNAL)
    table.external_data.add(key="location", value="table.bin")
    x, y = models.tensor("x", TensorProto.INT64, ["batch"]), models.tensor("y", TensorProto.FLOAT, ["batch", 1])
    model = models.unchecked([helper.make_node("Gather", ["table", "x"], ["y"])], [x], [y], [table])
    with (tmp_path / "table.bin").open("wb") as file:
        file.truncate(4 * rows)  # sparse: takes no room

    outcome = checked(tmp_path, model.SerializeToString())

    assert (outcome.figures["parameters"], outcome.figures["files"]) == (rows, 2)
    assert outcome.value.layout.size_bytes > 2**31


def asks_for(megabytes: int, code: int = TensorProto.FLOAT) -> bytes:
    """Give y = x + the sum of a tensor of so many MB, which is made when it runs: FP32; x of any number's datatype."""
    shape = numpy_helper.from_array(np.array([megabytes * 2**18], np.int64), "shape")
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["c"]),
        helper.make_node("ReduceSum", ["c"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["x"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["wide", "sum"], ["y"]),
    ]
    x, y = (models.tensor(name, kind, ["batch"]) for name, kind in (("x", code), ("y", TensorProto.FLOAT)))
    return models.model(nodes, [x], [y], [shape])


@pytest.mark.parametrize("code", [TensorProto.FLOAT, TensorProto.BFLOAT16], ids=["FP32", "BF16"])
def test_a_graph_that_wants_more_memory_than_there_is_does_not_get_it(tmp_path: Path, code: int) -> None:
    path = tmp_path / "source.onnx"
    path.write_bytes(asks_for(4096, code))

    with pytest.raises(
        UnsupportedModel, match=r"expected it to open and to run in 1024 MB, it asks for more: .*bad_alloc"
    ):
        try_session(path, extensions=False, memory_bytes=2**30)


def test_a_limit_that_this_machine_sets_itself_is_not_raised(tmp_path: Path) -> None:
    path = tmp_path / "source.onnx"
    path.write_bytes(models.identity())
    program = Path(sandbox_program.__file__)

    command = f"ulimit -d {4 * 2**20}; exec {sys.executable} -P {program} {path} {2**40} 60 ''"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == {"shapes": {"y": ["batch", 2]}}


def test_a_graph_that_never_ends_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "source.onnx"
    path.write_bytes(endless())

    with pytest.raises(UnsupportedModel, match="to answer within 1 s, it did not: a loop in it may have no end"):
        try_session(path, extensions=False, time_s=1.0)


def test_a_graph_that_never_ends_ends_without_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "source.onnx"
    path.write_bytes(endless())

    ended = subprocess.run([sys.executable, sandbox_program.__file__, str(path), str(2**30), "1", ""], check=False)

    assert ended.returncode == -signal.SIGALRM


def endless() -> bytes:
    """Give y = x + 1 + 1 + ..., 2^62 times."""
    one = numpy_helper.from_array(np.ones(1, np.float32), "one")
    count, go = numpy_helper.from_array(np.array(2**62), "count"), numpy_helper.from_array(np.array(True), "go")
    scalar, flag = models.tensor("i", TensorProto.INT64, []), models.tensor("go_on", TensorProto.BOOL, [])
    before, after = (models.tensor(name, TensorProto.FLOAT, [1]) for name in ("before", "after"))
    again = models.tensor("again", TensorProto.BOOL, [])
    body = helper.make_graph(
        [helper.make_node("Add", ["before", "one"], ["after"]), helper.make_node("Identity", ["go_on"], ["again"])],
        "body",
        [scalar, flag, before],
        [again, after],
    )
    x, y = (models.tensor(name, TensorProto.FLOAT, [1]) for name in "xy")
    loop = helper.make_node("Loop", ["count", "go", "x"], ["y"], body=body)
    return models.model([loop], [x], [y], [one, count, go])
