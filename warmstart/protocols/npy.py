"""One array in numpy's format, without pickle: what a header says is compared with the bytes that came, then read.

The header is a Python literal: only the form that `numpy.save` writes is read, by a pattern, and nothing is evaluated.
Source: numpy, `numpy.lib.format`, versions 1.0 to 3.0.
"""

from __future__ import annotations

import re
from io import BytesIO
from math import prod
from typing import TYPE_CHECKING, Final

import numpy as np

from warmstart.bfloat16 import numbers, rounded
from warmstart.errors import InvalidRequest, InvalidValue, MalformedBody, UnrepresentableOutput, WrongDatatype
from warmstart.tensors import listed

if TYPE_CHECKING:
    from warmstart.protocols.wire import Outputs
    from warmstart.tensors import Tensor, TensorSpec

_MAGIC: Final = b"\x93NUMPY"
_HEADER: Final = re.compile(
    rb"\{'descr': '([<>|=]?(?:b1|[iu][1248]|f[248]))', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,18}, ?)*(?:\d{1,18})?)\),? ?\} *\n?\Z"
)
_DIMENSIONS: Final = 32
_HEADER_BYTES: Final = 10_000
"""As numpy's own `max_header_size`."""


def read_npy(body: bytes, inputs: tuple[TensorSpec, ...]) -> dict[str, Tensor]:
    """Read the only input of a model. Raises: InvalidRequest, MalformedBody, WrongDatatype, InvalidValue."""
    if len(inputs) != 1:
        raise InvalidRequest(
            f"body: expected a tensor for each of {len(inputs)} inputs, got one array; send JSON or CSV"
        )
    return {inputs[0].name: _as_declared(read_array(body), inputs[0])}


def read_array(body: bytes) -> Tensor:
    """Read an array of numbers or booleans; it shares the body's memory. Raises: MalformedBody."""
    start = _start(body)
    found = _HEADER.match(body[12 if body[6] > 1 else 10 : start]) if start <= _HEADER_BYTES else None
    if found is None:
        raise MalformedBody(
            "body: expected an npy header of numbers or booleans, got another; text and pickle are none"
        )
    dtype = np.dtype(found[1].decode())
    shape = tuple(int(size) for size in found[3].split(b",") if size.strip())
    size_bytes = prod(shape) * dtype.itemsize
    if size_bytes != len(body) - start or len(shape) > _DIMENSIONS or size_bytes == 0:
        raise MalformedBody(
            f"body: expected {size_bytes} bytes of {dtype.name} {list(shape)[:_DIMENSIONS]}, got {len(body) - start}"
        )
    flat = np.frombuffer(body, dtype, offset=start)
    return flat.reshape(shape[::-1]).T if found[2] == b"True" else flat.reshape(shape)


def _start(body: bytes) -> int:
    """Return where the header ends."""
    if len(body) < 12 or not body.startswith(_MAGIC) or body[6] not in (1, 2, 3):
        raise MalformedBody(f"body: expected an array in npy's format, version 1 to 3; got {body[:8]!r}")
    if body[6] == 1:
        return 10 + int.from_bytes(body[8:10], "little")
    return 12 + int.from_bytes(body[8:12], "little")


def _as_declared(array: Tensor, spec: TensorSpec) -> Tensor:
    """Convert what loses nothing but digits: to floats from any number, to integers from integers."""
    if len(spec.shape) == 1 and array.shape[1:] == (1,):
        array = array[:, 0]
    elif array.ndim + 1 == len(spec.shape):  # one row, or one value per row
        array = array[:, None] if spec.shape[1:] == (1,) else array[None]
    kinds = {"b": "b", "i": "iu", "u": "iu", "f": "iuf"}
    kind = np.dtype(spec.type.numbers).kind
    if array.dtype.kind not in kinds.get(kind, ""):
        raise WrongDatatype(f"input {spec.name!r}: expected {spec.datatype}, got {array.dtype.name}", tensor=spec.name)
    if kind == "f":
        return _floats(array, spec)
    target = np.dtype(spec.type.numpy)
    values = array.view(np.uint8) if kind == "b" else array
    lowest, highest = (0, 1) if kind == "b" else _range(target.name)
    if int(values.min()) < lowest or int(values.max()) > highest:
        raise InvalidValue(
            f"input {spec.name!r}: expected {spec.datatype} values from {lowest} to {highest}, "
            f"got some from {values.min()} to {values.max()}",
            tensor=spec.name,
        )
    return np.ascontiguousarray(array, target)


def _range(integer: str) -> tuple[int, int]:
    info = np.iinfo(integer)
    return int(info.min), int(info.max)


def _floats(array: Tensor, spec: TensorSpec) -> Tensor:
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, spec.type.numbers)
    result = rounded(converted) if spec.datatype == "BF16" else converted
    if (np.isinf(numbers(spec, result)) & np.isfinite(array)).any():
        largest = 3.39e38 if spec.datatype == "BF16" else float(np.finfo(spec.type.numpy).max)
        raise InvalidValue(
            f"input {spec.name!r}: expected {spec.datatype} values (up to {largest:.4g}), "
            f"got some up to {float(np.abs(array[np.isfinite(array)]).max()):.4g}",
            tensor=spec.name,
        )
    return result


def write_npy(outputs: Outputs) -> bytes:
    """Write the only output. Raises: UnrepresentableOutput if there are several, or text."""
    if len(outputs) != 1 or outputs[0][1].dtype.kind == "O":
        found = listed({str(spec): None for spec, _ in outputs})
        raise UnrepresentableOutput(f"outputs: expected one of numbers, got {found}; accept JSON or CSV")
    buffer = BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(numbers(*outputs[0])), allow_pickle=False)
    return buffer.getvalue()
