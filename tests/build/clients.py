"""A client's end of a connection of the server, in memory: bytes in, bytes out, time moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from handlers.inference.answers import Answer, refuse
from handlers.server.connection import Connection, Limits, Surroundings
from handlers.server.dispatch import Done
from warmstart.errors import WarmstartError
from warmstart.protocols import oip
from warmstart.protocols.wire import Request


class Transport(asyncio.Transport):
    """Keeps what is written; `unsent` bytes are said to wait in its buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.unsent = 0
        self.is_paused = self.has_eof = self.is_closed = self.is_aborted = False

    def write(self, data: object) -> None:
        assert not self.is_closed
        assert isinstance(data, bytes)
        self.written += data

    def pause_reading(self) -> None:
        assert not self.is_paused
        self.is_paused = True

    def resume_reading(self) -> None:
        assert self.is_paused
        self.is_paused = False

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.has_eof = True

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_aborted = True


class Asked(NamedTuple):
    """A request that waits for its answer."""

    request: Request
    request_id: str
    trace_id: str | None
    done: Done


LIMITS: Final = Limits()


class Client:
    """One connection. Requests are answered at once, 200 with their own method and path, unless `is_patient`."""

    def __init__(self, limits: Limits = LIMITS, answer: Callable[[Request], Answer] | None = None) -> None:
        self.now = 100.0
        self.is_patient = self.is_draining = False
        self.asked: list[Asked] = []
        self.refused: list[WarmstartError] = []
        self.transport = Transport()
        self.open: set[Connection] = set()
        self._answer = answer or (
            lambda request: Answer(200, f"{request.method} {request.path}".encode(), "text/plain")
        )
        self.connection = Connection(
            Surroundings(
                dispatch=self._dispatch,
                refuse=self._refuse,
                limits=limits,
                now=lambda: self.now,
                date=lambda: "Sat, 31 Jan 2026 12:00:00 GMT",
                new_id=lambda: f"id-{len(self.asked) + len(self.refused)}",
                is_draining=lambda: self.is_draining,
                open=self.open,
            )
        )
        self.connection.connection_made(self.transport)

    def sends(self, *pieces: bytes) -> bytes:
        """Send pieces one by one; return all that was answered since the last call."""
        for piece in pieces:
            self.connection.data_received(piece)
        return self.takes()

    def takes(self) -> bytes:
        """Return all that was answered since the last call."""
        written, self.transport.written = self.transport.written, b""
        return written

    def waits(self, seconds: float) -> bytes:
        """Let time pass; return what was answered."""
        self.now += seconds
        self.connection.expire(self.now)
        return self.takes()

    def computed(self, place: int = 0) -> bytes:
        """Have a waiting request answered; return what was sent."""
        asked = self.asked[place]
        asked.done(self._answer(asked.request))
        return self.takes()

    def _dispatch(self, request: Request, request_id: str, trace_id: str | None, done: Done) -> None:
        self.asked.append(Asked(request, request_id, trace_id, done))
        if not self.is_patient:
            done(self._answer(request))

    def _refuse(self, error: WarmstartError, path: str, request_id: str) -> Answer:
        assert path == path.rstrip("/")
        assert request_id
        self.refused.append(error)
        return refuse(error, oip.render_error)


def post(path: str = "/p", body: bytes = b"{}", *headers: str) -> bytes:
    """Write a POST of JSON."""
    lines = [f"POST {path} HTTP/1.1", "Host: here", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def get(path: str, *headers: str, version: str = "1.1") -> bytes:
    """Write a GET."""
    return "\r\n".join([f"GET {path} HTTP/{version}", "Host: here", *headers, "", ""]).encode()
