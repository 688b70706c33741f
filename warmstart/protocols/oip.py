"""The Open Inference Protocol, version 2, over REST with JSON bodies.

Source: kserve/open-inference-protocol, specification/protocol/inference_rest.md. Where it is at odds with itself:
- its markdown gives `$ready_server_response` a field "live"; its gRPC twin says "ready": we send both;
- its sample response has no "model_name", which its schema requires: we always send it;
- its OpenAPI lists only the paths with `/versions/{version}`, its markdown those without too: both are served.

FP16 travels as numbers: each is also an FP32 and is written as one, what comes is rounded to the nearest. BF16 does not
travel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from warmstart import __version__
from warmstart.datatypes import datatype
from warmstart.errors import InvalidRequest, MalformedBody, UnknownTensor, UnrepresentableOutput, WrongShape
from warmstart.protocols.json_tensors import check_finite, kind_of, load_json, shown, tensor

if TYPE_CHECKING:
    from warmstart.tensors import Signature, Tensor, TensorSpec

LIVE: Final = b'{"live":true}'
READY: Final = b'{"live":true,"ready":true}'
SERVER: Final = orjson.dumps({"name": "warmstart", "version": __version__, "extensions": []})
PLATFORM: Final = "onnx_onnxv1"
"""The protocol's name for "an ONNX model encoded for ONNX Runtime" (its section "Platforms")."""

_LARGEST_DIMENSION: Final = 2**64 - 1
_MOST_DIMENSIONS: Final = 64
"""numpy's limit (NPY_MAXDIMS)."""


class InferRequest(NamedTuple):
    """A parsed request. `outputs` are the names asked for, in order; empty means all."""

    id: str | None
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


def parse_infer(body: bytes) -> InferRequest:
    """Read `$inference_request`.

    Raises: MalformedBody, InvalidRequest, WrongShape, WrongDatatype, InvalidValue, UnknownTensor (asked for twice).
    """
    document = load_json(body)
    if type(document) is not dict:
        raise MalformedBody(f"body: expected an object with 'inputs', got {kind_of(document)}")
    items = document.get("inputs")
    if type(items) is not list or not items:
        found = "an empty array" if items == [] else kind_of(items) if "inputs" in document else "no such field"
        raise MalformedBody(f"inputs: expected a non-empty array of tensors, got {found}")
    inputs: dict[str, Tensor] = {}
    for index, item in enumerate(items):
        name, array = _parse_input(item, index)
        if name in inputs:
            raise InvalidRequest(f"input {name!r}: expected once, got again as inputs[{index}]")
        inputs[name] = array
    if (parameters := document.get("parameters")) is not None:
        _check_parameters(parameters, "parameters")
    return InferRequest(_parse_id(document), inputs, _parse_outputs(document.get("outputs")))


def _parse_id(document: dict[str, Any]) -> str | None:
    found = document.get("id")
    if found is not None and type(found) is not str:
        raise MalformedBody(f"id: expected a string, got {kind_of(found)}")
    return found


def _parse_input(item: Any, index: int) -> tuple[str, Tensor]:
    if type(item) is not dict:
        raise MalformedBody(f"inputs[{index}]: expected an object, got {kind_of(item)}")
    name = _parse_name(item, f"inputs[{index}]")
    element = item.get("datatype")
    if type(element) is not str:
        raise MalformedBody(f"input {name!r}: datatype: expected a string, got {_found(item, 'datatype')}")
    shape = _parse_shape(item, name)
    if (parameters := item.get("parameters")) is not None:
        _check_parameters(parameters, f"input {name!r}: parameters")
    data = item.get("data")
    if type(data) is not list:
        raise MalformedBody(f"input {name!r}: data: expected an array, got {_found(item, 'data')}")
    return name, tensor(data, _datatype(element, name), shape, name)


def _datatype(element: str, name: str) -> Any:
    try:
        return datatype(element)
    except InvalidRequest as error:
        raise InvalidRequest(f"input {name!r}: {error.message}") from None


def _parse_name(item: dict[str, Any], where: str) -> str:
    name = item.get("name")
    if type(name) is not str or not 0 < len(name) <= 256:
        found = _found(item, "name") if type(name) is not str else f"{len(name)} characters"
        raise MalformedBody(f"{where}.name: expected a string of 1 to 256 characters, got {found}")
    return name


