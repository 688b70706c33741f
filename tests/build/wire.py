"""A server on a loopback socket that answers with the bytes it is told to, however wrong they are."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self


class Request(NamedTuple):
    """What came: the connection's number (from 0), the request's number on it (from 0), method, path, headers."""

    connection: int
    number: int
    method: str
    path: str
    headers: dict[str, str]


class Last(bytes):
    """The bytes of an answer after which the connection is closed."""


Answer = Callable[[Request], bytes | None]
"""The bytes to send; after b"" the request stays unanswered, after None the connection is closed."""


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Write an answer with a Content-Length; `_` in a header's name stands for `-`."""
    fields = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} reason\r\n{lines}\r\n".encode() + body


class Server:
    """Answers each request with `answer(request)`; `requests` lists what came."""

    def __init__(self, answer: Answer, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._answer, self._tls = answer, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port = int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{'localhost' if self._tls else '127.0.0.1'}:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for opened in self._open:
            _hang_up(opened)
        for thread in self._threads:
            thread.join(10)

    def _start(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                opened, _ = self._listener.accept()
            except OSError:
                return
            number = len(self._open)
            self._open.append(opened)
            self._start(lambda opened=opened, number=number: self._serve(opened, number))  # type: ignore[misc]

    def _serve(self, opened: socket.socket, connection: int) -> None:
        try:
            if self._tls is not None:
                opened = self._tls.wrap_socket(opened, server_side=True)
            with opened, opened.makefile("rb") as received:
                number = 0
                while line := received.readline():
                    fields = (line.decode().partition(":") for line in iter(received.readline, b"\r\n"))
                    headers = {name: value.strip() for name, _, value in fields}
                    method, path, _ = line.decode().split(" ")
                    request = Request(connection, number, method, path, headers)
                    self.requests.append(request)
                    if (answer := self._answer(request)) is None:
                        return
                    opened.sendall(answer)
                    if isinstance(answer, Last):
                        return
                    number += 1
        except OSError:
            return


def _hang_up(opened: socket.socket) -> None:
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
    finally:
        opened.close()
