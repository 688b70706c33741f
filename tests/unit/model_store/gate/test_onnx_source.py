"""What an .onnx file is read as, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from model_store.gate.onnx_source import read_onnx
from tests.build import models
from warmstart.datatypes import DATATYPES
from warmstart.errors import UnsupportedModel
from warmstart.tensors import Signature, TensorSpec


def written(folder: Path, body: bytes) -> Path:
    path = folder / "source.onnx"
    path.write_bytes(body)
    return path


def test_a_signature_has_every_input_and_output_with_free_dimensions_as_minus_one(tmp_path: Path) -> None:
    read = read_onnx(written(tmp_path, models.add()))

    assert read.signature == Signature(
        (TensorSpec("a", "FP32", (-1, 1)), TensorSpec("b", "FP32", (-1, 1))), (TensorSpec("sum", "FP32", (-1, 1)),)
    )
    assert read.files == (("model.onnx", tmp_path / "source.onnx"),)


@pytest.mark.parametrize("name", DATATYPES)
def test_every_datatype_is_read(tmp_path: Path, name: str) -> None:
    read = read_onnx(written(tmp_path, models.identity(DATATYPES[name].onnx_code, [None, 3])))

    assert read.signature.inputs == (TensorSpec("x", name, (-1, 3)),)


def test_a_scalar_has_no_dimensions(tmp_path: Path) -> None:
    read = read_onnx(written(tmp_path, models.identity(shape=[])))

    assert read.signature.inputs == (TensorSpec("x", "FP32", ()),)


def test_a_constant_that_is_declared_as_input_is_no_input(tmp_path: Path) -> None:
    factor = numpy_helper.from_array(np.array([2.0, 3.0], np.float32), "factor")
    x, y = (models.tensor(name, TensorProto.FLOAT, ["batch", 2]) for name in "xy")
    declared = models.tensor("factor", TensorProto.FLOAT, [2])
    body = models.model([helper.make_node("Mul", ["x", "factor"], ["y"])], [x, declared], [y], [factor])

    assert [spec.name for spec in read_onnx(written(tmp_path, body)).signature.inputs] == ["x"]


def test_an_output_without_a_shape_gets_the_inferred_one(tmp_path: Path) -> None:
    x, y = models.tensor("x", TensorProto.FLOAT, ["batch", 2]), models.tensor("y", TensorProto.FLOAT, None)
    body = models.unchecked([helper.make_node("Identity", ["x"], ["y"])], [x], [y]).SerializeToString()

    assert read_onnx(written(tmp_path, body)).signature.outputs == (TensorSpec("y", "FP32", (-1, 2)),)


def test_an_input_without_a_shape_is_refused(tmp_path: Path) -> None:
    x, y = models.tensor("x", TensorProto.FLOAT, None), models.tensor("y", TensorProto.FLOAT, [1])
    body = models.unchecked([helper.make_node("Identity", ["x"], ["y"])], [x], [y]).SerializeToString()

    with pytest.raises(UnsupportedModel, match="input 'x': expected a declared number of dimensions"):
        read_onnx(written(tmp_path, body))


def test_zipmap_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"output 'probabilities': expected a tensor, got a sequence; .*zipmap"):
        read_onnx(written(tmp_path, models.zipmap()))


def test_an_element_type_that_no_request_can_carry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="input 'x': its element type 17"):
        read_onnx(written(tmp_path, models.identity(TensorProto.FLOAT8E4M3FN, [1])))


def test_external_data_belongs_to_the_model(tmp_path: Path) -> None:
    path = models.with_external_data(tmp_path, location="data/weights.bin")

    assert read_onnx(path).files == (("model.onnx", path), ("data/weights.bin", tmp_path / "data/weights.bin"))


def test_external_data_of_a_subgraph_belongs_to_the_model(tmp_path: Path) -> None:
    path = written(tmp_path, branching(tmp_path))

    assert [name for name, _ in read_onnx(path).files] == ["model.onnx", "branch.bin"]


def branching(folder: Path) -> bytes:
    """Give y = x or x + 1, the 1 outside of the file."""
    (folder / "branch.bin").write_bytes(np.array([1.0], np.float32).tobytes())
    one = TensorProto(name="one", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    one.external_data.add(key="location", value="branch.bin")
    y = models.tensor("y", TensorProto.FLOAT, [1])
    added = helper.make_graph([helper.make_node("Add", ["x", "one"], ["y"])], "added", [], [y], [one])
    same = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", [], [y])
    choose = helper.make_node("If", ["condition"], ["y"], then_branch=added, else_branch=same)
    inputs = [models.tensor("x", TensorProto.FLOAT, [1]), models.tensor("condition", TensorProto.BOOL, [])]
    return models.unchecked([choose], inputs, [y]).SerializeToString()


def test_missing_external_data_is_named(tmp_path: Path) -> None:
    path = models.with_external_data(tmp_path)
    (tmp_path / "weights.bin").unlink()

    with pytest.raises(UnsupportedModel, match=r"external data 'weights\.bin' is missing"):
        read_onnx(path)


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", "a/../../w", "./w", ""])
def test_external_data_outside_of_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    path = models.with_external_data(tmp_path)
    relocate(path, location)

    with pytest.raises(UnsupportedModel, match="does not lie beside the graph"):
        read_onnx(path)


@pytest.mark.parametrize("location", ["w\0", "w" * 300])
def test_external_data_under_no_possible_name_is_refused(tmp_path: Path, location: str) -> None:
    path = models.with_external_data(tmp_path)
    relocate(path, location)

    with pytest.raises(UnsupportedModel, match="expected a file's name, in UTF-8"):
        read_onnx(path)


@pytest.mark.parametrize(("name", "message"), [(b"weights.bin", "expected a file's name"), (b"\x0a\x01x", "in UTF-8")])
def test_names_that_are_not_utf_8_are_refused(tmp_path: Path, name: bytes, message: str) -> None:
    path = models.with_external_data(tmp_path)
    path.write_bytes(path.read_bytes().replace(name, name[:-1] + b"\xe9"))

    with pytest.raises(UnsupportedModel, match=message):
        read_onnx(path)


@pytest.mark.parametrize("location", ["manifest.json", "claim.json", "signature.json", "gate.json", "model.onnx"])
def test_external_data_under_a_name_of_ours_is_refused(tmp_path: Path, location: str) -> None:
    path = models.with_external_data(tmp_path)
    relocate(path, location)

    with pytest.raises(UnsupportedModel, match=f"may not be called '{location}'"):
        read_onnx(path)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    path = models.with_external_data(tmp_path / "model")
    (tmp_path / "elsewhere").write_bytes(b"secret")
    (tmp_path / "model" / "weights.bin").unlink()
    (tmp_path / "model" / "weights.bin").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(UnsupportedModel, match="is a link out of the graph's folder"):
        read_onnx(path)


def relocate(path: Path, location: str) -> None:
    """Write another location of the external data into a graph of `with_external_data`."""
    import onnx

    model = onnx.load_model_from_string(path.read_bytes())
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = location
    path.write_bytes(model.SerializeToString())


def test_a_version_that_lambda_has_no_room_for_is_refused(tmp_path: Path) -> None:
    path = models.with_external_data(tmp_path)
    with (tmp_path / "weights.bin").open("r+b") as file:
        file.truncate(10_240 * 1024 * 1024)  # sparse: takes no room

    with pytest.raises(UnsupportedModel, match="expected at most 10737418240 bytes"):
        read_onnx(path)


def test_a_graph_above_the_limit_of_protobuf_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, b"")
    with path.open("r+b") as file:
        file.truncate(2**31)

    with pytest.raises(UnsupportedModel, match="use external data"):
        read_onnx(path)


@pytest.mark.parametrize("body", [b"", b"not a model", b"\x80\x04\x95pickle"])
def test_what_is_no_model_is_refused(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(UnsupportedModel, match="not an ONNX model"):
        read_onnx(written(tmp_path, body))


def test_a_pickle_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="convert it first: the gate does, from the model itself"):
        read_onnx(written(tmp_path, b"\x80\x04\x95pickle"))


def test_a_model_that_onnx_runtime_does_not_load_is_refused(tmp_path: Path) -> None:
    x, y = (models.tensor(name, TensorProto.FLOAT, [1]) for name in "xy")
    body = models.unchecked([helper.make_node("NoSuchOperator", ["x"], ["y"])], [x], [y]).SerializeToString()

    with pytest.raises(UnsupportedModel, match=r"ONNX Runtime [0-9.]+ does not load it: .*NoSuchOperator"):
        read_onnx(written(tmp_path, body))


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"expected an \.onnx file, found nothing"):
        read_onnx(tmp_path / "missing.onnx")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"expected an \.onnx file, found a folder"):
        read_onnx(tmp_path)