def _parse_shape(item: dict[str, Any], name: str) -> tuple[int, ...]:
    shape = item.get("shape")
    if type(shape) is not list:
        raise MalformedBody(f"input {name!r}: shape: expected an array, got {_found(item, 'shape')}")
    if len(shape) > _MOST_DIMENSIONS:
        raise WrongShape(
            f"input {name!r}: shape: expected at most {_MOST_DIMENSIONS} dimensions, got {len(shape)}", tensor=name
        )
    for size in shape:
        if type(size) is not int or not 0 <= size <= _LARGEST_DIMENSION:
            raise WrongShape(
                f"input {name!r}: shape: expected whole numbers, 0 or more; got {shown(size)}",
                tensor=name,
            )
    return tuple(shape)


def _parse_outputs(items: Any) -> tuple[str, ...]:
    if items is None:
        return ()
    if type(items) is not list:
        raise MalformedBody(f"outputs: expected an array, got {kind_of(items)}")
    names: dict[str, None] = {}
    for index, item in enumerate(items):
        if type(item) is not dict:
            raise MalformedBody(f"outputs[{index}]: expected an object, got {kind_of(item)}")
        name = _parse_name(item, f"outputs[{index}]")
        if name in names:
            raise UnknownTensor(f"output {name!r}: expected once, got again as outputs[{index}]", tensor=name)
        if (parameters := item.get("parameters")) is not None:
            _check_parameters(parameters, f"output {name!r}: parameters")
        names[name] = None
    return tuple(names)


def _check_parameters(parameters: Any, where: str) -> None:
    """Refuse what would change what the request says or the answer means: it is not silently left out.

    `binary_data` and `binary_data_output` only prefer a form of the answer, which says itself that it is JSON (it has
    no header `Inference-Header-Content-Length`); tritonclient sends them unless told otherwise, and reads both forms.
    """
    if type(parameters) is not dict:
        raise MalformedBody(f"{where}: expected an object, got {kind_of(parameters)}")
    for name in ("binary_data_size", "classification"):
        if parameters.get(name):
            raise InvalidRequest(
                f"{where}: {name!r} belongs to an extension that is not served here; "
                "send tensors as JSON, ask for all scores (tritonclient: binary_data=False, no class_count)"
            )
    for name, value in parameters.items():
        if type(value) not in (str, int, float, bool):
            raise MalformedBody(f"{where}: {name[:80]!r}: expected a string, number or boolean, got {kind_of(value)}")


def _found(item: dict[str, Any], field: str) -> str:
    return kind_of(item[field]) if field in item else "no such field"


def render_infer(
    name: str, version: int, request_id: str | None, outputs: Sequence[tuple[TensorSpec, Tensor]]
) -> bytes:
    """Write `$inference_response`, data flat and row-major.

    Raises: UnrepresentableOutput for NaN and infinity, which JSON cannot hold, and for text that is not Unicode.
    """
    document: dict[str, Any] = {"model_name": name, "model_version": str(version)}
    if request_id is not None:
        document["id"] = request_id
    document["outputs"] = [
        {"name": spec.name, "datatype": spec.datatype, "shape": array.shape, "data": _data(spec, array)}
        for spec, array in outputs
    ]
    return dump(document)


def _data(spec: TensorSpec, array: Tensor) -> Any:
    refuse_not_finite(spec, array)
    return array.ravel().tolist() if array.dtype.kind == "O" else array.ravel()


def refuse_not_finite(spec: TensorSpec, array: Tensor) -> None:
    """Raises: UnrepresentableOutput if a value is NaN or infinite."""
    if (index := check_finite(array)) is not None:
        raise UnrepresentableOutput(
            f"output {spec.name!r}: expected finite {spec.datatype} values, got {array.ravel()[index]} "
            f"at index {index} of shape {list(array.shape)}; JSON cannot hold it"
        )


def dump(document: object) -> bytes:
    """Write JSON; numpy arrays and numbers in it keep their own precision. Raises: UnrepresentableOutput."""
    try:
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise UnrepresentableOutput(f"outputs: expected what JSON can hold, got: {error}") from None


def render_metadata(name: str, version: int, signature: Signature) -> bytes:
    """Write `$metadata_model_response`; `versions` is the one that the request resolved to."""
    return orjson.dumps(
        {
            "name": name,
            "versions": [str(version)],
            "platform": PLATFORM,
            "inputs": [_metadata(spec) for spec in signature.inputs],
            "outputs": [_metadata(spec) for spec in signature.outputs],
        }
    )


def _metadata(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": spec.shape}


def render_model_ready(name: str) -> bytes:
    """Write `$ready_model_response`."""
    return orjson.dumps({"name": name, "ready": True})


def render_error(message: str) -> bytes:
    """Write the error object, the same for every route."""
    return orjson.dumps({"error": message})
