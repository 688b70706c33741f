"""Inference requests and answers with tensors: in JSON, or as bytes behind a JSON header.

Bytes are little-endian and row-major; each text has its length before it, as four bytes.
Source: Open Inference Protocol, inference_rest.md; triton-inference-server/server, docs/protocol/
extension_binary_data.md.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from warmstart.bfloat16 import widened
from warmstart.client.answers import Json, Reply, foreign, parse
from warmstart.client.arrays import Input
from warmstart.client.cast import read
from warmstart.datatypes import DATATYPES
from warmstart.errors import InvalidValue

if TYPE_CHECKING:
    from warmstart.tensors import Tensor

HEADER_LENGTH: Final = "inference-header-content-length"
OCTETS: Final = "application/octet-stream"
ACCEPT: Final = f"{OCTETS}, application/json"
"""API Gateway passes bytes on if the first of these is a binary type (developer guide, "Content type conversions")."""
LARGE_BYTES: Final = 4096
"""Tensors of more bytes than this are sent as bytes, where the server reads them so."""

_LENGTH: Final = struct.Struct("<I")
_BINARY_OUTPUT: Final = {"binary_data_output": True}


class Body(NamedTuple):
    """A request's body, and the headers that say how to read it."""

    content: bytes
    headers: Mapping[str, str]


def is_large(inputs: Sequence[Input]) -> bool:
    """Say whether tensors are worth sending as bytes."""
    return sum(_size_bytes(array) for _, array in inputs) > LARGE_BYTES


def _size_bytes(array: Tensor) -> int:
    if array.dtype.kind != "O":
        return array.nbytes
    return sum(_LENGTH.size + len(element) for element in array.ravel().tolist())


def json_request(inputs: Sequence[Input]) -> Body:
    """Write `$inference_request` with its tensors in it.

    Raises: InvalidValue for what JSON cannot hold: infinity, and bytes that are not UTF-8.
    """
    items = [{**_described(each), "data": _json_data(each)} for each in inputs]
    document = {"inputs": items, "parameters": _BINARY_OUTPUT}
    content = json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    return Body(content, {"content-type": "application/json", "accept": ACCEPT})


def binary_request(inputs: Sequence[Input]) -> Body:
    """Write `$inference_request` with its tensors as bytes behind it."""
    parts = [_to_bytes(each) for each in inputs]
    items = [
        {**_described(each), "parameters": {"binary_data_size": len(part)}}
        for each, part in zip(inputs, parts, strict=True)
    ]
    header = json.dumps({"inputs": items, "parameters": _BINARY_OUTPUT}, separators=(",", ":")).encode()
    return Body(b"".join([header, *parts]), {"content-type": OCTETS, "accept": ACCEPT, HEADER_LENGTH: str(len(header))})


def _described(given: Input) -> dict[str, Any]:
    return {"name": given.spec.name, "shape": list(given.array.shape), "datatype": given.spec.datatype}


def _json_data(given: Input) -> list[Any]:
    name, array = given.spec.name, given.array.ravel()
    if array.dtype.kind == "O":
        return [_text(element, name) for element in array.tolist()]
    if given.spec.datatype == "BF16":
        array = widened(array)
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return list(array.tolist())
    if np.isinf(array).any():
        raise InvalidValue(
            f"input {name!r}: expected what JSON can hold, got infinity at index {int(np.argmax(np.isinf(array)))}; "
            "this endpoint reads no binary tensors, so send a finite number, or NaN for a missing one",
            tensor=name,
        )
    return [None if value != value else value for value in array.tolist()]  # NaN is not itself


def _text(element: str | bytes, name: str) -> str:
    if isinstance(element, str):
        return element
    try:
        return element.decode()
    except UnicodeDecodeError:
        raise InvalidValue(
            f"input {name!r}: expected text, got bytes that are not UTF-8; this endpoint reads no binary tensors, so "
            "send what the model's documentation says, such as base64",
            tensor=name,
        ) from None


def _to_bytes(given: Input) -> bytes:
    array = given.array
    if array.dtype.kind != "O":
        return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    elements = [element if isinstance(element, bytes) else _utf8(element, given) for element in array.ravel().tolist()]
    return b"".join(part for element in elements for part in (_LENGTH.pack(len(element)), element))


def _utf8(text: str, given: Input) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        name = given.spec.name
        raise InvalidValue(
            f"input {name!r}: expected text of Unicode, got half a character: {error}", tensor=name
        ) from None


def read_answer(reply: Reply, endpoint: str) -> Json:
    """Read `$inference_response`, the `data` of each output made an array in its shape; BF16 becomes FP32.

    Raises: Unreachable: what answers is no endpoint of ours.
    """
    length = reply.headers.get(HEADER_LENGTH, "")
    head = int(length) if length.isdecimal() else len(reply.content)
    body = parse(reply.content[:head], endpoint)
    try:
        _read_outputs(body["outputs"], memoryview(reply.content)[head:])
    except (TypeError, KeyError, ValueError, OverflowError, AttributeError, struct.error) as error:
        raise foreign(endpoint, "an inference response", f"{body} ({error})") from error
    return body


def _read_outputs(outputs: list[dict[str, Any]], tail: memoryview) -> None:
    for output in outputs:
        datatype, shape = output["datatype"], tuple(output["shape"])
        size = (output.get("parameters") or {}).pop("binary_data_size", None)
        if size is None:
            output["data"] = read(output["data"], datatype, shape)
        else:
            output["data"] = _from_bytes(tail[:size], datatype).reshape(shape)
            tail = tail[size:]
    if tail:
        raise ValueError(f"{len(tail)} bytes that are of no output")


def _from_bytes(content: memoryview, datatype: str) -> Tensor:
    """Read a tensor, in one dimension. The array is the caller's own: it may be written to."""
    if datatype == "BYTES":
        return np.array(_texts(content), object)
    array = np.frombuffer(content, np.dtype(DATATYPES[datatype].numpy).newbyteorder("<"))
    return widened(array) if datatype == "BF16" else array.astype(DATATYPES[datatype].numpy)


def _texts(content: memoryview) -> list[str | bytes]:
    """Read lengths and texts; what is not UTF-8 stays bytes."""
    found: list[str | bytes] = []
    place = 0
    while place < len(content):
        (size,) = _LENGTH.unpack_from(content, place)
        element = bytes(content[place + 4 : place + 4 + size])
        if len(element) != size:
            raise ValueError(f"a text of {size} bytes, of which {len(element)} came")
        try:
            found.append(element.decode())
        except UnicodeDecodeError:
            found.append(element)
        place += 4 + size
    return found
