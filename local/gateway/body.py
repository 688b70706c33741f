"""Read a request's body from a connection: by its length, or in chunks (RFC 9112, sections 6 and 7)."""

from __future__ import annotations

from email.message import Message
from typing import Final, Protocol

from local.gateway.limits import MAX_BODY_BYTES

_MAX_LINE_BYTES: Final = 4096
_MAX_TRAILERS: Final = 100
_MAX_DIGITS: Final = 20  # of a length; int() refuses more than 4,300


class BodyTooLarge(Exception):
    """The body is above the gateway's limit; not all of it was read."""


class BadBody(Exception):
    """The body's framing breaks HTTP."""


class Reader(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Return one line, at most `size` bytes of it."""
        ...


def announced_too_large(headers: Message) -> bool:
    """Say whether the announced length is above the limit."""
    length = headers.get("Content-Length", "").strip()
    return length.isdecimal() and (len(length) > _MAX_DIGITS or int(length) > MAX_BODY_BYTES)


def read_body(source: Reader, headers: Message) -> bytes:
    """Read the whole body. Raises: BodyTooLarge before it reads more than the limit, BadBody."""
    lengths, encodings = headers.get_all("Content-Length", []), headers.get_all("Transfer-Encoding", [])
    if encodings:
        if lengths or [encoding.strip().lower() for encoding in encodings] != ["chunked"]:
            raise BadBody("Transfer-Encoding: expected chunked alone, and no Content-Length")
        return _chunked(source)
    if not lengths:
        return b""
    if len(set(lengths)) > 1 or not lengths[0].strip().isdecimal():
        raise BadBody("Content-Length: expected one whole number")
    if announced_too_large(headers):
        raise BodyTooLarge
    return _exactly(source, int(lengths[0]))


def _chunked(source: Reader) -> bytes:
    body = bytearray()
    while size := _chunk_size(source):
        if len(body) + size > MAX_BODY_BYTES:
            raise BodyTooLarge
        body += _exactly(source, size)
        if _line(source):
            raise BadBody("chunk: expected a line end after its data")
    for _ in range(_MAX_TRAILERS):
        if not _line(source):
            return bytes(body)
    raise BadBody(f"chunk: more than {_MAX_TRAILERS} trailers")


def _chunk_size(source: Reader) -> int:
    text = _line(source).partition(b";")[0].strip()
    if not text or len(text) > 16 or any(digit not in b"0123456789abcdefABCDEF" for digit in text):
        raise BadBody("chunk: expected its size in hexadecimal")
    return int(text, 16)


def _line(source: Reader) -> bytes:
    line = source.readline(_MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise BadBody("chunk: line too long, or the connection ended")
    return line.rstrip(b"\r\n")


def _exactly(source: Reader, size: int) -> bytes:
    content = source.read(size)
    if len(content) != size:
        raise BadBody(f"body: expected {size} bytes, the connection ended after {len(content)}")
    return content
