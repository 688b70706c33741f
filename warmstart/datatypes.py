"""One table: Open Inference Protocol datatype ↔ numpy ↔ ONNX.

Names are kept as strings, so that importing this does not import numpy.
Source: Open Inference Protocol, "Tensor Data Types"; onnx.proto3, `TensorProto.DataType`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from warmstart.errors import InvalidRequest


class Datatype(NamedTuple):
    """A tensor's element type in the three vocabularies. `item_bytes` is 0 where elements vary in size."""

    name: str
    numpy: str
    onnx: str
    onnx_code: int
    item_bytes: int

    @property
    def numbers(self) -> str:
        """The numpy type that has its values as numbers: `numpy`, and of BF16, whose arrays are bits, FP32."""
        return "float32" if self.name == "BF16" else self.numpy


_ROWS = (
    Datatype("BOOL", "bool", "tensor(bool)", 9, 1),
    Datatype("UINT8", "uint8", "tensor(uint8)", 2, 1),
    Datatype("UINT16", "uint16", "tensor(uint16)", 4, 2),
    Datatype("UINT32", "uint32", "tensor(uint32)", 12, 4),
    Datatype("UINT64", "uint64", "tensor(uint64)", 13, 8),
    Datatype("INT8", "int8", "tensor(int8)", 3, 1),
    Datatype("INT16", "int16", "tensor(int16)", 5, 2),
    Datatype("INT32", "int32", "tensor(int32)", 6, 4),
    Datatype("INT64", "int64", "tensor(int64)", 7, 8),
    Datatype("FP16", "float16", "tensor(float16)", 10, 2),
    Datatype("FP32", "float32", "tensor(float)", 1, 4),
    Datatype("FP64", "float64", "tensor(double)", 11, 8),
    # numpy has no bfloat16: a tensor of it travels as its bits, and only its ONNX type says which they are.
    Datatype("BF16", "uint16", "tensor(bfloat16)", 16, 2),
    Datatype("BYTES", "object", "tensor(string)", 8, 0),
)

FLOATS: Final = ("FP16", "BF16", "FP32", "FP64")
"""Those of floating-point numbers."""
DATATYPES: Final[dict[str, Datatype]] = {row.name: row for row in _ROWS}
_BY_ONNX: Final[dict[str, Datatype]] = {row.onnx: row for row in _ROWS}
_BY_ONNX_CODE: Final[dict[int, Datatype]] = {row.onnx_code: row for row in _ROWS}
_BY_NUMPY: Final[dict[str, Datatype]] = {row.numpy: row for row in _ROWS if row.name != "BF16"}


def datatype(name: str) -> Datatype:
    """Look a protocol datatype up. Raises: InvalidRequest."""
    if (found := DATATYPES.get(name)) is None:
        raise InvalidRequest(f"datatype: expected one of {', '.join(DATATYPES)}; got {name[:40]!r}")
    return found


def from_onnx(onnx_type: str) -> Datatype | None:
    """Return the datatype of ONNX Runtime's type string (`tensor(float)`), None if it is no tensor of ours."""
    return _BY_ONNX.get(onnx_type)


def from_onnx_code(code: int) -> Datatype | None:
    """Return the datatype of a `TensorProto.DataType` number, None if it is none of ours."""
    return _BY_ONNX_CODE.get(code)


def from_numpy(dtype_name: str) -> Datatype | None:
    """Return the datatype of a numpy dtype's name (`float32`), None if it is none of ours."""
    return _BY_NUMPY.get(dtype_name)
