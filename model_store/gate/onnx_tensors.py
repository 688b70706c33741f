"""All tensors and nodes of a graph, those of its subgraphs and functions included, and how large they say they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Final

from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

MAX_TENSOR_BYTES: Final = 10_240 * 2**20
"""A larger tensor fits into no function's memory: Lambda developer guide, "Lambda quotas"."""
_BITS: Final = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128}
"""Bits of an element by `TensorProto.DataType`; of types that are not listed (8 bit and smaller) at least 2."""
_SHAPED: Final = frozenset({"ConstantOfShape", "RandomNormal", "RandomUniform", "Expand"})
"""Operators that make a tensor as large as a constant says."""


def all_graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """Walk a graph and its subgraphs, depth first."""
    yield graph
    for node in graph.node:
        yield from _subgraphs(node)


def all_nodes(model: ModelProto) -> Iterator[NodeProto]:
    """Walk the nodes of the graph, its subgraphs, and the model's own functions."""
    for graph in all_graphs(model.graph):
        yield from graph.node
    for function in model.functions:
        for node in function.node:
            yield node
            for graph in _subgraphs(node):
                yield from graph.node


def all_tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Walk the tensors whose data the model has: initializers, sparse ones, and attributes of nodes."""
    graphs = list(all_graphs(model.graph))
    graphs += [graph for function in model.functions for node in function.node for graph in _subgraphs(node)]
    for graph in graphs:
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in all_nodes(model):
        for attribute in node.attribute:
            yield from _own_tensors(attribute)


def _subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            yield from all_graphs(graph)


def _own_tensors(attribute: AttributeProto) -> Iterator[TensorProto]:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors
    sparse = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
    for tensor in (*sparse, *attribute.sparse_tensors):
        yield from (tensor.values, tensor.indices)


def parameters(model: ModelProto) -> int:
    """Count the elements of the initializers."""
    return sum(prod(tensor.dims) for graph in all_graphs(model.graph) for tensor in graph.initializer)


def refuse_bombs(path: Path, model: ModelProto) -> None:
    """Refuse sizes that are declared and not there, or that no function has room for; nothing is allocated.

    Raises: UnsupportedModel.
    """
    for tensor in all_tensors(model):
        _check_data(path, tensor)
    for graph in all_graphs(model.graph):
        for sparse in graph.sparse_initializer:
            _check_size(path, f"sparse initializer {sparse.values.name!r}", sparse.dims, sparse.values.data_type)
        for value in (*graph.input, *graph.output, *graph.value_info):
            _check_value(path, value)
        _check_made(path, graph)


def _check_data(path: Path, tensor: TensorProto) -> None:
    """Compare a tensor's declared size with the data that is there."""
    what = f"tensor {tensor.name!r}"
    if any(size < 0 for size in tensor.dims):
        raise UnsupportedModel(f"{path}: {what}: expected sizes of 0 or more, got {list(tensor.dims)}: export it again")
    elements = prod(tensor.dims)
    needed, there = _bytes(elements, tensor.data_type), _bytes_there(path, tensor)
    if needed > there:
        raise UnsupportedModel(
            f"{path}: {what} declares {list(tensor.dims)}, {elements} elements or at least {needed} bytes, and has "
            f"{there} bytes of data: the file is damaged, or made to exhaust memory; export it again"
        )
    _check_size(path, what, tensor.dims, tensor.data_type)


def _bytes_there(path: Path, tensor: TensorProto) -> int:
    """Count the bytes that a tensor's data has at most, wherever it is."""
    if tensor.external_data:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        size = int((path.parent / entries.get("location", "")).stat().st_size)
        offset, length = _whole(path, entries.get("offset", "0")), _whole(path, entries.get("length", str(size)))
        return max(0, min(length, size - offset))
    if tensor.data_type == tensor.STRING:
        return len(tensor.string_data)
    lists = (tensor.float_data, tensor.int32_data, tensor.int64_data, tensor.double_data, tensor.uint64_data)
    return max(len(tensor.raw_data), 8 * max(len(values) for values in lists))


def _whole(path: Path, text: str) -> int:
    if not text.isdecimal():
        raise UnsupportedModel(f"{path}: external data: expected a number of bytes, got {text[:40]!r}: export it again")
    return int(text)


def _bytes(elements: int, code: int) -> int:
    """Give the bytes that so many elements have at least; of strings, one byte each."""
    return -(-elements * (8 if code == 8 else _BITS.get(code, 2)) // 8)


def _check_size(path: Path, what: str, dims: Sequence[int], code: int) -> None:
    if (needed := _bytes(prod(dims), code)) > MAX_TENSOR_BYTES:
        raise UnsupportedModel(
            f"{path}: {what} declares {list(dims)}, {needed} bytes: expected at most {MAX_TENSOR_BYTES}, "
            "the memory of the largest function; export a smaller model"
        )


def _check_value(path: Path, value: ValueInfoProto) -> None:
    """Check a declared shape; free dimensions count as 1."""
    tensor = value.type.tensor_type
    sizes = [dim.dim_value for dim in tensor.shape.dim if dim.HasField("dim_value")]
    if any(size < 0 for size in sizes):
        return  # some exporters write -1 for "any"
    _check_size(path, f"value {value.name!r}", [size for size in sizes if size], tensor.elem_type)


def _check_made(path: Path, graph: GraphProto) -> None:
    """Check the operators that make a tensor of a constant shape: a few bytes that ask for terabytes."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            constants[node.output[0]] = node.attribute[0].t
    for node in graph.node:
        if node.op_type not in _SHAPED or node.domain not in ("", "ai.onnx"):
            continue
        shape = _shape_of(node, constants)
        if shape and min(shape) >= 0:
            _check_size(path, f"{node.op_type} {node.name or node.output[0]!r}", shape, 2)


def _shape_of(node: NodeProto, constants: dict[str, TensorProto]) -> list[int]:
    if node.op_type.startswith("Random"):
        return [size for attribute in node.attribute if attribute.name == "shape" for size in attribute.ints]
    tensor = constants.get(node.input[-1]) if node.input else None
    if tensor is None or tensor.external_data or tensor.data_type != tensor.INT64 or prod(tensor.dims) > 64:
        return []
    from onnx import numpy_helper

    return [int(size) for size in numpy_helper.to_array(tensor).reshape(-1)]
