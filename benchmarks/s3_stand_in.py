"""A stand-in for S3 on this machine: GET of whole objects and ranges over plain HTTP, from memory.

Faster than moto's server, so that what is measured is the client. It counts nothing and checks no signature.
"""

from __future__ import annotations

import hashlib
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

_RANGE = re.compile(r"bytes=(\d+)-(\d*)\Z")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    objects: dict[str, bytes]
    etags: dict[str, str]

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        key = unquote(urlsplit(self.path).path).lstrip("/")
        body = self.objects.get(key)
        if body is None:
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>", {"Content-Type": "application/xml"})
            return
        etag = self.etags[key]
        if self.headers.get("If-None-Match") == etag:
            self._send(304, b"", {"ETag": etag})
            return
        status, headers = 200, {"ETag": etag, "Accept-Ranges": "bytes", "Content-Type": "binary/octet-stream"}
        part: bytes | memoryview = body
        if asked := _RANGE.match(self.headers.get("Range", "")):
            first, last = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
            status, part = 206, memoryview(body)[first : last + 1]
        self._send(status, part, headers, with_body=with_body)

    def _send(self, status: int, body: bytes | memoryview, headers: dict[str, str], *, with_body: bool = True) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep quiet."""


def main(folder: Path) -> None:
    """Serve `folder`/{bucket}/{key}; print the port; serve until killed."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    _Handler.objects = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    _Handler.etags = {key: f'"{hashlib.md5(body).hexdigest()}"' for key, body in _Handler.objects.items()}  # noqa: S324
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
