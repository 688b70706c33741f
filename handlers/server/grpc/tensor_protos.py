"""`TensorProto` to tensors and back.

Source: tensorflow/tensorflow, tensorflow/core/framework/tensor.proto, types.proto and tensor.cc (`FromProtoField`: of
fewer values than the shape holds the last one is repeated, and none at all are zeros). More values than it holds,
which TensorFlow drops without a word, are refused.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from handlers.server.grpc.protos import tensorflow_serving_pb2 as messages
from handlers.server.grpc.values import decoded, fill, numbers, reshaped
from warmstart.datatypes import DATATYPES, Datatype
from warmstart.errors import BodyTooLarge, InvalidRequest, MalformedBody, WrongShape
from warmstart.protocols.binary_tensors import from_bytes
from warmstart.tensors import MOST_DIMENSIONS, TensorSpec

if TYPE_CHECKING:
    from warmstart.tensors import Tensor


class Row(NamedTuple):
    """A datatype's number in `DataType`, and the field that holds its values."""

    code: int
    field: str


ROWS: Final[dict[str, Row]] = {
    "FP32": Row(1, "float_val"),
    "FP64": Row(2, "double_val"),
    "INT32": Row(3, "int_val"),
    "UINT8": Row(4, "int_val"),
    "INT16": Row(5, "int_val"),
    "INT8": Row(6, "int_val"),
    "BYTES": Row(7, "string_val"),
    "INT64": Row(9, "int64_val"),
    "BOOL": Row(10, "bool_val"),
    "BF16": Row(14, "half_val"),
    "UINT16": Row(17, "int_val"),
    "FP16": Row(19, "half_val"),
    "UINT32": Row(22, "uint32_val"),
    "UINT64": Row(23, "uint64_val"),
}
_BY_CODE: Final = {row.code: DATATYPES[name] for name, row in ROWS.items()}
_FIELDS: Final = frozenset(row.field for row in ROWS.values())
_POINTER_BYTES: Final = 8


def from_proto(message: messages.TensorProto, name: str, *, most_bytes: int) -> Tensor:
    """Read a tensor, whose values repeated may take up to `most_bytes`.

    Raises: InvalidRequest, MalformedBody, WrongShape, InvalidValue, BodyTooLarge.
    """
    if (datatype := _BY_CODE.get(message.dtype)) is None:
        known = ", ".join(f"{code} ({found.name})" for code, found in sorted(_BY_CODE.items()))
        raise InvalidRequest(f"input {name!r}: dtype: expected one of {known}; got {message.dtype}")
    shape = _shape(message.tensor_shape, name)
    if message.tensor_content:
        return _content(message.tensor_content, datatype, shape, name)
    row = ROWS[datatype.name]
    filled = [descriptor.name for descriptor, _ in message.ListFields() if descriptor.name in _FIELDS]
    if other := next((field for field in filled if field != row.field), None):
        raise MalformedBody(f"input {name!r}: expected {row.field} for {datatype.name}, got {other}")
    if row.field == "string_val":
        array = decoded(message.string_val)
    elif row.field == "half_val":
        array = numbers(message, row.field, DATATYPES["UINT16"], name).view(datatype.numpy)
    else:
        array = numbers(message, row.field, datatype, name)
    return reshaped(_repeated(array, datatype, shape, name, most_bytes), shape, name)


def _shape(message: messages.TensorShapeProto, name: str) -> tuple[int, ...]:
    shape = tuple(dim.size for dim in message.dim)
    if message.unknown_rank or len(shape) > MOST_DIMENSIONS or any(size < 0 for size in shape):
        found = "none" if message.unknown_rank else str(list(shape[: MOST_DIMENSIONS + 1]))
        raise WrongShape(
            f"input {name!r}: tensor_shape: expected up to {MOST_DIMENSIONS} sizes, 0 or more; got {found}",
            tensor=name,
        )
    return shape


def _content(content: bytes, datatype: Datatype, shape: tuple[int, ...], name: str) -> Tensor:
    if datatype.name == "BYTES":
        raise MalformedBody(f"input {name!r}: expected texts in string_val, got tensor_content")
    return from_bytes(memoryview(content), datatype, shape, name)


def _repeated(array: Tensor, datatype: Datatype, shape: tuple[int, ...], name: str, most_bytes: int) -> Tensor:
    """Fill up to what the shape holds: a small message may ask for any amount of memory."""
    count = prod(shape)
    if array.size >= count:
        return array
    if (size_bytes := count * (datatype.item_bytes or _POINTER_BYTES)) > most_bytes:
        raise BodyTooLarge(
            f"input {name!r}: expected up to {most_bytes} bytes, got {array.size} values for the shape {list(shape)}, "
            f"which takes {size_bytes}"
        )
    filled = np.empty(count, array.dtype)
    filled[: array.size] = array
    blank = "" if datatype.name == "BYTES" else 0
    filled[array.size :] = array[-1] if array.size else blank
    return filled


def to_proto(spec: TensorSpec, array: Tensor) -> messages.TensorProto:
    """Write a tensor, its values in the field of its datatype: that is where TensorFlow Serving's clients look."""
    row = ROWS[spec.datatype]
    message = messages.TensorProto(dtype=row.code, tensor_shape=shape_of(array.shape))
    if row.field == "half_val":
        array = array.view(np.uint16)
    fill(message, row.field, array, spec.datatype)
    return message


def shape_of(shape: tuple[int, ...]) -> messages.TensorShapeProto:
    """Write a shape, -1 for a dimension of any size."""
    message = messages.TensorShapeProto()
    for size in shape:
        message.dim.add(size=size)
    return message
