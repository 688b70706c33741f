"""What docs/protocol-mlflow.md puts before API Gateway for clients that have no place for a header: it adds the key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from tests.clients.conftest import Endpoints


@contextmanager
def key_proxy(endpoint: Endpoints) -> Iterator[tuple[str, int]]:
    """Pass requests on to an endpoint, below its path and with its key; yields host and port."""
    where = urlsplit(str(endpoint.http))

    class Forward(BaseHTTPRequestHandler):
        def _forward(self) -> None:
            length = int(self.headers.get("content-length", 0))
            connection = HTTPConnection(str(where.hostname), where.port, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(
                self.command, where.path + self.path, self.rfile.read(length), headers | endpoint.headers
            )
            answer = connection.getresponse()
            body = answer.read()
            self.send_response(answer.status)
            self.send_header("content-type", answer.headers.get("content-type", ""))
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            connection.close()

        do_GET = do_POST = _forward  # noqa: N815 - the base class's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Forward) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield "127.0.0.1", server.server_address[1]
        server.shutdown()
        thread.join()
