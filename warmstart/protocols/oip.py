"""The Open Inference Protocol, version 2, over REST: inference, with tensors in JSON or beside it as bytes.

Source: kserve/open-inference-protocol, specification/protocol/inference_rest.md; triton-inference-server/server,
docs/protocol/extension_binary_data.md and extension_classification.md. Where the first is at odds with itself:
- its markdown gives `$ready_server_response` a field "live"; its gRPC twin says "ready": we send both;
- its sample response has no "model_name", which its schema requires: we always send it;
- its OpenAPI lists only the paths with `/versions/{version}`, its markdown those without too: both are served.

FP16 and BF16 travel in JSON as numbers: each is also an FP32 and is written as one, what comes is rounded to the
nearest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from warmstart.datatypes import DATATYPES, datatype
from warmstart.errors import InvalidRequest, MalformedBody, UnknownTensor, WrongShape
from warmstart.protocols import media
from warmstart.protocols.json_tensors import (
    check_names,
    dump_outputs,
    json_data,
    kind_of,
    parse_json,
    shown,
    tensor,
)
from warmstart.protocols.wire import JSON, OCTETS, Rendered, quick
from warmstart.tensors import MOST_DIMENSIONS

if TYPE_CHECKING:
    from warmstart.protocols.binary_tensors import Tail
    from warmstart.protocols.wire import Call, Model, Outputs, Request
    from warmstart.tensors import Tensor

HEADER_LENGTH: Final = "inference-header-content-length"
"""How many bytes of a body are JSON; the tensors' bytes follow. 0: the body is the bytes of the only input."""
_READABLE: Final = (JSON, OCTETS)
_LONGEST_NAME: Final = 256


class Wanted(NamedTuple):
    """An output asked for. `classes` > 0: the best so many of its scores. `binary` None: as the request says."""

    name: str
    classes: int = 0
    binary: bool | None = None


class Infer(NamedTuple):
    """An inference request; `wanted` empty means all outputs."""

    id: str | None
    inputs: dict[str, Tensor]
    wanted: tuple[Wanted, ...]
    binary: bool
    accept: str

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Name the outputs asked for, in order."""
        return tuple([wanted.name for wanted in self.wanted]) if self.wanted else ()

    def tensors(self, _: Model) -> Mapping[str, Tensor]:
        """Return the inputs, which the request itself describes whole."""
        return self.inputs

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write `$inference_response`, data flat and row-major.

        Raises: UnrepresentableOutput for NaN and infinity in JSON, and for text that is not Unicode; NotAcceptable.
        """
        request_id, _, wanted, binary, accept = self
        described: list[dict[str, Any]] = []
        document = {
            "model_name": model.name,
            "model_version": str(model.version),
            "id": request_id,
            "outputs": described,
        }
        if request_id is None:
            del document["id"]
        if wanted or binary:
            from warmstart.protocols.oip_outputs import render  # only for who asks for more than all outputs as JSON

            return render(self, document, model.labels, outputs)
        if accept:
            media.accepted(accept, _JSON_ALONE)
        for (name, kind, _), array in outputs:  # a comprehension is a function that is made anew each time
            described.append({"name": name, "datatype": kind, "shape": array.shape, "data": json_data(kind, array)})
        return quick(Rendered, (dump_outputs(document, outputs), JSON, ()))


_JSON_ALONE: Final = (JSON,)


def read(request: Request) -> Call:
    """Read `$inference_request`, or the bytes of a tensor alone if the header says that none of a body is JSON.

    Raises: as `read_infer`.
    """
    if request.headers.get(HEADER_LENGTH) != "0":
        return read_infer(request)
    from warmstart.protocols.oip_raw import RawInfer

    media.read_as(request.headers.get("content-type", OCTETS), _READABLE, OCTETS)
    return RawInfer(request.body, request.headers.get("accept", ""))


def read_infer(request: Request) -> Infer:
    """Read `$inference_request`, with its binary tensors if the header says how long the JSON is.

    Raises: UnsupportedMediaType, MalformedBody, InvalidRequest, WrongShape, WrongDatatype, InvalidValue,
    UnknownTensor (asked for twice).
    """
    headers, body = request.headers, request.body
    if (content_type := headers.get("content-type", JSON)) != JSON:
        media.read_as(content_type, _READABLE, JSON)
    tail = None
    if (length := headers.get(HEADER_LENGTH)) is not None:
        from warmstart.protocols.binary_tensors import split

        body, tail = split(body, length)
    document = parse_json(body)
    if type(document) is not dict:
        raise MalformedBody(f"body: expected an object with 'inputs', got {kind_of(document)}")
    inputs = _parse_inputs(document, tail)
    names = len(document)
    for item in document["inputs"]:
        names += len(item)
    if len(body) - len(body.replace(b":", b"")) != names:  # quicker than `count`: there are more names than these
        check_names(body, document)
    if tail is not None:
        tail.end()
    binary = False
    if (parameters := document.get("parameters")) is not None:
        check_parameters(parameters, "parameters")
        binary = _flag(parameters, "binary_data_output", "parameters") or False
    wanted = () if (items := document.get("outputs")) is None else _parse_outputs(items)
    if (given := document.get("id")) is not None and type(given) is not str:
        raise MalformedBody(f"id: expected a string, got {kind_of(given)}")
    return quick(Infer, (given, inputs, wanted, binary, headers.get("accept", "")))


