"""One client's connection: HTTP/1.1 as httptools parses it, answered in order, bounded in size and in time.

Source: RFC 9112 (HTTP/1.1), sections 6.3 (body length), 9.3 (persistence), 9.6 (tear-down); RFC 9110, section 10.1.1
(100-continue).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, MutableSet
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import parse_qsl

import httptools

from handlers.inference.answers import headers_of
from warmstart.errors import BodyTooLarge, HeadTooLarge, InvalidRequest, RequestTimeout
from warmstart.limits import MIB
from warmstart.protocols.wire import NOTHING, Request

if TYPE_CHECKING:
    from handlers.inference.answers import Answer
    from handlers.server.dispatch import Done
    from warmstart.errors import WarmstartError

STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
ONE_WRITE_BYTES: Final = 65_536
"""Up to it head and body are joined: one copy is cheaper than one more system call."""
LINGER_S: Final = 2.0
"""What a refused client still sends is taken for so long: a reset would reach it before the refusal does."""
REQUEST_ID_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/=+")


class Limits(NamedTuple):
    """What a client may send, and how long each of its steps may take."""

    body_bytes: int = 64 * MIB
    head_bytes: int = 65_536
    head_s: float = 20.0
    """From a request's first byte to the end of its headers."""
    body_s: float = 120.0
    """From the end of the headers to the end of the body; and for taking an answer."""
    idle_s: float = 75.0
    """Between requests: longer than the 60 s of AWS's load balancers, which must be the ones to close."""


class Surroundings(NamedTuple):
    """What all connections share. `now` gives monotonic seconds, `date` the Date header's value."""

    dispatch: Callable[[Request, str, str | None, Done], None]
    refuse: Callable[[WarmstartError, str, str], Answer]
    limits: Limits
    now: Callable[[], float]
    date: Callable[[], str]
    new_id: Callable[[], str]
    is_draining: Callable[[], bool]
    open: MutableSet[Connection]


class _Asked(NamedTuple):
    """A request that was read, or the reason why it could not be."""

    request: Request
    keeps: bool
    is_head: bool = False
    refused: WarmstartError | None = None


