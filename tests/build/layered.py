"""Small models with weights enough to be laid out in more than one way, as candidates of the gate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from model_store.gate.candidate import Candidate, Layout
from model_store.gate.onnx_source import read_onnx
from model_store.manifest import RunOptions
from tests.build import models

ROWS = np.random.default_rng(7).standard_normal((200, 16)).astype(np.float32)
CLASSES = ("left", "right")


def candidate(folder: Path, graph: bytes, *, labels: tuple[str | int, ...] = ()) -> Candidate:
    """Put a graph into a folder, as the gate's check lets it through."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(graph)
    source = read_onnx(folder / "model.onnx")
    return Candidate(signature=source.signature, layout=Layout(source.files, RunOptions()), labels=labels)


def dense(inner: int = 600) -> bytes:
    """Three dense layers, x (batch, 16) to y (batch, 2), of `inner` * 600 * 4 bytes and some: 1.4 MB with 600."""
    rng = np.random.default_rng(1)
    first, second, third = (
        numpy_helper.from_array((rng.standard_normal(shape) / shape[0] ** 0.5).astype(np.float32), name)
        for name, shape in (("w1", (16, 600)), ("w2", (600, inner)), ("w3", (inner, 2)))
    )
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["h1"]),
        helper.make_node("Relu", ["h1"], ["r1"]),
        helper.make_node("MatMul", ["r1", "w2"], ["h2"]),
        helper.make_node("Relu", ["h2"], ["r2"]),
        helper.make_node("MatMul", ["r2", "w3"], ["y"]),
    ]
    x, y = (models.tensor(name, TensorProto.FLOAT, ["batch", size]) for name, size in (("x", 16), ("y", 2)))
    return models.model(nodes, [x], [y], [first, second, third])


def convolution(channels: int = 176) -> bytes:
    """Three convolutions, x (batch, 16, 5, 5) to y (batch, 16, 5, 5); 1.1 MB with 176 channels."""
    rng = np.random.default_rng(2)
    shapes = {"k1": (channels, 16, 3, 3), "k2": (channels, channels, 3, 3), "k3": (16, channels, 1, 1)}
    kernels = [
        numpy_helper.from_array((rng.standard_normal(shape) * 0.05).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Conv", ["x", "k1"], ["h1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["h1"], ["r1"]),
        helper.make_node("Conv", ["r1", "k2"], ["h2"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["h2"], ["r2"]),
        helper.make_node("Conv", ["r2", "k3"], ["y"]),
    ]
    x, y = (models.tensor(name, TensorProto.FLOAT, ["batch", 16, 5, 5]) for name in "xy")
    return models.model(nodes, [x], [y], kernels)


def images(rows: int = 3) -> NDArray[np.float32]:
    """Rows for `convolution`."""
    return np.random.default_rng(3).standard_normal((rows, 16, 5, 5)).astype(np.float32)


def candidate_of(given: Candidate, files: tuple[tuple[str, Path], ...]) -> Candidate:
    """Give a candidate other files, the graph first."""
    return Candidate(signature=given.signature, layout=Layout(files, given.layout.run))
