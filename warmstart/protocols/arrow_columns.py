"""Columns of an Arrow stream as numpy arrays, checked: no length and no offset is believed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from warmstart.errors import MalformedBody
from warmstart.protocols.arrow_format import (
    CONTINUATION,
    DICTIONARY_BATCH,
    FIXED_SIZE_LIST,
    LARGE_BINARY,
    LARGE_LIST,
    LARGE_UTF8,
    RECORD_BATCH,
    SCHEMA,
    TYPES,
    UTF8,
    Table,
    malformed,
    number,
    within,
)

MAX_BATCHES: Final = 4096
MAX_DEPTH: Final = 8
MAX_COLUMNS: Final = 65_536
MAX_NAME: Final = 1024
"""Many columns may point at the same name in the stream: in memory each has its own."""
MAX_BITS: Final = 16 * 1024 * 1024
"""In one buffer: as booleans in memory they are eight times as large as in the stream."""
_FLOATS: Final = ("<f2", "<f4", "<f8")
_WIDE: Final = (LARGE_BINARY, LARGE_UTF8, LARGE_LIST)


class Field(NamedTuple):
    """A column: its type's number in the schema; `dtype` of numbers, `size` of fixed-size lists, `item` of lists."""

    name: str
    kind: int
    dtype: str = ""
    size: int = 0
    item: Field | None = None


class Column(NamedTuple):
    """Values of a batch: numbers, booleans, or an object array of text or bytes; where they are missing, if any is."""

    values: NDArray[Any]
    missing: NDArray[np.bool_] | None


def read_stream(body: bytes) -> tuple[list[Field], list[list[Column]]]:
    """Read a stream: its fields, and per batch a column for each. Raises: MalformedBody."""
    fields: list[Field] | None = None
    batches: list[list[Column]] = []
    for kind, header, content in _messages(memoryview(body)):
        if kind == SCHEMA and fields is None:
            if header.value(0, "<h"):
                raise malformed("numbers in big-endian order; write them in little-endian order")
            fields = [_field(table) for table in header.tables(1, MAX_COLUMNS)]
        elif kind == RECORD_BATCH and fields is not None:
            if len(batches) == MAX_BATCHES:
                raise malformed(f"more than {MAX_BATCHES} batches; combine them")
            batches.append(_Batch(header, content).columns(fields))
        elif kind == DICTIONARY_BATCH:
            raise malformed("a dictionary; send its values, not their numbers")
        else:
            raise malformed(f"a message of type {kind} out of place")
    if fields is None:
        raise malformed("none: it has no schema")
    return fields, batches


def _messages(body: memoryview) -> Iterator[tuple[int, Table, memoryview]]:
    place = 0
    while place < len(body):
        if number(body, "<I", place) != CONTINUATION:
            raise malformed(f"no message at byte {place}")
        size = number(body, "<i", place + 4)
        if size == 0:
            return
        metadata = within(body, place + 8, size)
        message = Table(metadata, number(metadata, "<I", 0))
        header = message.table(2)
        if header is None:
            raise malformed("a message without a header")
        place += 8 + size
        content = within(body, place, message.value(3, "<q"))
        place += len(content)
        yield message.value(1, "<B"), header, content


def _field(table: Table, depth: int = 0) -> Field:
    name, kind, declared = table.text(0, MAX_NAME), table.value(2, "<B"), table.table(3)
    if table.table(4) is not None:
        raise _unreadable(name, "a dictionary; send its values, not their numbers")
    if declared is None or depth > MAX_DEPTH:
        raise _unreadable(name, "no type" if declared is None else f"lists deeper than {MAX_DEPTH}")
    match kind:
        case 2:
            return Field(name, kind, _integer(name, declared))
        case 3:
            if not 0 <= (precision := declared.value(0, "<h")) < len(_FLOATS):
                raise _unreadable(name, f"floating point of precision {precision}")
            return Field(name, kind, _FLOATS[precision])
        case 4 | 5 | 6 | 19 | 20:
            return Field(name, kind)
        case 12 | 16 | 21:
            children = table.tables(5, MAX_COLUMNS)
            if len(children) != 1:
                raise _unreadable(name, f"a list of {len(children)} types")
            size = declared.value(0, "<i") if kind == FIXED_SIZE_LIST else 0
            if size < 0:
                raise _unreadable(name, f"lists of {size}")
            return Field(name, kind, size=size, item=_field(children[0], depth + 1))
    raise _unreadable(name, TYPES[kind] if kind < len(TYPES) else f"type {kind}")


def _integer(name: str, declared: Table) -> str:
    width = declared.value(0, "<i")
    if width not in (8, 16, 32, 64):
        raise _unreadable(name, f"whole numbers of {width} bits")
    return f"<{'i' if declared.value(1, '<B') else 'u'}{width // 8}"


def _unreadable(name: str, found: str) -> MalformedBody:
    return MalformedBody(f"column {name[:80]!r}: expected numbers, booleans, text, or lists of them, got {found}")


