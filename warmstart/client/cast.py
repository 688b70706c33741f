"""Arrays to the datatype that a model declares, without loss.

Every value stays what it is: whole numbers stay whole, in range; 3.0 may become 3, and 3.5 may not. Floating-point
numbers alone are rounded, to the nearest that the narrower type has, as those in JSON are; they may not overflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from warmstart.bfloat16 import rounded, widened
from warmstart.datatypes import DATATYPES, Datatype
from warmstart.errors import InvalidValue, WrongDatatype

if TYPE_CHECKING:
    from warmstart.tensors import Tensor

_SIGNIFICANT_BITS: Final = {"BF16": 8, "FP16": 11, "FP32": 24, "FP64": 53}
_NUMBERS: Final = "biuf"
_WHOLE: Final = (int, np.integer, np.bool_)


def cast(array: Tensor, datatype: Datatype, name: str) -> Tensor:
    """Return the array as the datatype's numpy type in this machine's byte order; BF16 as its bits.

    Raises: WrongDatatype, InvalidValue; each names the tensor.
    """
    if datatype.name == "BYTES":
        return _texts(array, name)
    if array.dtype.name == "bfloat16":  # of the package ml_dtypes; every one is an FP32
        array = array.astype(np.float32)
    if array.dtype.kind == "O":
        are_whole = np.array([isinstance(element, _WHOLE) for element in array.ravel().tolist()], bool)
        if are_whole.any() and not are_whole.all():  # apart, as numpy would round the whole ones
            are_whole = are_whole.reshape(array.shape)
            wholes, others = np.where(are_whole, array, 0), np.where(are_whole, 0.0, array)
            return np.where(are_whole, cast(wholes, datatype, name), cast(others, datatype, name))
        array = _unboxed(array, datatype)
    if array.dtype.kind not in _NUMBERS:
        raise WrongDatatype(
            f"input {name!r}: expected {datatype.name}, got an array of {array.dtype}; convert it first", tensor=name
        )
    if datatype.name in _SIGNIFICANT_BITS:
        return _floats(array, datatype, name)
    if array.dtype.kind == "b":
        return array.astype(datatype.numpy)
    return _wholes(array, datatype, name)


def _floats(array: Tensor, datatype: Datatype, name: str) -> Tensor:
    result = _rounded(array, datatype)
    numbers = widened(result) if datatype.name == "BF16" else result
    lost = np.isinf(numbers)
    if array.dtype.kind == "f":
        lost = lost & np.isfinite(array)
    elif array.dtype.kind in "iu":
        lost = lost | (_significant(array) >= 1 << _SIGNIFICANT_BITS[datatype.name])
    if lost.any():
        _refuse(array, lost, f"{datatype.name} to hold it", "scale it, or round it yourself", name)
    return result


def _rounded(array: Tensor, datatype: Datatype) -> Tensor:
    with np.errstate(over="ignore"):  # what overflows is refused by its value
        return rounded(array.astype(np.float32)) if datatype.name == "BF16" else array.astype(datatype.numpy)


def _significant(whole: Tensor) -> Tensor:
    """Return whole numbers without their sign and the zeros at the end of their binary form."""
    wide = whole.astype(np.int64 if whole.dtype.kind == "i" else np.uint64)
    magnitude = np.abs(wide).astype(np.uint64)
    lowest_bit = magnitude & (~magnitude + np.uint64(1))
    return magnitude // np.maximum(lowest_bit, np.uint64(1))


def _wholes(array: Tensor, datatype: Datatype, name: str) -> Tensor:
    if datatype.name == "BOOL":
        lowest, highest = 0, 1
    else:
        info = np.iinfo(datatype.numpy)
        lowest, highest = int(info.min), int(info.max)
    if array.dtype.kind == "f":
        wide = array.astype(np.promote_types(array.dtype, np.float32), copy=False)  # the ends are beyond FP16
        lost = (np.rint(wide) != wide) | (wide < float(lowest)) | (wide >= float(highest + 1))
    else:
        lost = (array < lowest) | (array > highest)
    if lost.any():
        expected = "0 and 1" if datatype.name == "BOOL" else f"whole numbers from {lowest} to {highest}"
        _refuse(array, lost, f"{datatype.name}, {expected}", "round it, or fill what is missing", name)
    return array.astype(datatype.numpy)


def _refuse(array: Tensor, lost: Tensor, expected: str, remedy: str, name: str) -> NoReturn:
    index = int(np.argmax(lost))
    raise InvalidValue(
        f"input {name!r}: expected {expected}; got {array.ravel()[index]} ({array.dtype}) at index {index}; {remedy}",
        tensor=name,
    )


def _unboxed(array: Tensor, datatype: Datatype) -> Tensor:
    """Let numpy find the type of Python's numbers; None is NaN where the datatype has one."""
    elements: list[Any] = array.ravel().tolist()
    if datatype.name in _SIGNIFICANT_BITS:
        elements = [np.nan if element is None else element for element in elements]
    if not elements:
        return array.astype(datatype.numpy)
    if all(isinstance(element, _WHOLE) for element in elements):
        # Left alone, numpy takes float64 for both together.
        wide = np.int64 if int(max(elements)) < 1 << 63 else np.uint64
        try:
            return np.array(elements, wide).reshape(array.shape)
        except OverflowError:
            return array
    if all(isinstance(element, float | np.number) for element in elements):
        return np.array(elements).reshape(array.shape)
    return array


def _texts(array: Tensor, name: str) -> Tensor:
    elements = array.ravel().tolist()
    for index, element in enumerate(elements):
        if not isinstance(element, str | bytes):
            raise WrongDatatype(
                f"input {name!r}: expected BYTES (str, or bytes), got {element!r:.60} ({type(element).__name__}) "
                f"at index {index}; convert it with .astype(str), fill what is missing",
                tensor=name,
            )
    return np.array(elements, object).reshape(array.shape)


def read(values: list[Any], datatype: str, shape: tuple[int, ...]) -> Tensor:
    """Build an output from a flat JSON array; null is NaN, BF16 becomes FP32. Raises: ValueError, TypeError."""
    numpy_type = DATATYPES[datatype].numbers
    return np.array(values, numpy_type).reshape(shape)
