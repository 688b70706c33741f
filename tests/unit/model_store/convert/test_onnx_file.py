"""What is ONNX already: told by its bytes, taken as it is, asked as it stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from model_store.convert import onnx_file
from model_store.convert.onnx_wire import Envelope, envelope
from model_store.convert.source import LoadOptions
from model_store.gate import examine
from model_store.gate.check import check
from model_store.gate.onnx_source import read_onnx
from model_store.gate.steps import GateOptions, GateRejected
from tests.build import models
from warmstart.errors import UnsupportedModel

NO_OPTIONS = LoadOptions()
ROWS = {"x": np.array([[1.0, 2.0]])}


def written(folder: Path, body: bytes, name: str = "model.bin") -> Path:
    path = folder / name
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("body", [models.scale(), models.zipmap(), models.add(), models.identity(8)])
def test_onnx_is_recognised_by_its_content(tmp_path: Path, body: bytes) -> None:
    path = written(tmp_path, body)

    assert envelope(path) == Envelope(("", "ai.onnx.ml"))
    assert onnx_file.recognises(path)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a,b\n1,2\n",
        b"PK\x03\x04archive",
        b"\x80\x04\x95pickle",
        b'{"learner": {}}',
        b"tree\nversion=v4\n",
        bytes(100),
        b"\xff" * 100,
        bytes([0x08, 1, 0x12, 3]) + b"abc",  # TensorFlow's SavedModel begins as ONNX does
    ],
)
def test_other_files_are_not_recognised(tmp_path: Path, body: bytes) -> None:
    assert not onnx_file.recognises(written(tmp_path, body))


def test_a_folder_is_not_recognised(tmp_path: Path) -> None:
    assert not onnx_file.recognises(tmp_path)


def test_a_truncated_model_is_recognised_and_says_how_much_is_missing(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.ones(1000, np.float32), "w")
    y = models.tensor("y", TensorProto.FLOAT, ["batch", 1000])
    x = models.tensor("x", TensorProto.FLOAT, ["batch", 1000])
    body = models.model([helper.make_node("Mul", ["x", "w"], ["y"])], [x], [y], [weight])
    graph_bytes = onnx.load_model_from_string(body).graph.ByteSize()
    path = written(tmp_path, body[:1000])

    found = envelope(path)

    assert found is not None
    assert graph_bytes - 1000 < found.missing_bytes < graph_bytes
    with pytest.raises(UnsupportedModel, match=f"ends in the middle, at least {found.missing_bytes} bytes are missing"):
        onnx_file.load(path, NO_OPTIONS)


def test_operators_of_the_extensions_are_seen_without_reading_the_graph(tmp_path: Path) -> None:
    t, n = models.tensor("t", TensorProto.STRING, ["batch"]), models.tensor("n", TensorProto.STRING, ["batch"])
    node = helper.make_node("StringUpper", ["t"], ["n"], domain="ai.onnx.contrib")
    model = models.unchecked([node], [t], [n])
    model.opset_import.add(domain="ai.onnx.contrib", version=1)
    path = written(tmp_path, model.SerializeToString())

    assert onnx_file.load(path, NO_OPTIONS).convert(tmp_path, None).extensions


def test_a_file_is_taken_where_it_lies(tmp_path: Path) -> None:
    path = written(tmp_path, models.scale())
    converted = onnx_file.load(path, NO_OPTIONS).convert(tmp_path / "elsewhere", None)

    assert (converted.graph, converted.extensions) == (path, False)


def test_rows_are_cast_to_the_graphs_datatypes(tmp_path: Path) -> None:
    source = onnx_file.load(written(tmp_path, models.scale()), NO_OPTIONS)

    got = source.predict({"x": np.array([[1, 2]])})["y"]

    assert (got.tolist(), got.dtype.name) == ([[2.0, 4.0]], "float32")


def test_a_model_of_this_process_is_written_into_the_folder(tmp_path: Path) -> None:
    source = onnx_file.adopt(onnx.load_model_from_string(models.scale(3.0)), NO_OPTIONS)
    assert source is not None

    before = source.predict(ROWS)["y"].tolist()
    converted = source.convert(tmp_path, None)

    assert converted.graph == tmp_path / "model.onnx"
    assert read_onnx(converted.graph).signature.inputs[0].name == "x"
    assert before == source.predict(ROWS)["y"].tolist() == [[3.0, 6.0]]
    assert source.origin.kind == "ModelProto"


def test_a_model_of_this_process_whose_weights_are_elsewhere_is_refused(tmp_path: Path) -> None:
    model = onnx.load_model(models.with_external_data(tmp_path), load_external_data=False)

    with pytest.raises(UnsupportedModel, match=r"its weights \(weights and 0 more\) are in another file"):
        onnx_file.adopt(model, NO_OPTIONS)


def test_another_object_is_not_adopted() -> None:
    assert onnx_file.adopt(np.zeros(3), NO_OPTIONS) is None
    assert onnx_file.adopt(TensorProto(), NO_OPTIONS) is None


def test_a_model_with_external_data_goes_through_check(tmp_path: Path) -> None:
    source = onnx_file.load(models.with_external_data(tmp_path), NO_OPTIONS)

    outcome = check(source.convert(tmp_path, None), GateOptions())

    assert [name for name, _ in outcome.value.layout.files] == ["model.onnx", "weights.bin"]


def test_a_model_of_this_process_goes_through_the_gate_until_its_sample_is_read(tmp_path: Path) -> None:
    model = onnx.load_model_from_string(models.scale())

    with pytest.raises(GateRejected, match=r"^load: "):
        examine(model, "scale", tmp_path, GateOptions(sample=tmp_path / "missing.csv"))
