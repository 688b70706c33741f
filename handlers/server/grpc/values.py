"""Repeated fields of numbers and texts to arrays, and back: what both protocols' messages have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from warmstart.errors import InvalidValue, WrongShape

if TYPE_CHECKING:
    from warmstart.datatypes import Datatype
    from warmstart.tensors import Tensor


def narrowed(values: Collection[Any], datatype: Datatype, name: str) -> Tensor:
    """Return numbers as an array of one dimension; a field may be wider than its datatype. Raises: InvalidValue."""
    wanted = np.dtype(datatype.numpy)
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


def decoded(values: Iterable[bytes]) -> Tensor:
    """Return texts as an array of one dimension; what is not UTF-8 stays bytes: a file."""
    found: list[str | bytes] = []
    for value in values:
        try:
            found.append(value.decode())
        except UnicodeDecodeError:
            found.append(value)
    return np.fromiter(found, object, len(found))


def encoded(array: Tensor) -> list[Any]:
    """Return an array's values for a repeated field, row-major."""
    values: list[Any] = array.ravel().tolist()
    if array.dtype.kind != "O":
        return values
    return [value.encode() if type(value) is str else bytes(value) for value in values]


def reshaped(array: Tensor, shape: tuple[int, ...], name: str) -> Tensor:
    """Give an array its shape. Raises: WrongShape."""
    if prod(shape) != array.size:
        raise WrongShape(
            f"input {name!r}: shape {list(shape)} holds {prod(shape)} values, its data has {array.size}", tensor=name
        )
    try:
        return array.reshape(shape)
    except (ValueError, OverflowError):  # an empty tensor of a dimension that no array can have
        raise WrongShape(
            f"input {name!r}: expected a shape that memory can hold, got {list(shape)}", tensor=name
        ) from None
