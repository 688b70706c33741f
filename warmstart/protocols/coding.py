"""Content codings: gzip, deflate and zstd, both ways, within a limit (RFC 9110, section 8.4; RFC 8878).

API Gateway takes gzip and deflate off a request by itself and leaves the header that says so. So a body that does not
begin as its coding does is taken for one that was decoded on its way: none of our formats begins as a coding does.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Final

from warmstart.errors import BodyTooLarge, MalformedBody, UnsupportedMediaType

CODINGS: Final = ("zstd", "gzip", "deflate")
"""In the order in which they are chosen for an answer, where a client likes them equally."""
_IDENTITY: Final = ("", "identity")
_PIECE: Final = 4096
"""Fed at once: a decoder copies what it leaves of it, for each of the streams that follow one another."""
_OUT_BYTES: Final = 65_536
_MOST_CODINGS: Final = 2
"""On top of each other. Each can be made to decode as much as the limit allows, from a body of a few kilobytes."""
_MOST_STREAMS: Final = 4096
"""In one body. Each costs its decoder's memory to set up, even if nothing is in it."""
_WINDOW_LOG: Final = 23
"""Of 8 MiB, the largest that a sender may ask for over HTTP (RFC 9659): memory that a small body could demand."""


def decode(body: bytes, coding: str, limit_bytes: int) -> bytes:
    """Take the codings off a body, the last applied first; `limit_bytes` bounds what comes out.

    Raises: UnsupportedMediaType, MalformedBody, BodyTooLarge.
    """
    names = [name for part in coding.split(",") if (name := part.strip().lower()) not in _IDENTITY]
    if len(names) > _MOST_CODINGS:
        raise UnsupportedMediaType(f"content-encoding: expected at most {_MOST_CODINGS} codings, got {len(names)}")
    for name in reversed(names):
        if (decoder := _DECODERS.get(name)) is None:
            raise UnsupportedMediaType(f"content-encoding: expected one of {', '.join(CODINGS)}; got {name[:40]!r}")
        body = decoder(body, limit_bytes)
    return body


def encode(body: bytes, coding: str) -> bytes:
    """Compress a body, fast rather than small."""
    if coding == "zstd":
        return bytes(_zstd().compress(body, 1))
    wbits = 31 if coding == "gzip" else zlib.MAX_WBITS
    compressor = zlib.compressobj(1, wbits=wbits)
    return compressor.compress(body) + compressor.flush()


@lru_cache(maxsize=128)
def accepted_coding(accept_encoding: str) -> str | None:
    """Return the coding that a client likes best, None if it would rather have none (or the header says nothing)."""
    weights: dict[str, float] = {}
    for part in accept_encoding.split(","):
        name, _, parameter = part.partition(";")
        weights[name.strip().lower()] = _quality(parameter)
    any_other = weights.get("*", 0.0)
    best = max(CODINGS, key=lambda name: weights.get(name, any_other))
    weight = weights.get(best, any_other)
    return best if weight > 0 and weight >= weights.get("identity", 0.0) else None


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _gunzip(body: bytes, limit_bytes: int) -> bytes:
    return _inflate(body, limit_bytes, "gzip", wbits=31) if body[:2] == b"\x1f\x8b" else body


def _undeflate(body: bytes, limit_bytes: int) -> bytes:
    # RFC 1950: the first two bytes, as a number, are a multiple of 31, and the method is 8.
    if len(body) < 2 or body[0] & 0x0F != 8 or int.from_bytes(body[:2]) % 31:
        return body
    return _inflate(body, limit_bytes, "deflate", wbits=zlib.MAX_WBITS)


def _inflate(body: bytes, limit_bytes: int, coding: str, *, wbits: int) -> bytes:
    decoded, view, place, streams = bytearray(), memoryview(body), 0, 0
    try:
        while place < len(view):  # gzip files may follow one another
            streams = _counted(streams, coding)
            inflater = zlib.decompressobj(wbits)
            while not inflater.eof:
                piece = _piece(view, place, coding)
                decoded += inflater.decompress(piece, limit_bytes + 1 - len(decoded))
                _check_size(len(decoded), limit_bytes)
                place += len(piece) - len(inflater.unused_data)
    except zlib.error as error:
        raise MalformedBody(f"body: expected {coding}, got {error}") from None
    return bytes(decoded)


def _unzstd(body: bytes, limit_bytes: int) -> bytes:
    if body[:4] != b"\x28\xb5\x2f\xfd":
        return body
    zstd = _zstd()
    decoded, view, place, streams = bytearray(), memoryview(body), 0, 0
    try:
        while place < len(view):
            streams = _counted(streams, "zstd")
            decompressor = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})
            while not decompressor.eof:
                piece = _piece(view, place, "zstd") if decompressor.needs_input else b""
                decoded += decompressor.decompress(piece, min(_OUT_BYTES, limit_bytes + 1 - len(decoded)))
                _check_size(len(decoded), limit_bytes)
                place += len(piece)
            place -= len(decompressor.unused_data)
    except zstd.ZstdError as error:
        raise MalformedBody(f"body: expected zstd, got {error}") from None
    return bytes(decoded)


def _piece(view: memoryview, place: int, coding: str) -> memoryview:
    if place == len(view):
        raise MalformedBody(f"body: expected {coding}, its end is missing")
    return view[place : place + _PIECE]


def _counted(streams: int, coding: str) -> int:
    if streams == _MOST_STREAMS:
        raise MalformedBody(f"body: expected at most {_MOST_STREAMS} {coding} streams in a row, got more")
    return streams + 1


def _check_size(size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        raise BodyTooLarge(f"body: expected at most {limit_bytes} bytes once decoded, got more; send fewer rows")


_DECODERS: Final[dict[str, Callable[[bytes, int], bytes]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "zstd": _unzstd,
}


def _zstd() -> ModuleType:
    if sys.version_info >= (3, 14):
        from compression import zstd  # type: ignore[import-not-found]  # of a later Python than the checker's
    else:
        from backports import zstd
    return zstd