class Connection(asyncio.Protocol):
    """Reads requests, answers them one by one. All methods run on the event loop's thread."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[_Asked] = deque()
        self._answering: _Asked | None = None
        self._is_closing = self._is_deaf = self._is_paused = self._is_stepping = False
        self._deadline: float | None = None
        self._clogged_until: float | None = None
        self._begin()

    def _begin(self) -> None:
        self._url, self._headers, self._body = b"", dict[str, str](), bytearray()
        self._head_bytes = 0
        self._is_reading, self._has_head = False, False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen to a client."""
        self._transport = cast("asyncio.Transport", transport)
        self._around.open.add(self)
        self._deadline = self._around.now() + self._around.limits.idle_s

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Forget a client; what is computed for it is finished, and dropped."""
        self._is_closing = True
        self._waiting.clear()
        self._around.open.discard(self)

    def data_received(self, data: bytes) -> None:
        """Read what came. While a request is computed, the rest waits in the client's socket."""
        if self._is_deaf:
            return
        if (self._answering is not None or self._clogged_until is not None) and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        before, body_bytes, size = self._headers, len(self._body), len(data)
        try:
            while data:
                data = self._feed(data)
        except httptools.HttpParserError:
            self._refuse(InvalidRequest("request: expected HTTP/1.1, got something else"))
            return
        if self._is_reading and self._headers is before:
            if len(self._body) != body_bytes:
                self._head_bytes = 0
            else:
                self._count_head(size)

    def _feed(self, data: bytes) -> bytes:
        """Have bytes parsed; return what is to be parsed again.

        After an offer of another protocol, such as HTTP/2, the parser takes no body. It is not taken up: the request
        is read again without it.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._is_offer():
                head = [
                    b"%b %b HTTP/%b" % (self._parser.get_method(), self._url, self._parser.get_http_version().encode())
                ]
                kept = {name: value for name, value in self._headers.items() if name != "upgrade"}
                head += [f"{name}: {value}".encode("latin-1") for name, value in kept.items()]
                self._parser = httptools.HttpRequestParser(self)
                return b"\r\n".join([*head, b"", data[upgrade.args[0] :]])
            self._is_deaf = True  # CONNECT: what follows would be of another protocol; the request itself is answered
        return b""

    def _is_old(self) -> bool:
        return self._parser.get_http_version() == "1.0"

    def _is_offer(self) -> bool:
        return self._parser.should_upgrade() and self._parser.get_method() != b"CONNECT"

    def _count_head(self, size: int) -> None:
        """Count what came of headers, or of those behind a body: httptools keeps one as long as it does not end.

        What began in an earlier piece is counted: one piece alone is bounded by who reads it.
        """
        self._head_bytes += size
        if self._head_bytes > (limit := self._around.limits.head_bytes):
            self._refuse(HeadTooLarge(f"headers: expected at most {limit} bytes, got more; send fewer or shorter ones"))

    def eof_received(self) -> bool:
        """Answer what was asked, then close."""
        self._is_deaf = True
        return self._answering is not None

    def pause_writing(self) -> None:
        """Note that the client does not take what it was sent."""
        self._clogged_until = self._around.now() + self._around.limits.body_s

    def resume_writing(self) -> None:
        """Go on: the client took it."""
        self._clogged_until = None
        self._resume()
        self._next()

    # What httptools calls.

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._is_deaf:
            return
        self._begin()
        self._is_reading = True
        self._deadline = self._around.now() + self._around.limits.head_s

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; of a repeated one, all values. Those behind a body are not headers of the request."""
        if self._has_head or self._is_deaf:
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """See whether the body may come."""
        if self._is_deaf or self._is_offer():
            return
        self._has_head = True
        if (length := self._headers.get("content-length")) is not None and self._exceeds(int(length)):
            return
        self._deadline = self._around.now() + self._around.limits.body_s
        if self._headers.get("expect", "").lower() == "100-continue" and not self._is_old():
            self._transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if not self._is_deaf and not self._exceeds(len(self._body) + len(body)):
            self._body += body

    def on_message_complete(self) -> None:
        """Have a whole request answered, once those before it are."""
        if self._is_deaf or self._is_offer():
            return
        self._is_reading = self._has_head = False
        self._deadline = None
        keeps = self._parser.should_keep_alive() and not self._parser.should_upgrade()
        if "transfer-encoding" in self._headers and self._is_old():
            keeps = False  # who stands between may have seen its end elsewhere: RFC 9112, section 6.1
        is_head = self._parser.get_method() == b"HEAD"
        self._waiting.append(_Asked(self._request(bytes(self._body)), keeps, is_head))
        self._next()

    # What the server calls.

    @property
    def is_idle(self) -> bool:
        """Whether nothing is read, computed or sent."""
        return not (self._is_reading or self._waiting or self._answering or self._transport.get_write_buffer_size())

    def close(self) -> None:
        """Close, once what is written is sent."""
        self._is_closing = self._is_deaf = True
        self._transport.close()

    def expire(self, now: float) -> None:
        """Close if the client takes too long."""
        if self._clogged_until is not None:
            if now >= self._clogged_until:
                self._transport.abort()
        elif self._answering is not None or self._deadline is None or now < self._deadline:
            return
        elif self._is_reading:
            self._refuse(RequestTimeout("request: expected all of it sooner, got a part; send it again"))
        else:
            self.close()

    def _exceeds(self, size: int) -> bool:
        limit = self._around.limits.body_bytes
        if size > limit:
            self._refuse(
                BodyTooLarge(f"body: expected at most {limit} bytes, got {size} or more; send fewer rows per request")
            )
        return size > limit

    def _refuse(self, error: WarmstartError) -> None:
        """Answer, once those before are answered, that a request cannot be read; take no more of them."""
        if self._is_deaf:
            return
        self._is_deaf, self._is_reading, self._deadline = True, False, None
        self._waiting.append(_Asked(self._request(b""), keeps=False, refused=error))
        self._next()

    def _request(self, body: bytes) -> Request:
        target = self._url
        if not target.startswith(b"/") and b"://" in target:  # the absolute form, as proxies get it
            target = b"/" + target.partition(b"://")[2].partition(b"/")[2]
        path, _, query = target.decode("latin-1").partition("?")
        method = self._parser.get_method().decode("latin-1") if self._url else "GET"
        return Request(
            "GET" if method == "HEAD" else method,
            path.rstrip("/"),
            self._headers,
            body,
            dict(parse_qsl(query, keep_blank_values=True)) if query else NOTHING,
        )

    def _next(self) -> None:
        """Have the requests answered that were read, up to one whose answer is not there at once."""
        if self._is_stepping:
            return
        self._is_stepping = True
        while self._waiting and not (self._answering or self._clogged_until or self._is_closing):
            self._answering = asked = self._waiting.popleft()
            request_id = _given_id(asked.request.headers) or self._around.new_id()
            if asked.refused is not None:
                self._answer(self._around.refuse(asked.refused, asked.request.path, request_id), request_id)
            else:
                trace_id = asked.request.headers.get("x-amzn-trace-id")
                self._around.dispatch(asked.request, request_id, trace_id, partial(self._answer, request_id=request_id))
        self._is_stepping = False

    def _answer(self, found: Answer, request_id: str) -> None:
        asked, self._answering = self._answering, None
        if asked is None or self._is_closing:
            return
        stays = asked.keeps and not self._around.is_draining() and (bool(self._waiting) or not self._is_deaf)
        self._write(found, request_id, asked.is_head, stays)
        if not stays:
            self._leave()
            return
        limits = self._around.limits
        self._deadline = self._around.now() + (limits.body_s if self._is_reading else limits.idle_s)
        self._resume()
        self._next()

    def _resume(self) -> None:
        if self._is_paused and not self._is_closing:
            self._is_paused = False
            self._transport.resume_reading()

    def _write(self, found: Answer, request_id: str, is_head: bool, stays: bool) -> None:
        fields = "".join([f"{name}: {value}\r\n" for name, value in headers_of(found, request_id).items()])
        connection = "" if stays else "connection: close\r\n"
        head = (
            f"{STATUS_LINES[found.status]}{fields}date: {self._around.date()}\r\n{connection}"
            f"content-length: {len(found.body)}\r\n\r\n"
        ).encode("latin-1")
        if is_head or len(found.body) <= ONE_WRITE_BYTES:
            self._transport.write(head if is_head else head + found.body)
        else:
            self._transport.writelines([head, found.body])

    def _leave(self) -> None:
        """Close; a client that still sends is heard for a while, so that it gets to read its answer."""
        self._waiting.clear()
        self._is_deaf = True
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._resume()
        self._is_reading, self._deadline = False, self._around.now() + LINGER_S


def _given_id(headers: Mapping[str, str]) -> str | None:
    """Return the client's own id of a request, if it is one that can stand in a log."""
    given = headers.get("x-request-id", "")
    return given if 0 < len(given) <= 128 and REQUEST_ID_CHARACTERS.issuperset(given) else None