class _Batch:
    """A record batch. Its buffers are taken in the order of the fields, and may not share bytes."""

    def __init__(self, header: Table, content: memoryview) -> None:
        if header.table(3) is not None:
            raise malformed("compressed buffers; write it without compression (a content-encoding may compress all)")
        self._content, self._length = content, header.value(0, "<q")
        nodes, buffers = header.pairs(1), header.pairs(2)
        if sum(max(size, 0) for _, size in buffers) > len(content):
            raise malformed("buffers that overlap, or pass their batch's end")
        self._nodes, self._buffers = iter(nodes), iter(buffers)

    def columns(self, fields: list[Field]) -> list[Column]:
        """Read all columns. Raises: MalformedBody."""
        found = [self._column(field) for field in fields]
        if any(len(column.values) != self._length for column in found):
            raise malformed(f"columns that have not the {self._length} rows of their batch")
        if next(self._nodes, None) or next(self._buffers, None):
            raise malformed("a batch with more columns than its schema")
        return found

    def _column(self, field: Field) -> Column:
        length, nulls = self._next(self._nodes)
        if length < 0:
            raise malformed(f"a column of {length} rows")
        validity = self._buffer()
        missing = ~self._bits(validity, length) if nulls else None
        match field.kind:
            case 2 | 3:
                return Column(self._numbers(self._buffer(), field.dtype, length), missing)
            case 6:
                return Column(self._bits(self._buffer(), length), missing)
            case 4 | 5 | 19 | 20:
                return Column(self._texts(field, length), missing)
        return self._lists(field, length, missing)

    def _lists(self, field: Field, length: int, missing: NDArray[np.bool_] | None) -> Column:
        """Read lists of one size: values (length, size, ...)."""
        size, start = field.size, 0
        if field.kind != FIXED_SIZE_LIST:
            offsets = self._offsets(field, length)
            sizes = np.diff(offsets)
            start, size = (int(offsets[0]), int(sizes[0])) if length else (0, 0)
            if length and (sizes != size).any():
                raise MalformedBody(
                    f"column {field.name[:80]!r}: expected lists of one length in all rows, got several"
                )
        item = self._column(field.item or field)
        if length and size == 0:  # any number of rows would fit into no bytes
            raise MalformedBody(f"column {field.name[:80]!r}: expected lists of at least one value, got empty ones")
        if start < 0 or size < 0 or start + length * size > len(item.values):
            raise malformed(f"{length} lists of {size} in {len(item.values)} values")
        if missing is not None and missing.any():
            raise MalformedBody(f"column {field.name[:80]!r}: expected a list in every row, got none in some")
        end = start + length * size
        shape = (length, size, *item.values.shape[1:])
        if item.missing is not None:
            return Column(item.values[start:end].reshape(shape), item.missing[start:end].reshape(shape))
        return Column(item.values[start:end].reshape(shape), None)

    def _texts(self, field: Field, length: int) -> NDArray[Any]:
        offsets = self._offsets(field, length).tolist()
        content = bytes(self._buffer())
        if any(start > end for start, end in pairwise(offsets)) or offsets[-1] > len(content):
            raise malformed("offsets of text that are not in order")
        found: list[str | bytes] = [content[start:end] for start, end in pairwise(offsets)]
        if field.kind in (UTF8, LARGE_UTF8):
            try:
                found = [bytes(element).decode() for element in found]  # type: ignore[arg-type]  # bytes, all of them
            except UnicodeDecodeError:
                raise MalformedBody(f"column {field.name[:80]!r}: expected text in UTF-8, got other bytes") from None
        else:
            found = [_text_or_bytes(bytes(element)) for element in found]  # type: ignore[arg-type]
        values = np.empty(length, object)
        values[:] = found
        return values

    def _offsets(self, field: Field, length: int) -> NDArray[Any]:
        buffer = self._buffer()
        if not length and not len(buffer):  # which the format allows
            return np.zeros(1, np.int64)
        offsets = self._numbers(buffer, "<i8" if field.kind in _WIDE else "<i4", length + 1)
        if offsets[0] < 0:
            raise malformed("a negative offset")
        return offsets

    def _numbers(self, buffer: memoryview, dtype: str, count: int) -> NDArray[Any]:
        if count * np.dtype(dtype).itemsize > len(buffer):
            raise malformed(f"{len(buffer)} bytes where {count} numbers belong")
        return np.frombuffer(buffer, dtype, count) if count else np.empty(0, dtype)

    def _bits(self, buffer: memoryview, count: int) -> NDArray[np.bool_]:
        if count > MAX_BITS:
            raise malformed(f"{count} bits in one buffer, where {MAX_BITS} may be; send fewer rows per batch")
        if count > 8 * len(buffer):
            raise malformed(f"{len(buffer)} bytes where {count} bits belong")
        return np.unpackbits(np.frombuffer(buffer, np.uint8), count=count, bitorder="little").view(np.bool_)

    def _buffer(self) -> memoryview:
        return within(self._content, *self._next(self._buffers))

    def _next(self, found: Iterator[tuple[int, int]]) -> tuple[int, int]:
        pair = next(found, None)
        if pair is None:
            raise malformed("a batch with fewer columns than its schema")
        return pair


def _text_or_bytes(element: bytes) -> str | bytes:
    try:
        return element.decode()
    except UnicodeDecodeError:
        return element
