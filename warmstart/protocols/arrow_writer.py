"""What a model computed, as an Arrow IPC stream of one batch.

Columns are named as in CSV, but that an output of n values per record is one column of lists of n; scores per class
are a column for each label. NaN and infinity stay as they are: Arrow has them. Source: as `arrow_format`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

from warmstart.bfloat16 import numbers
from warmstart.protocols.arrow_format import (
    BOOL,
    CONTINUATION,
    FIXED_SIZE_LIST,
    FLOAT,
    INT,
    RECORD_BATCH,
    SCHEMA,
    UTF8,
    V5,
)
from warmstart.protocols.records import check_rows, label_of, label_output

if TYPE_CHECKING:
    from warmstart.protocols.wire import Outputs
    from warmstart.tensors import Tensor

Write: TypeAlias = "Callable[[bytearray], int]"
"""Append an object to a flatbuffer; return where it stands."""
_SIZES: Final = {"q": 8, "i": 4, "h": 2, "B": 1, "O": 4}


class _Column(NamedTuple):
    name: str
    values: Tensor


def write_arrow(outputs: Outputs, *, count: int, labels: tuple[str | int, ...] = ()) -> bytes:
    """Write a stream. Raises: UnrepresentableOutput for an output that has no row per record."""
    columns = _columns(outputs, count, labels)
    schema = _table(("h", 0), ("O", _vector([_field(column.name, column.values) for column in columns])))
    nodes: list[tuple[int, int]] = []
    buffers: list[tuple[int, int]] = []
    body = bytearray()
    for column in columns:
        _lay(column.values, nodes, buffers, body)
    batch = _table(("q", count), ("O", _pairs(nodes)), ("O", _pairs(buffers)))
    messages = _message(SCHEMA, schema, 0) + _message(RECORD_BATCH, batch, len(body))
    return messages + bytes(body) + struct.pack("<II", CONTINUATION, 0)


def _columns(outputs: Outputs, count: int, labels: tuple[str | int, ...]) -> list[_Column]:
    labelled = label_output(outputs, labels)
    keys = {str(label): None for label in labels}
    found: list[_Column] = []
    for spec, given in outputs:
        check_rows(spec, given, count)
        array = numbers(spec, given)
        if array.shape[1:] == (1,):
            array = array.reshape(-1)
        if spec is labelled:
            names = [label_of(labels, value) for value in array.ravel().tolist()]
            found.append(_Column(spec.name, np.array([str(name) for name in names], object)))
        elif keys and array.shape[1:] == (len(keys),) and array.dtype.kind == "f":
            found += [_Column(f"{spec.name}.{key}", array[:, index]) for index, key in enumerate(keys)]
        else:
            found.append(_Column(spec.name, array))
    return found


def _lay(values: Tensor, nodes: list[tuple[int, int]], buffers: list[tuple[int, int]], body: bytearray) -> None:
    """Append a column's buffers: validity (none: nothing is missing), then offsets and values, or its items."""

    def buffer(content: bytes) -> None:
        buffers.append((len(body), len(content)))
        body.extend(content)
        body.extend(bytes(-len(body) % 8))

    nodes.append((len(values), 0))
    buffer(b"")
    if values.ndim > 1:
        _lay(values.reshape(-1, *values.shape[2:]), nodes, buffers, body)
    elif values.dtype.kind == "O":
        texts = [text.encode() if isinstance(text, str) else bytes(text) for text in values.tolist()]
        buffer(np.cumsum([0, *map(len, texts)], dtype="<i4").tobytes())
        buffer(b"".join(texts))
    elif values.dtype.kind == "b":
        buffer(np.packbits(values, bitorder="little").tobytes())
    else:
        buffer(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes())


def _field(name: str, values: Tensor) -> Write:
    kind, declared = _type(values)
    items = [_field("item", values.reshape(-1, *values.shape[2:]))] if values.ndim > 1 else []
    return _table(("O", _text(name)), ("B", 1), ("B", kind), ("O", declared), None, ("O", _vector(items)))


def _type(values: Tensor) -> tuple[int, Write]:
    if values.ndim > 1:
        return FIXED_SIZE_LIST, _table(("i", values.shape[1]))
    match values.dtype.kind:
        case "O":
            return UTF8, _table()
        case "b":
            return BOOL, _table()
        case "f":
            return FLOAT, _table(("h", {2: 0, 4: 1, 8: 2}[values.dtype.itemsize]))
        case kind:
            return INT, _table(("i", 8 * values.dtype.itemsize), ("B", int(kind == "i")))


def _message(kind: int, header: Write, body_bytes: int) -> bytes:
    metadata = bytearray(4)
    root = _table(("h", V5), ("B", kind), ("O", header), ("q", body_bytes))(metadata)
    struct.pack_into("<I", metadata, 0, root)
    metadata.extend(bytes(-len(metadata) % 8))
    return struct.pack("<Ii", CONTINUATION, len(metadata)) + bytes(metadata)


# A flatbuffer is written front to back here: each object after what points to it, its place filled in then.


def _table(*slots: tuple[str, Any] | None) -> Write:
    """A table of numbers (by their struct code) and of other objects ("O"), in the order of the schema."""

    def write(out: bytearray) -> int:
        order = sorted((index for index, slot in enumerate(slots) if slot), key=lambda at: -_SIZES[slots[at][0]])  # type: ignore[index]
        places: dict[int, int] = {}
        size = 4
        for index in order:
            places[index] = size
            size += _SIZES[slots[index][0]]  # type: ignore[index]
        if len(out) % 2:
            out.append(0)
        vtable_bytes = 4 + 2 * len(slots)
        out.extend(bytes((4 - len(out) - vtable_bytes) % 8))  # so that the first field is aligned, however wide
        vtable = len(out)
        out.extend(struct.pack(f"<HH{len(slots)}H", vtable_bytes, size, *(places.get(i, 0) for i in range(len(slots)))))
        place = len(out)
        out.extend(bytes(size))
        struct.pack_into("<i", out, place, place - vtable)
        for index in order:
            code, value = slots[index]  # type: ignore[misc]
            if code != "O":
                struct.pack_into(f"<{code}", out, place + places[index], value)
        for index in order:
            code, value = slots[index]  # type: ignore[misc]
            if code == "O":
                _point(out, place + places[index], value)
        return place

    return write


def _point(out: bytearray, place: int, write: Write) -> None:
    struct.pack_into("<I", out, place, write(out) - place)


def _vector(items: list[Write]) -> Write:
    def write(out: bytearray) -> int:
        out.extend(bytes(-len(out) % 4))
        place = len(out)
        out.extend(struct.pack("<I", len(items)) + bytes(4 * len(items)))
        for index, item in enumerate(items):
            _point(out, place + 4 + 4 * index, item)
        return place

    return write


def _pairs(pairs: Iterable[tuple[int, int]]) -> Write:
    content = b"".join(struct.pack("<qq", *pair) for pair in pairs)

    def write(out: bytearray) -> int:
        out.extend(bytes((4 - len(out)) % 8))
        out.extend(struct.pack("<I", len(content) // 16) + content)
        return len(out) - len(content) - 4

    return write


def _text(text: str) -> Write:
    content = text.encode()

    def write(out: bytearray) -> int:
        out.extend(bytes(-len(out) % 4))
        place = len(out)
        out.extend(struct.pack("<I", len(content)) + content + b"\0")
        return place

    return write
