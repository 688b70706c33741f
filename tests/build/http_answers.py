"""An endpoint on this machine that gives literal answers and keeps what it was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import MappingProxyType
from typing import NamedTuple


class Given(NamedTuple):
    """An answer to give; with `hangs_up` the connection is closed after it, without saying so."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = MappingProxyType({})
    hangs_up: bool = False


class Sent(NamedTuple):
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    client_port: int


class Endpoint:
    """`answers` are given in order; `sent` are the requests, in order."""

    def __init__(self, url: str, answers: list[Given]) -> None:
        self.url, self.answers = url, answers
        self.sent: list[Sent] = []


@contextmanager
def answering(*answers: Given) -> Iterator[Endpoint]:
    """Serve on a free port of the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            endpoint.sent.append(Sent(self.command, self.path, headers, body, self.client_address[1]))
            given = endpoint.answers.pop(0)
            self.send_response(given.status)
            for name, value in {**given.headers, "content-length": str(len(given.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(given.body)
            self.close_connection = given.hangs_up

        do_POST = do_GET  # noqa: N815 - the standard library's name

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the standard library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint = Endpoint(f"http://127.0.0.1:{server.server_port}/prod", list(answers))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
