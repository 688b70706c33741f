"""One HTTP/1.1 connection for GET requests, on a plain or TLS socket: `http.client` costs a cold start too much.

Source: RFC 9112, sections 6 (message body) and 7 (chunked).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl

MAX_HEAD_BYTES = 64 * 1024
RECEIVE_BYTES = 256 * 1024
_HEX = b"0123456789abcdefABCDEF"


class Broken(Exception):
    """The connection ended, or what came is not HTTP. `unanswered`: not one byte of an answer had come."""

    def __init__(self, message: str, *, unanswered: bool = False) -> None:
        super().__init__(message)
        self.unanswered = unanswered


class Head(NamedTuple):
    """An answer's status and headers; names in lower case, of a repeated one the last."""

    status: int
    headers: dict[str, str]


class Connection:
    """Sends a GET, reads its answer, and may be used again if the answer was read whole and did not say close.

    `host` is bytes: from a str, getaddrinfo would import a codec, and a fetching thread must import nothing.
    """

    def __init__(self, host: bytes, port: int, *, tls: ssl.SSLContext | None, timeout_s: float) -> None:
        """Connect. Raises: OSError."""
        plain = socket.create_connection((host, port), timeout_s)  # type: ignore[arg-type]  # getaddrinfo takes bytes
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = plain
        if tls is not None:
            try:
                self._socket = tls.wrap_socket(plain, server_hostname=host)
            except OSError:
                plain.close()
                raise
        self._pending = bytearray()
        self._view = memoryview(bytearray(RECEIVE_BYTES))
        self.reusable = False
        self.used_at = 0.0

    def wait_at_most(self, timeout_s: float) -> None:
        """Bound each wait from now on."""
        self._socket.settimeout(timeout_s)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def get(self, path: str, headers: list[tuple[str, str]]) -> Head:
        """Send a request and read the head of its answer. Raises: OSError, Broken."""
        self.reusable = False
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        try:
            self._socket.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
            received = self._receive()
        except TimeoutError:
            raise
        except OSError as error:  # a reset, a broken pipe, or TLS that ended without saying so
            raise Broken(f"closed by the peer ({error})", unanswered=True) from error
        if not received:
            raise Broken("closed by the peer before an answer", unanswered=True)
        return self._head(received)

    def read_into(self, head: Head, sink: Callable[[memoryview], object]) -> int:
        """Hand the answer's body to `sink` piece by piece (each valid during the call), return its size in bytes.

        Raises: OSError; Broken if it ends early.
        """
        keeps = head.headers.get("connection", "").lower() != "close"
        total = 0
        for piece in self._pieces(head):
            sink(piece)
            total += len(piece)
        # What came beyond the body is not the next answer's beginning, whoever sent it.
        self.reusable = keeps and _is_delimited(head) and not self._pending
        return total

    def _head(self, received: memoryview) -> Head:
        head = bytearray(received)
        while (end := head.find(b"\r\n\r\n")) < 0:
            if len(head) > MAX_HEAD_BYTES:
                raise Broken(f"headers above {MAX_HEAD_BYTES} bytes")
            head += self._receive_some()
        self._pending = head[end + 4 :]
        status_line, *lines = head[:end].decode("latin-1").split("\r\n")
        protocol, _, status = status_line.partition(" ")
        if not protocol.startswith("HTTP/1.") or not status[:3].isdecimal():
            raise Broken(f"not an HTTP answer: {status_line[:60]!r}")
        fields = (line.partition(":") for line in lines)
        return Head(int(status[:3]), {name.strip().lower(): value.strip() for name, _, value in fields})

    def _pieces(self, head: Head) -> Iterator[memoryview]:
        if head.status in (204, 304):
            return iter(())
        if (coding := head.headers.get("transfer-encoding")) is not None:
            if coding.lower() != "chunked":
                raise Broken(f"transfer-encoding {coding[:40]!r} is not chunked")
            return self._chunks()
        length = head.headers.get("content-length")
        if length is None:
            return self._until_closed()
        if not length.isdecimal():
            raise Broken(f"content-length {length[:40]!r} is no number")
        return self._exactly(int(length))

    def _exactly(self, size: int) -> Iterator[memoryview]:
        while size:
            piece = self._next_piece(size)
            size -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[memoryview]:
        while size := self._chunk_size():
            yield from self._exactly(size)
            self._line()
        while self._line():
            pass

    def _until_closed(self) -> Iterator[memoryview]:
        if self._pending:
            yield self._next_piece(len(self._pending))
        while piece := self._receive():
            yield piece

    def _chunk_size(self) -> int:
        line = self._line().partition(b";")[0].strip()
        if not line or line.strip(_HEX):  # `int` alone would also take a sign, a prefix and underscores
            raise Broken(f"chunk size {line[:40]!r} is no number")
        return int(line, 16)

    def _line(self) -> bytes:
        while (end := self._pending.find(b"\r\n")) < 0:
            if len(self._pending) > MAX_HEAD_BYTES:
                raise Broken(f"a line above {MAX_HEAD_BYTES} bytes")
            self._pending += self._receive_some()
        line = bytes(self._pending[:end])
        del self._pending[: end + 2]
        return line

    def _next_piece(self, limit: int) -> memoryview:
        if self._pending:
            piece = bytes(self._pending[:limit])
            del self._pending[:limit]
            return memoryview(piece)
        return self._receive_some(limit)

    def _receive_some(self, limit: int = RECEIVE_BYTES) -> memoryview:
        if not (received := self._receive(limit)):
            raise Broken("closed by the peer in the middle of an answer")
        return received

    def _receive(self, limit: int = RECEIVE_BYTES) -> memoryview:
        return self._view[: self._socket.recv_into(self._view, min(limit, RECEIVE_BYTES))]


def _is_delimited(head: Head) -> bool:
    return head.status in (204, 304) or "content-length" in head.headers or "transfer-encoding" in head.headers
