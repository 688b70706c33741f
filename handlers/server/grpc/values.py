"""Repeated fields of numbers and texts to arrays, and back: what both protocols' messages have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from warmstart import tensors
from warmstart.errors import InvalidValue, WrongShape

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from warmstart.datatypes import Datatype
    from warmstart.tensors import Tensor


_FLOATS: Final = frozenset({"FP32", "FP64"})
"""On the wire a field of these is their bytes, behind its number and length: read and written as such, 20 times faster.

Source: protobuf.dev, "Encoding", section "Packed repeated fields".
"""
_PACKED: Final = 2
"""The wire type of what has its length before it."""


def numbers(message: Message, field: str, datatype: Datatype, name: str) -> Tensor:
    """Return a field's numbers as an array of one dimension; the only field of the message, or the last in its order.

    Raises: InvalidValue: a field may be wider than its datatype.
    """
    values: Collection[Any] = getattr(message, field)
    wanted = np.dtype(datatype.numpy)
    if datatype.name in _FLOATS:
        message.DiscardUnknownFields()  # they would come last
        content, size = message.SerializeToString(), len(values) * wanted.itemsize
        found = np.frombuffer(content, wanted.newbyteorder("<"), offset=len(content) - size)
        return found.astype(wanted)  # a copy, for the place in the message is no multiple of the item's size
    if wanted.kind not in "iu" or wanted.itemsize >= 4:
        return np.fromiter(values, wanted, len(values))
    found = np.fromiter(values, np.int64, len(values))
    info = np.iinfo(wanted)
    if found.size and not (info.min <= found.min() and found.max() <= info.max):
        index = int(np.argmax((found < info.min) | (found > info.max)))
        raise InvalidValue(
            f"input {name!r}: expected {datatype.name} values (whole numbers from {info.min} to {info.max}), "
            f"got {found[index]} at index {index}",
            tensor=name,
        )
    return found.astype(wanted)


def fill(message: Message, field: str, array: Tensor, datatype: str) -> None:
    """Write an array's values into a field, row-major."""
    if datatype in _FLOATS:
        content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        number = message.DESCRIPTOR.fields_by_name[field].number
        message.MergeFromString(b"".join((bytes((number << 3 | _PACKED,)), _varint(len(content)), content)))
        return
    values: list[Any] = array.ravel().tolist()
    if datatype == "BYTES":
        values = [value.encode() if type(value) is str else bytes(value) for value in values]
    getattr(message, field).extend(values)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def decoded(values: Iterable[bytes]) -> Tensor:
    """Return texts as an array of one dimension; what is not UTF-8 stays bytes: a file."""
    found: list[str | bytes] = []
    for value in values:
        try:
            found.append(value.decode())
        except UnicodeDecodeError:
            found.append(value)
    return np.fromiter(found, object, len(found))


def reshaped(array: Tensor, shape: tuple[int, ...], name: str) -> Tensor:
    """Give an array its shape. Raises: WrongShape."""
    if prod(shape) != array.size:
        raise WrongShape(
            f"input {name!r}: shape {list(shape)} holds {prod(shape)} values, its data has {array.size}", tensor=name
        )
    return tensors.reshaped(array, shape, name)
