"""An S3 stand-in on a socket of this machine: GET with entity tags and ranges, path style; it counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from model_store.objects import ObjectReader
from warmstart.errors import ObjectNotFound


class S3Server(ThreadingHTTPServer):
    """Serves an object store as one bucket. `requests` are (key, status), `sent_bytes` those of all bodies."""

    daemon_threads = True

    def __init__(self, objects: ObjectReader) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects = objects
        self.requests: list[tuple[str, int]] = []
        self.sent_bytes = 0

    @property
    def url(self) -> str:
        """The endpoint, without the bucket."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: S3Server

    def do_GET(self) -> None:
        """Answer as S3 does."""
        key = self.path.lstrip("/").partition("/")[2]
        try:
            body, etag = self.server.objects.get(key)
        except ObjectNotFound:
            self._answer(key, 404, b"<Error><Code>NoSuchKey</Code></Error>", "")
            return
        if self.headers.get("If-None-Match") == etag:
            self._answer(key, 304, b"", etag)
        else:
            self._answer(key, 200, body, etag)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, key: str, status: int, body: bytes, etag: str) -> None:
        self.server.requests.append((key, status))
        self.server.sent_bytes += len(body)
        self.send_response(status)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def s3_server(objects: ObjectReader) -> Iterator[S3Server]:
    """Serve until the end of the block."""
    with S3Server(objects) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
