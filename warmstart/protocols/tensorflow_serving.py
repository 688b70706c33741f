"""TensorFlow Serving's REST API: predict by rows or by columns, classify, regress.

Source: tensorflow/serving, docs api_rest.md; tensorflow_serving/util/json_tensor.cc for what the document leaves open:
- a tensor needs no name where the model has one input; an output has none where it has one;
- the answer's key of classify and regress is `results`, where the document says `result`;
- outputs whose names end in `_bytes` are written as `{"b64": ...}`.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import orjson

from warmstart.errors import InvalidRequest, InvalidValue, MalformedBody, UnrepresentableOutput, WrongShape
from warmstart.protocols import json_constants, media
from warmstart.protocols.json_tensors import flatten, kind_of, pack, shown
from warmstart.protocols.wire import JSON, Rendered
from warmstart.tensors import MOST_DIMENSIONS, listed

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model, Outputs, Request
    from warmstart.refs import ModelRef
    from warmstart.tensors import Tensor, TensorSpec

SIGNATURE: Final = "serving_default"
_READABLE: Final = (JSON,)


class Predict(NamedTuple):
    """What to predict: `rows` (`instances`), one value per row of the batch, or a tensor per input (`inputs`)."""

    value: Any
    rows: bool
    accept: str

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Ask for all outputs."""
        return ()

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Read the inputs, by name or by being the only one. Raises: InvalidRequest, WrongShape, InvalidValue."""
        specs = model.signature.inputs
        if self.rows:
            return rows_to_tensors(self.value, specs)
        named = self.value if _is_object(self.value) else {_only(specs, "inputs").name: self.value}
        return {name: _read(value, _spec(name, specs)) for name, value in named.items()}

    def render(self, model: Model, outputs: Outputs) -> Rendered:  # noqa: ARG002 - the protocol names no version
        """Write `predictions` or `outputs`. Raises: UnrepresentableOutput, NotAcceptable."""
        media.accepted(self.accept, _READABLE)
        if self.rows:
            return render_rows(outputs)
        found = {spec.name: _written(spec, json_constants.values(spec, array)) for spec, array in outputs}
        return _render("outputs", found if len(found) > 1 else next(iter(found.values())))


def read_predict(request: Request) -> Predict:
    """Read a predict request. Raises: UnsupportedMediaType, MalformedBody, InvalidRequest."""
    document = read_document(request)
    check_signature(document)
    keys = [key for key in ("instances", "inputs") if key in document]
    if len(keys) != 1:
        found = " and ".join(keys) if keys else f"neither (came: {listed(document)})"
        raise MalformedBody(f"body: expected 'instances' (rows) or 'inputs' (columns), got {found}")
    return Predict(document[keys[0]], keys[0] == "instances", request.headers.get("accept", ""))


def read_document(request: Request) -> dict[str, Any]:
    """Read a JSON object. Raises: UnsupportedMediaType, MalformedBody."""
    media.read_as(request.content_type, _READABLE, JSON)
    document = json_constants.load_python_json(request.body)
    if type(document) is not dict:
        raise MalformedBody(f"body: expected an object, got {kind_of(document)}")
    return document


def check_signature(document: dict[str, Any]) -> None:
    """Check which of a model's signatures is asked: ours have one. Raises: InvalidRequest."""
    name = document.get("signature_name")
    if name not in (None, "", SIGNATURE):
        raise InvalidRequest(f"signature_name: expected {SIGNATURE!r}, the only one here; got {shown(name)}")


def rows_to_tensors(rows: Any, specs: tuple[TensorSpec, ...]) -> dict[str, Tensor]:
    """Gather `instances` along the batch: values, or objects by the inputs' names. Raises: as `Predict.tensors`."""
    if type(rows) is not list or not rows:
        found = "an empty array" if rows == [] else kind_of(rows)
        raise MalformedBody(f"instances: expected a non-empty array, one element per row; got {found}")
    if not _is_object(rows[0]):
        spec = _only(specs, "instances")
        return {spec.name: _read(rows, spec)}
    names = {spec.name for spec in specs}
    for index, row in enumerate(rows):
        if not _is_object(row) or set(row) != names:
            found = listed(row) if _is_object(row) else kind_of(row)
            raise InvalidRequest(f"instances[{index}]: expected an object with {_names(specs)}; got {found}")
    return {spec.name: _read([row[spec.name] for row in rows], spec) for spec in specs}


def _is_object(value: Any) -> bool:
    return type(value) is dict and [*value] != ["b64"]


def _only(specs: tuple[TensorSpec, ...], where: str) -> TensorSpec:
    if len(specs) != 1:
        raise InvalidRequest(
            f"{where}: expected objects that name the model's {len(specs)} inputs ({_names(specs)}), got values"
        )
    return specs[0]


def _spec(name: str, specs: tuple[TensorSpec, ...]) -> TensorSpec:
    for spec in specs:
        if spec.name == name:
            return spec
    raise InvalidRequest(f"input {name[:80]!r}: the model has no such input (it has: {_names(specs)})")


def _names(specs: tuple[TensorSpec, ...]) -> str:
    return listed({spec.name: spec for spec in specs})


def _read(value: Any, spec: TensorSpec) -> Tensor:
    """Read a tensor of the shape that its lists have; a column of single values may come without its last dimension."""
    shape = _shape(value, spec.name)
    flat = flatten(value, shape, spec.name) if shape else [value]
    array = _texts(flat, spec.name) if spec.datatype == "BYTES" else pack(flat, spec.type, spec.name)
    if spec.shape[1:] == (1,) and len(shape) == 1:
        shape = (*shape, 1)
    return array.reshape(shape)


