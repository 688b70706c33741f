"""Tell an ONNX model by its bytes, with the standard library alone: the graph itself is skipped, not read.

Source: onnx.proto3, `ModelProto`; protobuf.dev, "Encoding".
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

EXTENSIONS: Final = frozenset({"ai.onnx.contrib", "com.microsoft.extensions"})
"""Domains of the operators of onnxruntime-extensions."""
_FIELDS: Final = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""The wire type of every field of a `ModelProto`: 0 a number, 2 bytes behind their length."""
_IR_VERSION, _GRAPH, _OPSET = 1, 7, 8
_MAX_IR_VERSION: Final = 1000
_MAX_OPSET_BYTES: Final = 4096


class Envelope(NamedTuple):
    """What stands around a model's graph: the domains of its operator sets; how many bytes the file is too short."""

    domains: tuple[str, ...]
    missing_bytes: int = 0


def envelope(path: Path) -> Envelope | None:
    """Read the outer fields of an ONNX model; None if a file is none. Raises: OSError."""
    if not path.is_file():
        return None
    size, domains, seen = path.stat().st_size, list[str](), set[int]()
    with path.open("rb") as file:
        while file.tell() < size:
            key = _varint(file)
            field = None if key is None else key >> 3
            if key is None or field is None or _FIELDS.get(field) != key & 7:
                return Envelope(tuple(domains), 1) if key is None and _plausible(seen) else None
            seen.add(field)
            value = _varint(file)
            if value is None or (field == _IR_VERSION and value > _MAX_IR_VERSION):
                return Envelope(tuple(domains), 1) if value is None and _plausible(seen) else None
            if key & 7 == 0:
                continue
            if file.tell() + value > size:
                return Envelope(tuple(domains), file.tell() + value - size) if _plausible(seen) else None
            if field == _OPSET and value <= _MAX_OPSET_BYTES:
                domains.append(_domain(file.read(value)))
            else:
                file.seek(value, 1)
    return Envelope(tuple(domains)) if _plausible(seen) else None


def _plausible(seen: set[int]) -> bool:
    """Say whether these fields are those of a model: other messages begin alike, none has both."""
    return {_IR_VERSION, _GRAPH} <= seen


def _varint(file: BinaryIO) -> int | None:
    """Read a number, seven bits a byte, the lowest first; None at the end, or if it has more than 64 bits."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None


def _domain(message: bytes) -> str:
    """Read the domain of an `OperatorSetIdProto`: its field 1; the default's is empty, or left out."""
    if len(message) >= 2 and message[0] == 0x0A and message[1] < 0x80:
        return message[2 : 2 + message[1]].decode("utf-8", "replace")
    return ""
