"""A model that takes as long as it is told: for requests that must still run when something happens."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from tests.build.models import model, tensor

SIDE = 256


def turns() -> bytes:
    """Multiply matrices `n` times, n: INT64 [1]; y: FP32 [1], always 0. A turn takes about 0.1 ms."""
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["matrix", "weights"], ["product"]),
            helper.make_node("Identity", ["on"], ["go_on"]),
        ],
        "turn",
        [
            tensor("turn", TensorProto.INT64, ()),
            tensor("on", TensorProto.BOOL, ()),
            tensor("matrix", TensorProto.FLOAT, (SIDE, SIDE)),
        ],
        [tensor("go_on", TensorProto.BOOL, ()), tensor("product", TensorProto.FLOAT, (SIDE, SIDE))],
    )
    nodes = [
        helper.make_node("Squeeze", ["n"], ["count"]),
        helper.make_node("Loop", ["count", "yes", "weights"], ["result"], body=body),
        helper.make_node("ReduceSum", ["result"], ["total"], keepdims=0),
        helper.make_node("Unsqueeze", ["total", "axis"], ["y"]),
    ]
    constants = [
        numpy_helper.from_array(np.zeros((SIDE, SIDE), np.float32), "weights"),
        numpy_helper.from_array(np.array(True), "yes"),
        numpy_helper.from_array(np.array([0], np.int64), "axis"),
    ]
    return model(nodes, [tensor("n", TensorProto.INT64, (1,))], [tensor("y", TensorProto.FLOAT, (1,))], constants)
