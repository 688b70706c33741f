"""Read what an .onnx file takes and gives, and which files belong to it; refuse what cannot be served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from model_store import keys
from model_store.gate.candidate import Layout, open_session
from model_store.gate.onnx_tensors import all_tensors, refuse_bombs
from model_store.manifest import RunOptions
from warmstart.datatypes import DATATYPES, from_onnx_code
from warmstart.errors import Unreachable, UnsupportedModel
from warmstart.tensors import ANY, Signature, TensorSpec

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

GRAPH: Final = "model.onnx"
"""The graph's name within a version, whatever it was called before."""
MAX_GRAPH_BYTES: Final = 2**31 - 1
"""A serialized protocol buffer is smaller than 2 GiB: protobuf.dev, "Proto Limits"."""
MAX_VERSION_BYTES: Final = 10_240 * 1024 * 1024
"""A version has to fit into Lambda's /tmp: Lambda developer guide, "Lambda quotas"."""
_MAX_LOCATION_BYTES: Final = 255
_RESERVED: Final = keys.RESERVED | {GRAPH}
_ZIPMAP_OFF: Final = "convert it without ZipMap: `to_onnx(model, sample, options={id(model): {'zipmap': False}})`"


class OnnxSource(NamedTuple):
    """A model as it is published: its signature, and (name within the version, file) with the graph first."""

    signature: Signature
    files: tuple[tuple[str, Path], ...]


def read_onnx(path: Path) -> OnnxSource:
    """Read a model, external data included, and see that ONNX Runtime loads it.

    Raises: UnsupportedModel, saying what was expected and how to get there; Unreachable if a package is missing.
    """
    model = parse(path)
    refuse_values(path, model)
    files = files_of(path, model)
    refuse_bombs(path, model)
    layout = Layout(files, RunOptions(optimise=False))
    shapes = {output.name: output.shape for output in open_session(layout).get_outputs()}
    return OnnxSource(signature_of(path, model, shapes), files)


def files_of(path: Path, model: ModelProto) -> tuple[tuple[str, Path], ...]:
    """List the model's files by their names within the version, the graph first, each at its place.

    Raises: UnsupportedModel if one is missing, lies elsewhere, or all are too large.
    """
    files = ((GRAPH, path), *_external_files(path, model))
    if (total := sum(file.stat().st_size for _, file in files)) > MAX_VERSION_BYTES:
        raise UnsupportedModel(f"{path}: expected at most {MAX_VERSION_BYTES} bytes (Lambda's /tmp), got {total}")
    return files


def signature_of(path: Path, model: ModelProto, inferred: Mapping[str, Sequence[int | str | None]]) -> Signature:
    """Read what the graph takes and gives. `inferred` are the outputs' shapes as ONNX Runtime sees them.

    Raises: UnsupportedModel for what is no tensor that a request can carry.
    """
    inputs = tuple(_spec(path, "input", value, None) for value in inputs_of(model))
    outputs = tuple(_spec(path, "output", value, inferred.get(value.name)) for value in model.graph.output)
    return Signature(inputs, outputs)


def parse(path: Path) -> ModelProto:
    """Read the graph. Raises: UnsupportedModel if it is none, or too large to be one; Unreachable without onnx."""
    if not path.is_file():
        raise UnsupportedModel(f"{path}: expected an .onnx file, found {'a folder' if path.is_dir() else 'nothing'}")
    if (size := path.stat().st_size) > MAX_GRAPH_BYTES:
        raise UnsupportedModel(f"{path}: expected at most {MAX_GRAPH_BYTES} bytes, got {size}: use external data")
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise Unreachable(f"publishing needs the package {error.name}: pip install 'warmstart[convert]'") from error
    try:
        model: ModelProto = onnx.load_model_from_string(path.read_bytes())
    except DecodeError as error:
        raise UnsupportedModel(
            f"{path}: not an ONNX model: {error}; convert it first: the gate does, from the model itself"
        ) from error
    if not model.graph.output:
        raise UnsupportedModel(f"{path}: not an ONNX model: its graph has no outputs")
    return model


def inputs_of(model: ModelProto) -> list[ValueInfoProto]:
    """List the inputs that a request gives: a constant may be declared as input too, and is none."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constants]


def refuse_values(path: Path, model: ModelProto) -> None:
    """Refuse inputs and outputs that no request or answer can carry. Raises: UnsupportedModel."""
    takes_text = any(value.type.tensor_type.elem_type == DATATYPES["BYTES"].onnx_code for value in inputs_of(model))
    for role, values in (("input", inputs_of(model)), ("output", model.graph.output)):
        for value in values:
            if not isinstance(value.name, str):  # protobuf's word for what is not UTF-8
                raise UnsupportedModel(f"{path}: {role} {value.name!r}: expected a name in UTF-8: export it again")
            where = f"{path}: {role} {value.name!r}"
            if _datatype(where, value) == "BF16" and role == "output" and takes_text:
                raise UnsupportedModel(
                    f"{where}: ONNX Runtime cannot take text and give BF16: cast the output to FP32 inside the model"
                )


def _datatype(where: str, value: ValueInfoProto) -> str:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        hint = _ZIPMAP_OFF if kind == "sequence_type" else "replace it by a tensor"
        raise UnsupportedModel(f"{where}: expected a tensor, got a {str(kind).removesuffix('_type')}; {hint}")
    code = value.type.tensor_type.elem_type
    if (datatype := from_onnx_code(code)) is None:
        raise UnsupportedModel(f"{where}: its element type {code} is none that a request can carry")
    return datatype.name


def _spec(path: Path, role: str, value: ValueInfoProto, inferred: Sequence[int | str | None] | None) -> TensorSpec:
    where = f"{path}: {role} {value.name!r}"
    datatype, tensor = _datatype(where, value), value.type.tensor_type
    if tensor.HasField("shape"):
        return TensorSpec(value.name, datatype, tuple(_size(dim) for dim in tensor.shape.dim))
    if not inferred:
        raise UnsupportedModel(f"{where}: expected a declared number of dimensions: export it with a shape")
    return TensorSpec(value.name, datatype, tuple(d if isinstance(d, int) and d > 0 else ANY for d in inferred))


def _size(dim: Any) -> int:
    return int(dim.dim_value) if dim.HasField("dim_value") and dim.dim_value > 0 else ANY


def _external_files(path: Path, model: ModelProto) -> list[tuple[str, Path]]:
    """List the files beside the graph that hold its tensors' data, each once."""
    entries = (entry for tensor in all_tensors(model) for entry in tensor.external_data if entry.key == "location")
    return [(location, _beside(path, location)) for location in dict.fromkeys(entry.value for entry in entries)]


def _beside(path: Path, location: str | bytes) -> Path:
    if isinstance(location, bytes) or "\0" in location or len(location.encode()) > _MAX_LOCATION_BYTES:
        raise UnsupportedModel(
            f"{path}: external data {location[:80]!r}: expected a file's name, in UTF-8: save it again"
        )
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
