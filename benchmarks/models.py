"""The reference models: random weights, fixed seed, built once into `benchmarks/.cache/`.

tabular   random forest, 100 trees, depth 10, 30 features              1 x 30 float32
resnet    the topology of ResNet-18 (batch norms folded)               1 x 3 x 224 x 224 float32
minilm    transformer encoder, 6 layers, 384 hidden, 12 heads          1 x 128 int64, twice
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

CACHE: Final = Path(__file__).parent / ".cache"
SEED: Final = 20_260_101
OPSET: Final = 17

Array = NDArray[Any]


class Graph:
    """Collects nodes and weights; each method adds one layer and returns the name of its output."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(SEED)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def constant(self, value: Array) -> str:
        """Add a weight."""
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(value, name))
        return name

    def weight(self, *shape: int, scale: float) -> str:
        """Add a random float32 weight of this shape."""
        return self.constant((self._rng.standard_normal(shape) * scale).astype(np.float32))

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output."""
        output = f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def save(self, path: Path, inputs: list[onnx.ValueInfoProto], output: str, shape: list[int | str]) -> None:
        """Name the output `output`, check the model, write it."""
        self._nodes.append(helper.make_node("Identity", [output], ["output"]))
        result = helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, path.stem, inputs, [result], self._weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
        onnx.checker.check_model(model)
        onnx.save(model, path)


def build_tabular(path: Path) -> None:
    """Random forest on 30 random features, converted by skl2onnx."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(SEED)
    features = rng.standard_normal((4000, 30)).astype(np.float32)
    classes = (features[:, :5].sum(axis=1) + rng.standard_normal(4000) > 0).astype(np.int64)
    forest = RandomForestClassifier(100, max_depth=10, random_state=SEED).fit(features, classes)
    model = to_onnx(forest, features[:1], options={"zipmap": False}, target_opset=OPSET)
    onnx.save(model, path)


def build_resnet(path: Path) -> None:
    """ResNet-18: 7x7 stem, four stages of two basic blocks, 1,000 classes."""
    graph = Graph()

    def convolve(x: str, inputs: int, outputs: int, size: int, stride: int) -> str:
        kernel = graph.weight(outputs, inputs, size, size, scale=(2 / (inputs * size * size)) ** 0.5)
        pads = [size // 2] * 4
        return graph.node("Conv", x, kernel, graph.weight(outputs, scale=0.01), strides=[stride] * 2, pads=pads)

    x = graph.node("Relu", convolve("input", 3, 64, 7, 2))
    x = graph.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    width = 64
    for stage, channels in enumerate((64, 128, 256, 512)):
        for block in range(2):
            stride = 2 if stage and not block else 1
            shortcut = x if stride == 1 else convolve(x, width, channels, 1, stride)
            inner = graph.node("Relu", convolve(x, width, channels, 3, stride))
            x = graph.node("Relu", graph.node("Add", convolve(inner, channels, channels, 3, 1), shortcut))
            width = channels
    x = graph.node("Flatten", graph.node("GlobalAveragePool", x))
    x = graph.node("Gemm", x, graph.weight(512, 1000, scale=0.04), graph.weight(1000, scale=0.01))
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, 224, 224])
    graph.save(path, [image], x, ["batch", 1000])


def build_minilm(path: Path) -> None:
    """BERT-like encoder, 6 layers, 384 hidden, 12 heads, 30,522 words; the last hidden state."""
    graph = Graph()
    hidden, heads, inner = 384, 12, 1536

    def dense(x: str, inputs: int, outputs: int) -> str:
        product = graph.node("MatMul", x, graph.weight(inputs, outputs, scale=inputs**-0.5))
        return graph.node("Add", product, graph.weight(outputs, scale=0.01))

    def normalise(x: str) -> str:
        ones, zeros = np.ones(hidden, np.float32), np.zeros(hidden, np.float32)
        return graph.node("LayerNormalization", x, graph.constant(ones), graph.constant(zeros), axis=-1, epsilon=1e-12)

    def split(x: str, order: list[int]) -> str:
        shape = graph.constant(np.array([0, 0, heads, hidden // heads]))
        return graph.node("Transpose", graph.node("Reshape", x, shape), perm=order)

    words = graph.node("Gather", graph.weight(30_522, hidden, scale=0.02), "input_ids")
    positions = graph.weight(128, hidden, scale=0.02)
    mask = graph.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    mask = graph.node("Sub", graph.constant(np.asarray(1.0, np.float32)), mask)
    mask = graph.node("Mul", mask, graph.constant(np.asarray(-1e9, np.float32)))
    mask = graph.node("Unsqueeze", mask, graph.constant(np.array([1, 2])))
    x = normalise(graph.node("Add", words, positions))
    for _ in range(6):
        query, value = split(dense(x, hidden, hidden), [0, 2, 1, 3]), split(dense(x, hidden, hidden), [0, 2, 1, 3])
        scores = graph.node("MatMul", query, split(dense(x, hidden, hidden), [0, 2, 3, 1]))
        scores = graph.node("Mul", scores, graph.constant(np.asarray((hidden / heads) ** -0.5, np.float32)))
        attention = graph.node("Softmax", graph.node("Add", scores, mask), axis=-1)
        context = graph.node("Transpose", graph.node("MatMul", attention, value), perm=[0, 2, 1, 3])
        context = graph.node("Reshape", context, graph.constant(np.array([0, 0, hidden])))
        x = normalise(graph.node("Add", x, dense(context, hidden, hidden)))
        wide = dense(x, hidden, inner)
        erf = graph.node("Erf", graph.node("Div", wide, graph.constant(np.asarray(2**0.5, np.float32))))
        gelu = graph.node("Mul", wide, graph.node("Add", erf, graph.constant(np.asarray(1.0, np.float32))))
        gelu = graph.node("Mul", gelu, graph.constant(np.asarray(0.5, np.float32)))
        x = normalise(graph.node("Add", x, dense(gelu, inner, hidden)))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", 128])
        for name in ("input_ids", "attention_mask")
    ]
    graph.save(path, inputs, x, ["batch", 128, hidden])


BUILDERS: Final[Mapping[str, Callable[[Path], None]]] = {
    "tabular": build_tabular,
    "resnet": build_resnet,
    "minilm": build_minilm,
}


def model_path(name: str) -> Path:
    """Return the path of a reference model, building it if it is not there."""
    path = CACHE / f"{name}.onnx"
    if not path.exists():
        CACHE.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        BUILDERS[name](part)
        part.rename(path)
    return path


def sample(name: str) -> dict[str, Array]:
    """Return one request's tensors, by input name."""
    rng = np.random.default_rng(SEED)
    match name:
        case "tabular":
            return {"X": rng.standard_normal((1, 30)).astype(np.float32)}
        case "resnet":
            return {"input": rng.standard_normal((1, 3, 224, 224)).astype(np.float32)}
        case _:
            ids = rng.integers(0, 30_522, (1, 128))
            return {"input_ids": ids, "attention_mask": np.ones_like(ids)}
