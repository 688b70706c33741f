"""A classifier of three flowers, with the scores that the documentation shows."""

from __future__ import annotations

import numpy as np
from onnx import helper, numpy_helper

from tests.build import models
from warmstart.tensors import Signature, TensorSpec

LABELS = ("setosa", "versicolor", "virginica")
SIGNATURE = Signature(
    (TensorSpec("X", "FP32", (-1, 4)),),
    (TensorSpec("label", "INT64", (-1,)), TensorSpec("probabilities", "FP32", (-1, 3))),
)


def graph() -> bytes:
    """Scores that the documentation can show: those of its two flowers, told apart by their third value."""
    table = np.array([[0.75, 0.25, 0.0], [0.0, 0.5, 0.5]], np.float32)
    nodes = [
        helper.make_node("Gather", ["X", "column"], ["petal"], axis=1),
        helper.make_node("Greater", ["petal", "limit"], ["is_long"]),
        helper.make_node("Cast", ["is_long"], ["row"], to=7),
        helper.make_node("Gather", ["table", "row"], ["probabilities"], axis=0),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    weights = [
        numpy_helper.from_array(np.array(2, np.int64), "column"),
        numpy_helper.from_array(np.array(2.5, np.float32), "limit"),
        numpy_helper.from_array(table, "table"),
    ]
    outputs = [models.tensor("label", 7, ["batch"]), models.tensor("probabilities", 1, ["batch", 3])]
    return models.model(nodes, [models.tensor("X", 1, ["batch", 4])], outputs, weights)
