"""Small changes to an ONNX graph that a converter wrote: names, shapes, columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto


def rename_output(graph: GraphProto, old: str, new: str) -> None:
    """Give an output another name. What else is called so is renamed with it."""
    if old == new:
        return
    if any(new in (*node.input, *node.output) for node in graph.node):
        rename(graph, new, f"{new}_inside")
    rename(graph, old, new)


def rename(graph: GraphProto, old: str, new: str) -> None:
    """Rename a value wherever it stands in this graph (not in the graphs of its loops)."""
    for node in graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == old:
                    names[index] = new
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.name == old:
            value.name = new


def append(graph: GraphProto, name: str, nodes: Sequence[tuple[str, Sequence[str], Mapping[str, Any]]]) -> None:
    """Put a chain of nodes behind an output, which keeps its name.

    A node is (operator, its inputs after the first, its attributes); the first input is what came before.
    """
    from onnx import helper

    before = f"{name}_0"
    while any(before in (*node.input, *node.output) for node in graph.node):
        before += "_"
    rename(graph, name, before)
    next(value for value in graph.output if value.name == before).name = name
    last = len(nodes) - 1
    for index, (operator, more, attributes) in enumerate(nodes):
        after = name if index == last else f"{before}_{index + 1}"
        graph.node.append(helper.make_node(operator, [before, *more], [after], **attributes))
        before = after


def constant(graph: GraphProto, name: str, values: Any) -> str:
    """Add a constant, and return its name."""
    from onnx import numpy_helper

    graph.initializer.append(numpy_helper.from_array(values, name))
    return name


def declare_output(graph: GraphProto, name: str, code: int, shape: Sequence[int | str]) -> None:
    """Say an output's element type and shape anew; a name stands for a size that is open."""
    from onnx import helper

    position = next((index for index, value in enumerate(graph.output) if value.name == name), None)
    declared = helper.make_tensor_value_info(name, code, shape)
    if position is None:
        graph.output.append(declared)
    else:
        graph.output[position].CopyFrom(declared)


def join_columns(model: ModelProto, input_name: str, columns: Sequence[tuple[str, int]]) -> None:
    """Replace the one input of shape (rows, features) by one per column, (rows, 1), each with its element type.

    What is no number of FP32 is cast.
    """
    from onnx import TensorProto, helper

    graph = model.graph
    joined = "joined_columns"
    rename(graph, input_name, joined)
    del graph.input[:]
    nodes, parts = list[Any](), list[str]()
    for index, (name, code) in enumerate(columns):
        graph.input.append(helper.make_tensor_value_info(name, code, ["batch", 1]))
        parts.append(name if code == TensorProto.FLOAT else f"column_{index}")
        if code != TensorProto.FLOAT:
            nodes.append(helper.make_node("Cast", [name], [parts[-1]], to=TensorProto.FLOAT))
    nodes.append(helper.make_node("Concat", parts, [joined], axis=1))
    _prepend(graph, nodes)


def _prepend(graph: GraphProto, nodes: Sequence[NodeProto]) -> None:
    kept = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *kept])
