"""Builders of tiny ONNX models, each one idea; all serialized, ready to be written to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, checker, helper, numpy_helper
from onnx.external_data_helper import convert_model_to_external_data

OPSET = 17
IR_VERSION = 9

Dim = int | str | None


def tensor(name: str, code: int, shape: Sequence[Dim] | None) -> ValueInfoProto:
    """Declare a tensor; `code` is a `TensorProto.DataType`, a dimension is a size, a name or None."""
    return helper.make_tensor_value_info(name, code, shape)


def model(
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto],
    outputs: Sequence[ValueInfoProto],
    initializers: Sequence[TensorProto] = (),
) -> bytes:
    """Assemble and serialize a model of the default operator set."""
    serialized: bytes = proto(nodes, inputs, outputs, initializers).SerializeToString()
    return serialized


def proto(
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto],
    outputs: Sequence[ValueInfoProto],
    initializers: Sequence[TensorProto] = (),
) -> ModelProto:
    """Assemble a model of the default operator set, and of `ai.onnx.ml`."""
    built = unchecked(nodes, inputs, outputs, initializers)
    checker.check_model(built)
    return built


def unchecked(
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto],
    outputs: Sequence[ValueInfoProto],
    initializers: Sequence[TensorProto] = (),
) -> ModelProto:
    """Assemble a model that may be wrong."""
    graph = helper.make_graph(list(nodes), "graph", list(inputs), list(outputs), list(initializers))
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def identity(code: int = TensorProto.FLOAT, shape: Sequence[Dim] | None = ("batch", 2)) -> bytes:
    """Give y = x, of any datatype and shape."""
    node = helper.make_node("Identity", ["x"], ["y"])
    return model([node], [tensor("x", code, shape)], [tensor("y", code, shape)])


def trees(count: int) -> bytes:
    """Give y = the share of `count` trees whose threshold (0, 1/count, 2/count, ...) is below x: FP32 (batch, 1)."""
    places = [number for number in range(count) for _ in range(3)]
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=places,
        nodes_nodeids=[0, 1, 2] * count,
        nodes_featureids=[0, 0, 0] * count,
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"] * count,
        nodes_values=[value for number in range(count) for value in (number / count, 0.0, 0.0)],
        nodes_truenodeids=[1, 0, 0] * count,
        nodes_falsenodeids=[2, 0, 0] * count,
        target_treeids=[number for number in range(count) for _ in range(2)],
        target_nodeids=[1, 2] * count,
        target_ids=[0, 0] * count,
        target_weights=[0.0, 1 / count] * count,
    )
    shape: list[Dim] = ["batch", 1]
    return model([node], [tensor("x", TensorProto.FLOAT, shape)], [tensor("y", TensorProto.FLOAT, shape)])


def bfloat16_scale(factor: float = 2.0, columns: int = 2) -> bytes:
    """Give y = factor * x, computed in FP32 between BF16 and BF16, and total: FP32 (batch, 1), the sum of y's row."""
    constants = [
        numpy_helper.from_array(np.array(factor, np.float32), "factor"),
        numpy_helper.from_array(np.array([1], np.int64), "axes"),
    ]
    nodes = [
        helper.make_node("Cast", ["x"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["wide", "factor"], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["y"], to=TensorProto.BFLOAT16),
        helper.make_node("ReduceSum", ["scaled", "axes"], ["total"], keepdims=1),
    ]
    shape: list[Dim] = ["batch", columns]
    outputs = [tensor("y", TensorProto.BFLOAT16, shape), tensor("total", TensorProto.FLOAT, ["batch", 1])]
    return model(nodes, [tensor("x", TensorProto.BFLOAT16, shape)], outputs, constants)


def text_to_bfloat16() -> bytes:
    """Give y, BF16 (batch,), the numbers that x, text, says."""
    nodes = [
        helper.make_node("Cast", ["x"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["wide"], ["y"], to=TensorProto.BFLOAT16),
    ]
    return model(nodes, [tensor("x", TensorProto.STRING, ["batch"])], [tensor("y", TensorProto.BFLOAT16, ["batch"])])


def scale(factor: float = 2.0, columns: int = 2) -> bytes:
    """Give y = factor * x: FP32, (batch, columns)."""
    weight = numpy_helper.from_array(np.array(factor, np.float32), "factor")
    node = helper.make_node("Mul", ["x", "factor"], ["y"])
    shape: list[Dim] = ["batch", columns]
    return model([node], [tensor("x", TensorProto.FLOAT, shape)], [tensor("y", TensorProto.FLOAT, shape)], [weight])


def half_plus(offset: float = 2.0) -> bytes:
    """Give y = x / 2 + offset, FP32 (batch,): the model of TensorFlow Serving's documentation."""
    constants = {"half": 0.5, "offset": offset}
    weights = [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in constants.items()]
    nodes = [helper.make_node("Mul", ["x", "half"], ["halved"]), helper.make_node("Add", ["halved", "offset"], ["y"])]
    value = tensor("x", TensorProto.FLOAT, ["batch"]), tensor("y", TensorProto.FLOAT, ["batch"])
    return model(nodes, [value[0]], [value[1]], weights)


def add() -> bytes:
    """Give sum = a + b: two FP32 inputs, (batch, 1) each, as records have them."""
    node = helper.make_node("Add", ["a", "b"], ["sum"])
    shape: list[Dim] = ["batch", 1]
    inputs = [tensor("a", TensorProto.FLOAT, shape), tensor("b", TensorProto.FLOAT, shape)]
    return model([node], inputs, [tensor("sum", TensorProto.FLOAT, shape)])


def divide() -> bytes:
    """Give y = a / b, FP32 (batch,): NaN and infinity on demand."""
    node = helper.make_node("Div", ["a", "b"], ["y"])
    inputs = [tensor("a", TensorProto.FLOAT, ["batch"]), tensor("b", TensorProto.FLOAT, ["batch"])]
    return model([node], inputs, [tensor("y", TensorProto.FLOAT, ["batch"])])


def reshape() -> bytes:
    """Give y = x reshaped to the values of `shape`: fails while it runs if the sizes differ. FP32 (n,), INT64 (2,)."""
    node = helper.make_node("Reshape", ["x", "shape"], ["y"])
    inputs = [tensor("x", TensorProto.FLOAT, ["n"]), tensor("shape", TensorProto.INT64, [2])]
    return model([node], inputs, [tensor("y", TensorProto.FLOAT, ["rows", "columns"])])


def expand() -> bytes:
    """Give y = x repeated up to the values of `shape`: a small request, any size of answer. FP32 (1,), INT64 (1,)."""
    node = helper.make_node("Expand", ["x", "shape"], ["y"])
    inputs = [tensor("x", TensorProto.FLOAT, [1]), tensor("shape", TensorProto.INT64, [1])]
    return model([node], inputs, [tensor("y", TensorProto.FLOAT, ["n"])])


def zipmap() -> bytes:
    """A classifier as skl2onnx makes it by default: its probabilities are a sequence of maps, no tensor."""
    values = helper.make_node("Identity", ["x"], ["scores"])
    node = helper.make_node("ZipMap", ["scores"], ["probabilities"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])
    floats = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
    mapped = helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.INT64, floats))
    output = helper.make_value_info("probabilities", mapped)
    return model([values, node], [tensor("x", TensorProto.FLOAT, ["batch", 2])], [output])


def weights(rows: int = 64, columns: int = 64) -> NDArray[np.float32]:
    """The weights of `with_external_data`: fixed, and different from each other."""
    return np.linspace(0, 1, rows * columns, dtype=np.float32).reshape(rows, columns)


def with_external_data(folder: Path, *, location: str = "weights.bin", rows: int = 64, columns: int = 64) -> Path:
    """Write y = x @ weights, FP32 (batch, rows) to (batch, columns), the weights in a file beside the graph."""
    weight = numpy_helper.from_array(weights(rows, columns), "weights")
    node = helper.make_node("MatMul", ["x", "weights"], ["y"])
    inputs = [tensor("x", TensorProto.FLOAT, ["batch", rows])]
    built = proto([node], inputs, [tensor("y", TensorProto.FLOAT, ["batch", columns])], [weight])
    convert_model_to_external_data(built, location=location, size_threshold=0)
    (folder / location).parent.mkdir(parents=True, exist_ok=True)
    (folder / location).write_bytes(weights(rows, columns).tobytes())
    external = built.graph.initializer[0]
    external.ClearField("raw_data")
    external.data_location = TensorProto.EXTERNAL
    path = folder / "model.onnx"
    path.write_bytes(built.SerializeToString())
    return path
