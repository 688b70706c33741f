"""Tensors as bytes behind a JSON header: little-endian, row-major; each text with its length before it.

Source: triton-inference-server/server, docs/protocol/extension_binary_data.md.
"""

from __future__ import annotations

import struct
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from warmstart.errors import MalformedBody, WrongShape
from warmstart.protocols.json_tensors import shown
from warmstart.tensors import reshaped

if TYPE_CHECKING:
    from warmstart.datatypes import Datatype
    from warmstart.tensors import Tensor

_LENGTH: Final = struct.Struct("<I")


def split(body: bytes, length: str) -> tuple[bytes, Tail]:
    """Split a body after its JSON header, whose length the client said in bytes. Raises: MalformedBody."""
    size = int(length) if length.isascii() and length.isdecimal() and len(length) < 12 else -1
    if not 0 < size <= len(body):
        raise MalformedBody(
            f"Inference-Header-Content-Length: expected the bytes of the JSON header, 1 to {len(body)}; "
            f"got {length[:40]!r}"
        )
    return body[:size], Tail(memoryview(body)[size:])


class Tail:
    """The bytes behind the header, taken tensor by tensor, in the order of the inputs."""

    def __init__(self, content: memoryview) -> None:
        self._content, self._taken = content, 0

    def take(self, name: str, datatype: Datatype, shape: tuple[int, ...], size: Any) -> Tensor:
        """Read the next tensor without copying it (but text). Raises: MalformedBody, WrongShape."""
        left = len(self._content) - self._taken
        if type(size) is not int or not 0 <= size <= left:
            raise MalformedBody(
                f"input {name!r}: binary_data_size: expected at most the {left} bytes that are left, got {shown(size)}"
            )
        content = self._content[self._taken : self._taken + size]
        self._taken += size
        return from_bytes(content, datatype, shape, name)

    def end(self) -> None:
        """Check that nothing is left. Raises: MalformedBody."""
        if left := len(self._content) - self._taken:
            raise MalformedBody(f"body: expected {self._taken} bytes behind the JSON header, got {left} more")


def from_bytes(content: memoryview, datatype: Datatype, shape: tuple[int, ...], name: str) -> Tensor:
    """Read a tensor: a view of these bytes, or text. Raises: MalformedBody, WrongShape."""
    count = prod(shape)
    if datatype.name == "BYTES":
        array: Tensor = np.array(_texts(content, count, name), object)
    else:
        if count * datatype.item_bytes != len(content):
            raise WrongShape(
                f"input {name!r}: {datatype.name} of shape {list(shape)} has {count * datatype.item_bytes} bytes, "
                f"got {len(content)}",
                tensor=name,
            )
        array = np.frombuffer(content, np.dtype(datatype.numpy).newbyteorder("<"))
        if datatype.name == "BOOL" and count and int(array.view(np.uint8).max()) > 1:
            raise MalformedBody(f"input {name!r}: expected BOOL values as one byte each, 0 or 1")
    return reshaped(array, shape, name)


def _texts(content: memoryview, count: int, name: str) -> list[str | bytes]:
    """Read lengths and texts."""
    found: list[str | bytes] = []
    place, end = 0, len(content)
    while place < end:
        if place + 4 > end or place + 4 + (size := _LENGTH.unpack_from(content, place)[0]) > end:
            raise MalformedBody(
                f"input {name!r}: expected a length and as many bytes, {len(found)} times over, then end"
            )
        found.append(text(bytes(content[place + 4 : place + 4 + size])))
        place += 4 + size
    if len(found) != count:
        raise WrongShape(f"input {name!r}: its shape holds {count} values, its bytes hold {len(found)}", tensor=name)
    return found


def text(element: bytes) -> str | bytes:
    """Read a text; what is not UTF-8 stays bytes: a file, which the model may or may not take."""
    try:
        return element.decode()
    except UnicodeDecodeError:
        return element


def to_bytes(array: Tensor) -> bytes:
    """Write a tensor."""
    if array.dtype.kind == "O":
        elements = [element.encode() if type(element) is str else bytes(element) for element in array.ravel().tolist()]
        return b"".join(part for element in elements for part in (_LENGTH.pack(len(element)), element))
    little = array.dtype.newbyteorder("<")
    return array.astype(little, copy=False).tobytes()