def _parse_inputs(document: dict[str, Any], tail: Tail | None) -> dict[str, Tensor]:
    items = document.get("inputs")
    if type(items) is not list or not items:
        found = "an empty array" if items == [] else _found(document, "inputs")
        raise MalformedBody(f"inputs: expected a non-empty array of tensors, got {found}")
    inputs: dict[str, Tensor] = {}
    for item in items:
        if type(item) is not dict:
            raise MalformedBody(f"inputs[{len(inputs)}]: expected an object, got {kind_of(item)}")
        if type(name := item.get("name")) is not str or not 0 < len(name) <= _LONGEST_NAME:
            raise _no_name(item, f"inputs[{len(inputs)}]")
        if name in inputs:
            raise InvalidRequest(f"input {name!r}: expected once, got again as inputs[{len(inputs)}]")
        inputs[name] = _parse_input(item, name, tail)
    return inputs


def _parse_input(item: dict[str, Any], name: str, tail: Tail | None) -> Tensor:
    element, shape = item.get("datatype"), item.get("shape")
    if type(element) is not str:
        raise MalformedBody(f"input {name!r}: datatype: expected a string, got {_found(item, 'datatype')}")
    if type(shape) is not list:
        raise MalformedBody(f"input {name!r}: shape: expected an array, got {_found(item, 'shape')}")
    if len(shape) > MOST_DIMENSIONS:
        raise WrongShape(
            f"input {name!r}: shape: expected at most {MOST_DIMENSIONS} dimensions, got {len(shape)}", tensor=name
        )
    for size in shape:
        if type(size) is not int or size < 0:  # above 64 bits orjson reads no int
            raise WrongShape(
                f"input {name!r}: shape: expected whole numbers, 0 or more; got {shown(size)}", tensor=name
            )
    if (parameters := item.get("parameters")) is not None:
        check_parameters(parameters, f"input {name!r}: parameters")
        if (size := parameters.get("binary_data_size")) is not None:
            return _binary(item, name, element, tuple(shape), size, tail)
    data = item.get("data")
    if type(data) is not list:
        raise MalformedBody(f"input {name!r}: data: expected an array, got {_found(item, 'data')}")
    return tensor(data, DATATYPES.get(element) or _datatype(element, name), tuple(shape), name)


def _binary(
    item: dict[str, Any], name: str, element: str, shape: tuple[int, ...], size: object, tail: Tail | None
) -> Tensor:
    if "data" in item:
        raise MalformedBody(f"input {name!r}: expected 'data' or 'binary_data_size', got both")
    if tail is None:
        raise MalformedBody(
            f"input {name!r}: binary_data_size: expected the header Inference-Header-Content-Length with it, got none"
        )
    return tail.take(name, _datatype(element, name), shape, size)


def _datatype(element: str, name: str) -> Any:
    try:
        return datatype(element)
    except InvalidRequest as error:
        raise InvalidRequest(f"input {name!r}: {error.message}") from None


def _no_name(item: dict[str, Any], where: str) -> MalformedBody:
    name = item.get("name")
    found = _found(item, "name") if type(name) is not str else f"{len(name)} characters"
    return MalformedBody(f"{where}.name: expected a string of 1 to {_LONGEST_NAME} characters, got {found}")


def _parse_outputs(items: Any) -> tuple[Wanted, ...]:
    if type(items) is not list:
        raise MalformedBody(f"outputs: expected an array, got {kind_of(items)}")
    wanted: dict[str, Wanted] = {}
    for index, item in enumerate(items):
        if type(item) is not dict:
            raise MalformedBody(f"outputs[{index}]: expected an object, got {kind_of(item)}")
        if type(name := item.get("name")) is not str or not 0 < len(name) <= _LONGEST_NAME:
            raise _no_name(item, f"outputs[{index}]")
        if name in wanted:
            raise UnknownTensor(f"output {name!r}: expected once, got again as outputs[{index}]", tensor=name)
        wanted[name] = _parse_wanted(name, item.get("parameters"))
    return tuple(wanted.values())


def _parse_wanted(name: str, parameters: Any) -> Wanted:
    if parameters is None:
        return Wanted(name)
    where = f"output {name!r}: parameters"
    check_parameters(parameters, where)
    classes = parameters.get("classification", 0)
    if type(classes) is not int or classes < 0:
        raise MalformedBody(f"{where}: 'classification': expected a whole number of classes, got {shown(classes)}")
    return Wanted(name, classes, _flag(parameters, "binary_data", where))


def check_parameters(parameters: Any, where: str) -> None:
    """Check `parameters`: strings, numbers and booleans by name. Raises: MalformedBody, InvalidRequest."""
    if type(parameters) is not dict:
        raise MalformedBody(f"{where}: expected an object, got {kind_of(parameters)}")
    for name, value in parameters.items():
        if type(value) not in (str, int, float, bool):
            raise MalformedBody(f"{where}: {name[:80]!r}: expected a string, number or boolean, got {kind_of(value)}")
        if name.startswith("shared_memory_"):
            raise InvalidRequest(f"{where}: {name[:80]!r}: shared memory is not served; send the tensor's bytes")


def _flag(parameters: dict[str, Any], name: str, where: str) -> bool | None:
    value = parameters.get(name)
    if value is not None and type(value) is not bool:
        raise MalformedBody(f"{where}: {name!r}: expected true or false, got {shown(value)}")
    return value


def _found(item: dict[str, Any], field: str) -> str:
    return kind_of(item[field]) if field in item else "no such field"


def render_error(_status: int, _code: str, message: str) -> Rendered:
    """Write the error object, the same for every route."""
    return Rendered(orjson.dumps({"error": message}))
