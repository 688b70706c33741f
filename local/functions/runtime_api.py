"""The Lambda Runtime API (2018-06-01) of one execution environment, on a socket of its own.

Written on sockets, without a thread: whoever runs the environment selects on its sockets and calls back here, so an
invocation costs one write and one read and no hand-over between threads. It speaks the part of HTTP/1.1 that runtime
clients use: keep-alive, Content-Length, `Expect: 100-continue` (libcurl asks for it above 1 MB).

Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes".
"""

from __future__ import annotations

import selectors
import socket
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

MAX_RESPONSE_BYTES: Final = 6 * 1024 * 1024 + 100
"""6,291,556: what Lambda's own refusal of a larger response says."""

_CHUNK = 64 * 1024
_MAX_HEAD = 2 * 1024 * 1024  # the client sends the X-Ray cause of an error as a header of up to 1 MB
_SEND_TIMEOUT_S = 10.0
_PREFIX = "/2018-06-01/runtime/"


class Next(NamedTuple):
    """The runtime asks for work: its init phase, or its last invocation, is over."""


class Response(NamedTuple):
    """The handler's answer."""

    body: bytes


class Failure(NamedTuple):
    """The handler raised; `body` is the runtime's description of the error."""

    error_type: str
    body: bytes


class InitFailure(NamedTuple):
    """The handler could not be loaded; `body` is the runtime's description of the error."""

    error_type: str
    body: bytes


class Oversized(NamedTuple):
    """The handler's answer was above MAX_RESPONSE_BYTES and was refused."""

    size: int


Message: TypeAlias = Next | Response | Failure | InitFailure | Oversized


@dataclass(frozen=True, kw_only=True)
class Event:
    """One invocation as the runtime gets it."""

    request_id: str
    payload: bytes
    deadline_ms: int
    """Unix time."""
    arn: str
    trace_id: str


class _Head(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    length: int


class _Request(NamedTuple):
    head: _Head
    body: bytes
    """Empty where the declared length is above MAX_RESPONSE_BYTES: read and dropped."""


class _Connection:
    """One keep-alive connection: bytes in, whole requests out."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._dropped = 0

    def receive(self) -> list[_Request]:
        """Read what has come; give the requests that are complete. Raises: ConnectionError, ValueError, OSError."""
        chunk = self.sock.recv(_CHUNK)
        if not chunk:
            raise ConnectionResetError
        self._buffer += chunk
        requests = []
        while (request := self._take()) is not None:
            requests.append(request)
        return requests

    def send(self, data: bytes) -> None:
        """Write in one piece. Raises: OSError."""
        self.sock.sendall(data)

    def _take(self) -> _Request | None:
        if self._head is None and not self._take_head():
            return None
        assert self._head is not None  # noqa: S101 - for the type checker; _take_head has set it
        head = self._head
        if head.length > MAX_RESPONSE_BYTES:
            return self._drop(head)
        if len(self._buffer) < head.length:
            return None
        body = bytes(self._buffer[: head.length])
        del self._buffer[: head.length]
        self._head = None
        return _Request(head, body)

    def _take_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_HEAD:
                raise ValueError("a request head above 2 MB")
            return False
        self._head = _parse_head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        if self._head.headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _drop(self, head: _Head) -> _Request | None:
        taken = min(head.length - self._dropped, len(self._buffer))
        del self._buffer[:taken]
        self._dropped += taken
        if self._dropped < head.length:
            return None
        self._head, self._dropped = None, 0
        return _Request(head, b"")


def _parse_head(raw: bytes) -> _Head:
    """Raises: ValueError if it is not HTTP/1.1, or the body is of a kind that is not read here (chunked)."""
    first, *lines = raw.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        raise ValueError("a chunked body (response streaming)")
    return _Head(method, path, headers, int(headers.get("content-length", "0")))


def _answer(status: str, body: bytes, headers: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


_ACCEPTED = _answer("202 Accepted", b'{"status":"OK"}\n')
_NOT_FOUND = _answer("404 Not Found", b'{"errorMessage":"No such path","errorType":"NotFound"}\n')
_INVALID_ID = _answer("400 Bad Request", b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}\n')
_TOO_LARGE = _answer(
    "413 Request Entity Too Large",
    b'{"errorMessage":"Exceeded maximum allowed payload size (%d bytes).","errorType":"RequestEntityTooLarge"}\n'
    % MAX_RESPONSE_BYTES,
)


class RuntimeApi:
    """The server side. Register it with a selector; call each ready key's `data()`; take from `messages`."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.messages: deque[Message] = deque()
        self._selector = selector
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._connections: set[_Connection] = set()
        self._waiting: _Connection | None = None
        self._current: str | None = None
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    @property
    def address(self) -> str:
        """host:port, the value of AWS_LAMBDA_RUNTIME_API."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def offer(self, event: Event) -> bool:
        """Answer the waiting `next` with this event; False if the runtime is no longer there."""
        if self._waiting is None:
            return False
        self.messages.clear()
        connection, self._waiting, self._current = self._waiting, None, event.request_id
        head = (
            f"Lambda-Runtime-Aws-Request-Id: {event.request_id}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {event.deadline_ms}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: {event.arn}\r\n"
            f"Lambda-Runtime-Trace-Id: {event.trace_id}\r\n"
        )
        return self._send(connection, _answer("200 OK", event.payload, head))

    def forget(self) -> None:
        """Drop all connections and messages: the runtime has gone, another will come."""
        for connection in list(self._connections):
            self._drop(connection)
        self.messages.clear()
        self._current = None

    def close(self) -> None:
        """Give the port back."""
        self.forget()
        self._selector.unregister(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:  # it went away before we looked
            return
        sock.settimeout(_SEND_TIMEOUT_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(sock)
        self._connections.add(connection)
        self._selector.register(sock, selectors.EVENT_READ, lambda: self._read(connection))

    def _read(self, connection: _Connection) -> None:
        try:
            requests = connection.receive()
        except (OSError, ValueError):
            self._drop(connection)
            return
        for request in requests:
            self._serve(connection, request)

    def _serve(self, connection: _Connection, request: _Request) -> None:
        path = request.head.path.removeprefix(_PREFIX)
        match request.head.method, path.split("/"):
            case "GET", ["invocation", "next"]:
                self._waiting = connection
                self.messages.append(Next())
            case "POST", ["init", "error"]:
                self._send(connection, _ACCEPTED)
                self.messages.append(InitFailure(_error_type(request), request.body))
            case "POST", ["invocation", request_id, ("response" | "error") as kind]:
                self._finish(connection, request, request_id, kind)
            case _:
                self._send(connection, _NOT_FOUND)

    def _finish(self, connection: _Connection, request: _Request, request_id: str, kind: str) -> None:
        if request_id != self._current:
            self._send(connection, _INVALID_ID)
            return
        self._current = None
        if request.head.length > MAX_RESPONSE_BYTES:
            self._send(connection, _TOO_LARGE)
            self.messages.append(Oversized(request.head.length))
            return
        self._send(connection, _ACCEPTED)
        response = Response(request.body) if kind == "response" else Failure(_error_type(request), request.body)
        self.messages.append(response)

    def _send(self, connection: _Connection, data: bytes) -> bool:
        try:
            connection.send(data)
        except OSError:
            self._drop(connection)
            return False
        return True

    def _drop(self, connection: _Connection) -> None:
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        if self._waiting is connection:
            self._waiting = None
        self._selector.unregister(connection.sock)
        connection.sock.close()


def _error_type(request: _Request) -> str:
    return request.head.headers.get("lambda-runtime-function-error-type", "Runtime.Unknown")
