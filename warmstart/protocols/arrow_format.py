"""Arrow's streaming format: its numbers, and the flatbuffers that its metadata is written in, read within bounds.

The native readers that are small enough for a layer follow a lying offset out of the buffer, which ends the process.
This one knows what a table for a model may have, and refuses all else. Source: apache/arrow, format/Message.fbs and
format/Schema.fbs, docs/source/format/Columnar.rst; the flatbuffers project's "Internals".
"""

from __future__ import annotations

import struct
from typing import Any, Final

from warmstart.errors import MalformedBody

CONTINUATION: Final = 0xFFFFFFFF
V5: Final = 4
SCHEMA, DICTIONARY_BATCH, RECORD_BATCH = 1, 2, 3
INT, FLOAT, BINARY, UTF8, BOOL, LIST, FIXED_SIZE_LIST = 2, 3, 4, 5, 6, 12, 16
LARGE_BINARY, LARGE_UTF8, LARGE_LIST = 19, 20, 21
TYPES: Final = (
    *("none", "null", "int", "float", "binary", "utf8", "bool", "decimal", "date", "time", "timestamp", "interval"),
    *("list", "struct", "union", "fixed-size binary", "fixed-size list", "map", "duration", "large binary"),
    *("large utf8", "large list", "run-end encoded", "binary view", "utf8 view", "list view", "large list view"),
)
"""By their number in the union `Type`."""


class Table:
    """A table of a flatbuffer. Its fields are asked for by their index in the schema."""

    def __init__(self, content: memoryview, place: int) -> None:
        self._content, self._place = content, place
        self._vtable = place - number(content, "<i", place)
        self._slots = (number(content, "<H", self._vtable) - 4) // 2

    def value(self, index: int, form: str, default: Any = 0) -> Any:
        """Return a number."""
        place = self._field(index)
        return default if place is None else number(self._content, form, place)

    def table(self, index: int) -> Table | None:
        """Return a table, None if it is not there."""
        place = self._target(index)
        return None if place is None else Table(self._content, place)

    def text(self, index: int, most: int) -> str:
        """Return a string of at most so many bytes, "" if it is not there."""
        place = self._target(index)
        if place is None:
            return ""
        if (size := number(self._content, "<I", place)) > most:
            raise malformed(f"a name of {size} bytes, where {most} may be")
        try:
            return str(within(self._content, place + 4, size), "utf-8")
        except UnicodeDecodeError:
            raise malformed("a name that is not UTF-8") from None

    def tables(self, index: int, most: int) -> list[Table]:
        """Return a vector of at most so many tables."""
        place = self._target(index)
        if place is None:
            return []
        if (count := number(self._content, "<I", place)) > most:
            raise malformed(f"{count} columns, where {most} may be")
        within(self._content, place + 4, 4 * count)
        starts = range(place + 4, place + 4 + 4 * count, 4)
        return [Table(self._content, start + number(self._content, "<I", start)) for start in starts]

    def pairs(self, index: int) -> list[tuple[int, int]]:
        """Return a vector of structures of two numbers."""
        place = self._target(index)
        if place is None:
            return []
        count = number(self._content, "<I", place)
        return list(struct.iter_unpack("<qq", within(self._content, place + 4, 16 * count)))

    def _field(self, index: int) -> int | None:
        if index >= self._slots:
            return None
        offset = number(self._content, "<H", self._vtable + 4 + 2 * index)
        return self._place + int(offset) if offset else None

    def _target(self, index: int) -> int | None:
        place = self._field(index)
        return None if place is None else place + int(number(self._content, "<I", place))


def number(content: memoryview, form: str, place: int) -> Any:
    """Read a number. Raises: MalformedBody if it is not within the content."""
    try:
        if place < 0:  # which Python would count from the end
            raise struct.error
        return struct.unpack_from(form, content, place)[0]
    except struct.error:
        raise malformed(f"an offset to {place} of {len(content)} bytes") from None


def within(content: memoryview, place: int, size: int) -> memoryview:
    """Return a part. Raises: MalformedBody if it is not within the content."""
    if place < 0 or size < 0 or place + size > len(content):
        raise malformed(f"{size} bytes at {place} of {len(content)}")
    return content[place : place + size]


def malformed(found: str) -> MalformedBody:
    """Say that a body is no Arrow stream."""
    return MalformedBody(f"body: expected an Arrow IPC stream, got {found}")
