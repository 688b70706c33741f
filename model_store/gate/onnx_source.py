"""Read what an .onnx file takes and gives, and which files belong to it; refuse what cannot be served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from model_store import keys
from warmstart.datatypes import from_onnx_code
from warmstart.errors import Unreachable, UnsupportedModel
from warmstart.tensors import ANY, Signature, TensorSpec

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

GRAPH: Final = "model.onnx"
"""The graph's name within a version, whatever it was called before."""
MAX_GRAPH_BYTES: Final = 2**31 - 1
"""A serialized protocol buffer is smaller than 2 GiB: protobuf.dev, "Proto Limits"."""
MAX_VERSION_BYTES: Final = 10_240 * 1024 * 1024
"""A version has to fit into Lambda's /tmp: Lambda developer guide, "Lambda quotas"."""
_RESERVED: Final = (GRAPH, keys.MANIFEST, keys.CLAIM)
_ZIPMAP_OFF: Final = "convert it without ZipMap: `to_onnx(model, sample, options={id(model): {'zipmap': False}})`"


class OnnxSource(NamedTuple):
    """A model as it is published: its signature, and (name within the version, file) with the graph first."""

    signature: Signature
    files: tuple[tuple[str, Path], ...]


def read_onnx(path: Path) -> OnnxSource:
    """Read a model, external data included, and see that ONNX Runtime loads it.

    Raises: UnsupportedModel, saying what was expected and how to get there; Unreachable if a package is missing.
    """
    if not path.is_file():
        raise UnsupportedModel(f"{path}: expected an .onnx file, found {'a folder' if path.is_dir() else 'nothing'}")
    if (size := path.stat().st_size) > MAX_GRAPH_BYTES:
        raise UnsupportedModel(f"{path}: expected at most {MAX_GRAPH_BYTES} bytes, got {size}: use external data")
    model = _parse(path)
    files = ((GRAPH, path), *_external_files(path, model))
    if (total := sum(file.stat().st_size for _, file in files)) > MAX_VERSION_BYTES:
        raise UnsupportedModel(f"{path}: expected at most {MAX_VERSION_BYTES} bytes (Lambda's /tmp), got {total}")
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = tuple(_spec(path, "input", value, None) for value in model.graph.input if value.name not in constants)
    inferred = _loaded_output_shapes(path)
    outputs = tuple(_spec(path, "output", value, inferred.get(value.name)) for value in model.graph.output)
    return OnnxSource(Signature(inputs, outputs), files)


def _parse(path: Path) -> ModelProto:
    try:
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # protobuf ships no types
    except ImportError as error:
        raise Unreachable(f"publishing needs the package {error.name}: pip install 'warmstart[convert]'") from error
    try:
        model: ModelProto = onnx.load_model_from_string(path.read_bytes())
    except DecodeError as error:
        raise UnsupportedModel(
            f"{path}: not an ONNX model: {error}; "
            "convert it first, from scikit-learn by model_store.convert.sklearn.to_onnx"
        ) from error
    if not model.graph.output:
        raise UnsupportedModel(f"{path}: not an ONNX model: its graph has no outputs")
    return model


def _loaded_output_shapes(path: Path) -> dict[str, list[int | str | None]]:
    """Load the model as the function will, and give the outputs' shapes as ONNX Runtime infers them."""
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as refusals
    except ImportError as error:
        raise Unreachable(f"publishing needs the package {error.name}: pip install 'warmstart[convert]'") from error
    refused = (
        refusals.Fail,
        refusals.InvalidArgument,
        refusals.InvalidGraph,
        refusals.InvalidProtobuf,
        refusals.NotImplemented,
        refusals.NoSuchFile,
        refusals.RuntimeException,
    )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except refused as error:
        raise UnsupportedModel(f"{path}: ONNX Runtime {onnxruntime.__version__} does not load it: {error}") from error
    return {output.name: output.shape for output in session.get_outputs()}


def _spec(path: Path, role: str, value: ValueInfoProto, inferred: Sequence[int | str | None] | None) -> TensorSpec:
    where = f"{path}: {role} {value.name!r}"
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        hint = _ZIPMAP_OFF if kind == "sequence_type" else "replace it by a tensor"
        raise UnsupportedModel(f"{where}: expected a tensor, got a {str(kind).removesuffix('_type')}; {hint}")
    tensor = value.type.tensor_type
    if (datatype := from_onnx_code(tensor.elem_type)) is None:
        raise UnsupportedModel(f"{where}: its element type {tensor.elem_type} is none that a request can carry")
    if tensor.HasField("shape"):
        return TensorSpec(value.name, datatype.name, tuple(_size(dim) for dim in tensor.shape.dim))
    if not inferred:
        raise UnsupportedModel(f"{where}: expected a declared number of dimensions: export it with a shape")
    return TensorSpec(value.name, datatype.name, tuple(d if isinstance(d, int) and d > 0 else ANY for d in inferred))


def _size(dim: Any) -> int:
    return int(dim.dim_value) if dim.HasField("dim_value") and dim.dim_value > 0 else ANY


def _external_files(path: Path, model: ModelProto) -> list[tuple[str, Path]]:
    """List the files beside the graph that hold its tensors' data, each once."""
    tensors = [*_graph_tensors(model.graph), *(t for f in model.functions for t in _node_tensors(f.node))]
    entries = (entry for tensor in tensors for entry in tensor.external_data if entry.key == "location")
    return [(location, _beside(path, location)) for location in dict.fromkeys(entry.value for entry in entries)]


def _beside(path: Path, location: str) -> Path:
    folder, parts = path.parent.resolve(), location.split("/")
    found = (folder / location).resolve()
    if location.startswith("/") or "\\" in location or any(part in ("", ".", "..") for part in parts):
        raise UnsupportedModel(f"{path}: external data {location!r} does not lie beside the graph: save it again")
    if not found.is_relative_to(folder):
        raise UnsupportedModel(f"{path}: external data {location!r} is a link out of the graph's folder")
    if location in _RESERVED:
        raise UnsupportedModel(f"{path}: external data may not be called {location!r}: save it under another name")
    if not found.is_file():
        raise UnsupportedModel(f"{path}: its external data {location!r} is missing: expected {folder / location}")
    return found


def _graph_tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    yield from (sparse.values for sparse in graph.sparse_initializer)
    yield from _node_tensors(graph.node)


def _node_tensors(nodes: Sequence[NodeProto]) -> Iterator[TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            yield from _attribute_tensors(attribute)


def _attribute_tensors(attribute: AttributeProto) -> Iterator[TensorProto]:
    yield from (attribute.t, *attribute.tensors)
    for graph in (attribute.g, *attribute.graphs):
        yield from _graph_tensors(graph)