def _shape(value: Any, name: str) -> tuple[int, ...]:
    shape: list[int] = []
    while type(value) is list:
        if len(shape) == MOST_DIMENSIONS:
            raise WrongShape(f"input {name!r}: expected at most {MOST_DIMENSIONS} dimensions, got more", tensor=name)
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


def _texts(values: list[Any], name: str) -> Tensor:
    """Read text, and files in base64; what is not UTF-8 stays bytes."""
    found = [_decoded(value, name) if type(value) is dict else value for value in values]
    for index, value in enumerate(found):
        if type(value) not in (str, bytes):
            found_kind = f"{shown(value)} ({kind_of(value)})"
            raise InvalidValue(
                f"input {name!r}: expected text or {{'b64': ...}}, got {found_kind} at index {index}", tensor=name
            )
    return np.array(found, object)


def _decoded(value: dict[str, Any], name: str) -> Any:
    text = value.get("b64")
    try:
        content = a2b_base64(text, strict_mode=True) if type(text) is str and len(value) == 1 else None
    except (Base64Error, ValueError):
        content = None
    if content is None:
        raise InvalidValue(
            f"input {name!r}: expected {{'b64': text in base64}}, got an object of another form", tensor=name
        )
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def render_rows(outputs: Outputs, key: str = "predictions") -> Rendered:
    """Write one prediction per row: the value of the only output, or an object of all by name.

    Raises: UnrepresentableOutput for outputs that do not have the same number of rows.
    """
    sizes = {array.shape[0] if array.ndim else None for _, array in outputs}
    if len(sizes) != 1 or None in sizes:
        shapes = ", ".join(f"{spec.name}: {list(array.shape)}" for spec, array in outputs)
        raise UnrepresentableOutput(
            f"outputs: expected as many rows in each, got {shapes}; ask for them by columns ('inputs')"
        )
    columns = {spec.name: _written(spec, json_constants.values(spec, array)) for spec, array in outputs}
    if len(columns) == 1:
        return _render(key, next(iter(columns.values())))
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*map(_cells, columns.values()), strict=True)]
    return _render(key, rows)


def _cells(column: Any) -> list[Any]:
    """Take a column apart: its rows, or numbers. ONNX Runtime's whole numbers are known to orjson in arrays alone."""
    if type(column) is list:
        return column
    return column.tolist() if column.ndim == 1 and column.dtype.kind != "f" else list(column)


def _written(spec: TensorSpec, values: Any) -> Any:
    return _marked(values) if spec.datatype == "BYTES" and spec.name.endswith("_bytes") else values


def _marked(value: Any) -> Any:
    if type(value) is list:
        return [_marked(item) for item in value]
    content = value if type(value) is bytes else str(value).encode()
    return {"b64": b2a_base64(content, newline=False).decode()}


def _render(key: str, value: Any) -> Rendered:
    return Rendered(json_constants.write({key: value}, tokens=_has_tokens(value)))


def _has_tokens(value: Any) -> bool:
    """Say whether a list holds NaN or infinity: numpy arrays never do."""
    if type(value) is float:
        return not np.isfinite(value)
    if type(value) is dict:
        return any(map(_has_tokens, value.values()))
    return type(value) is list and any(map(_has_tokens, value))


def render_status(model: Model) -> Rendered:
    """Write the status of one version."""
    return render_statuses([model.version])


def render_statuses(versions: Sequence[int]) -> Rendered:
    """Write the status of versions: what can be found is available, whenever it is asked."""
    status = {"error_code": "OK", "error_message": ""}
    found = [{"version": str(version), "state": "AVAILABLE", "status": status} for version in versions]
    return Rendered(orjson.dumps({"model_version_status": found}))


def render_metadata(model: Model) -> Rendered:
    """Write a model's metadata, as of a SavedModel with one signature."""
    signature = {
        "inputs": {spec.name: _tensor_info(spec) for spec in model.signature.inputs},
        "outputs": {spec.name: _tensor_info(spec) for spec in model.signature.outputs},
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }
    return Rendered(
        orjson.dumps(
            {
                "model_spec": {"name": model.name, "signature_name": "", "version": str(model.version)},
                "metadata": {"signature_def": {"signature_def": {SIGNATURE: signature}}},
            }
        )
    )


DTYPES: Final[Mapping[str, str]] = {
    "BOOL": "DT_BOOL", "UINT8": "DT_UINT8", "UINT16": "DT_UINT16", "UINT32": "DT_UINT32", "UINT64": "DT_UINT64",
    "INT8": "DT_INT8", "INT16": "DT_INT16", "INT32": "DT_INT32", "INT64": "DT_INT64", "FP16": "DT_HALF",
    "FP32": "DT_FLOAT", "FP64": "DT_DOUBLE", "BF16": "DT_BFLOAT16", "BYTES": "DT_STRING",
}  # fmt: skip
"""Source: tensorflow/core/framework/types.proto."""


def _tensor_info(spec: TensorSpec) -> dict[str, Any]:
    dims: Sequence[dict[str, str]] = [{"size": str(size), "name": ""} for size in spec.shape]
    return {
        "dtype": DTYPES[spec.datatype],
        "tensor_shape": {"dim": dims, "unknown_rank": False},
        "name": f"{spec.name}:0",
    }


def render_servable_error(ref: ModelRef, status: int, code: str, message: str) -> Rendered:
    """Write the error object; what is not there is said in the server's own words, which its clients may look for."""
    if code in ("model_not_found", "version_not_found"):
        which = f"Latest({ref.name})" if ref.version is None else f"Specific({ref.name}, {ref.version})"
        message = f"Servable not found for request: {which}"
    return render_error(status, code, message)


def render_error(_status: int, _code: str, message: str) -> Rendered:
    """Write the error object."""
    return Rendered(orjson.dumps({"error": message}))
