"""The log of one environment: bytes from the process and lines of the platform in, whole lines to the sink."""

from __future__ import annotations

from collections.abc import Callable

from local.functions.report import TAIL_BYTES

_MAX_LINE = 256 * 1024  # a longer line is cut: CloudWatch Logs quotas, "Event size"


class Journal:
    """Collects lines until they are flushed to the sink, and keeps the tail of the current invocation."""

    def __init__(self, write: Callable[[list[str]], None]) -> None:
        self._write = write
        self._lines: list[str] = []
        self._partial = b""
        self._tail = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what the process wrote. The runtime joins the lines of one traceback by carriage returns."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._add_bytes(line)
        while len(self._partial) >= _MAX_LINE:
            line, self._partial = self._partial[:_MAX_LINE], self._partial[_MAX_LINE:]
            self._add_bytes(line)

    def add(self, line: str) -> None:
        """Take one whole line."""
        self._lines.append(line)
        self._tail += line.encode()[-TAIL_BYTES:] + b"\n"
        if len(self._tail) > 64 * TAIL_BYTES:
            del self._tail[:-TAIL_BYTES]

    def flush(self) -> None:
        """Hand the lines to the sink."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._write(lines)

    def cut(self) -> None:
        """End a line that has no end yet: what wrote it has stopped writing."""
        if self._partial:
            self.feed(b"\n")

    def take_tail(self) -> bytes:
        """The last 4 KB since the last call."""
        tail, self._tail = bytes(self._tail[-TAIL_BYTES:]), bytearray()
        return tail

    def _add_bytes(self, line: bytes) -> None:
        for start in range(0, len(line) or 1, _MAX_LINE):
            part = line[start : start + _MAX_LINE]
            self.add(part.decode("utf-8", "replace").replace("\r", "\n"))
