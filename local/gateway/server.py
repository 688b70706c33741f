"""The gateway on a port of this machine: HTTP/1.1 with keep-alive, chunked uploads and Expect: 100-continue.

Python's own `http.server` and not a WSGI server: WSGI loses the case, the order and the repetition of headers, and
API Gateway passes all three on.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Protocol

from local.gateway.body import BadBody, BodyTooLarge, announced_too_large, read_body
from local.types import HttpRequest, HttpResponse

_LOG: Final = logging.getLogger(__name__)
_IDLE_S: Final = 310.0
"""Developer guide, "Quotas for configuring and running a REST API": idle connection timeout."""
_MAX_LINE_BYTES: Final = 65_536
_LINGER_S: Final = 2.0
_LINGER_BYTES: Final = 64 * 1024 * 1024
_CLOSE_S: Final = 5.0


class Handler(Protocol):
    """What is served: a `Gateway`, or anything that answers like one."""

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        ...

    def too_large(self, request: HttpRequest) -> HttpResponse:
        """Answer a request whose body was not read, since it is too large."""
        ...


class Server:
    """A serving gateway. `port` is the real one, also when 0 was asked for."""

    def __init__(self, listener: _Listener) -> None:
        self._listener = listener
        self.port: int = listener.server_address[1]
        self._thread = threading.Thread(
            target=listener.serve_forever, kwargs={"poll_interval": 0.05}, name="gateway", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop accepting, let running answers finish (up to 5 s), close all connections, release the port."""
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()
        self._listener.finish(_CLOSE_S)


def serve(gateway: Handler, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Serve in background threads, on this machine's own address only.

    Raises: OSError if the port is taken, ValueError if the host is not a loopback address.
    """
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"host: expected a loopback address such as 127.0.0.1, got {host!r}")
    return Server(_Listener((host, port), gateway))


class _Listener(ThreadingHTTPServer):
    """A thread per connection; knows its connections, so that it can end them."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], gateway: Handler) -> None:
        self.gateway = gateway
        self._idle = threading.Condition()
        self._connections: set[socket.socket] = set()
        self._answering = 0
        super().__init__(address, _Connection)

    def opened(self, connection: socket.socket) -> None:
        """Remember a connection."""
        with self._idle:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._idle:
            self._connections.discard(connection)

    def answering(self, change: int) -> None:
        """Count the requests that are being answered."""
        with self._idle:
            self._answering += change
            self._idle.notify_all()

    def finish(self, timeout_s: float) -> None:
        """Wait until nothing is being answered, then end every connection."""
        with self._idle:
            self._idle.wait_for(lambda: self._answering == 0, timeout_s)
            remaining = list(self._connections)
        for connection in remaining:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was faster

    def handle_error(self, request: object, client_address: object) -> None:
        """Log a fault of a connection; a client that went away is none."""
        _LOG.debug("Connection of %s ended (%s)", client_address, request, exc_info=True)


class _Connection(BaseHTTPRequestHandler):
    """One connection: reads requests, hands them to the gateway, writes answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one write per answer
    timeout = _IDLE_S
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def handle_one_request(self) -> None:
        """Read one request and answer it, whatever its method: the base class wants a `do_*` for each."""
        try:
            self.raw_requestline = self.rfile.readline(_MAX_LINE_BYTES + 1)
            if len(self.raw_requestline) > _MAX_LINE_BYTES:
                self.requestline = self.request_version = self.command = ""
                self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
                self.close_connection = True
            elif not self.raw_requestline:
                self.close_connection = True
            elif self.parse_request():
                self._answered()
        except TimeoutError:
            self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Ask for the body only if it is not too large anyway."""
        if announced_too_large(self.headers):
            return True
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Leave the log to the gateway."""

    def version_string(self) -> str:
        """Return the name in answers to what is not HTTP at all."""
        return "warmstart"

    def _answered(self) -> None:
        self.server.answering(1)
        try:
            self._answer()
        finally:
            self.server.answering(-1)

    def _answer(self) -> None:
        try:
            body = read_body(self.rfile, self.headers)
        except BodyTooLarge:
            self._send(self.server.gateway.too_large(self._request(b"")), close=True)
            self._linger()
            return
        except BadBody as error:
            self._send(HttpResponse(status=400, body=str(error).encode()), close=True)
            return
        self._send(self.server.gateway.handle(self._request(body)))

    def _request(self, body: bytes) -> HttpRequest:
        path, _, query = self.path.partition("?")
        return HttpRequest(
            method=self.command,
            path=path,
            query=query,
            headers=tuple(self.headers.items()),
            body=body,
            source_ip=str(self.client_address[0]),
        )

    def _send(self, response: HttpResponse, *, close: bool = False) -> None:
        bodiless = self.command == "HEAD" or response.status < 200 or response.status in (204, 304)
        self.send_response_only(response.status, _reason(response.status))
        self.send_header("Date", self.date_time_string())
        for name, value in response.headers:
            self.send_header(name, value.encode().decode("latin-1"))  # the base class writes latin-1
        if response.status >= 200 and response.status != 204:
            self.send_header("Content-Length", str(len(response.body)))
        if close or self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not bodiless:
            self.wfile.write(response.body)
        self.wfile.flush()

    def _linger(self) -> None:
        """Read on for a moment: a client that is still sending would otherwise lose the answer to a reset."""
        until, left = time.monotonic() + _LINGER_S, _LINGER_BYTES
        try:
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(0.5)
            while left > 0 and time.monotonic() < until and (chunk := self.connection.recv(65_536)):
                left -= len(chunk)
        except OSError:
            return


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
