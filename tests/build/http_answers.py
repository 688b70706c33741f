"""An endpoint on this machine that gives literal answers and keeps what it was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Thread
from types import MappingProxyType
from typing import NamedTuple


class Given(NamedTuple):
    """An answer to give; with `hangs_up` the connection is closed after it, without saying so.

    With `drops` it is closed instead of it; with `cut_bytes` after a body that lacks so many of the bytes promised.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = MappingProxyType({})
    hangs_up: bool = False
    drops: bool = False
    cut_bytes: int = 0
    omits_date: bool = False


class Sent(NamedTuple):
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    client_port: int


class Endpoint:
    """`sent` are the requests, in order."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sent: list[Sent] = []


@contextmanager
def answering(*answers: Given) -> Iterator[Endpoint]:
    """Give these answers, in order."""
    left = list(answers)
    with serving(lambda _: left.pop(0)) as endpoint:
        yield endpoint


@contextmanager
def serving(answer: Callable[[Sent], Given], *, tls: SSLContext | None = None) -> Iterator[Endpoint]:
    """Serve on a free port of the loopback interface, with TLS as `localhost`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            sent = Sent(self.command, self.path, headers, body, self.client_address[1])
            endpoint.sent.append(sent)
            given = answer(sent)
            self.close_connection = given.hangs_up or given.drops or given.cut_bytes > 0
            if not given.drops:
                self._give(given)

        do_POST = do_GET  # noqa: N815 - the standard library's name

        def _give(self, given: Given) -> None:
            self.send_response_only(given.status)
            if not given.omits_date and "date" not in given.headers:
                self.send_header("date", self.date_time_string())
            length = {"content-length": str(len(given.body) + given.cut_bytes)}
            for name, value in {**given.headers, **length}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(given.body)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the standard library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    origin = "http://127.0.0.1" if tls is None else "https://localhost"
    endpoint = Endpoint(f"{origin}:{server.server_port}/prod")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
