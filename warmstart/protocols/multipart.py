"""Forms as `curl -F` and `requests` send them (RFC 7578): the fields' names and contents, in one pass."""

from __future__ import annotations

import re
from typing import Final

from warmstart.errors import MalformedBody

_NAME: Final = re.compile(rb'content-disposition: ?form-data; ?name="([^"\r\n]*)"', re.IGNORECASE)
_HEADERS_BYTES: Final = 4096
"""Of one field."""


def read_fields(body: bytes, boundary: str) -> list[tuple[str, bytes]]:
    """Read all fields, in order. Raises: MalformedBody."""
    if not boundary.isascii() or not 0 < len(boundary) <= 70:
        raise MalformedBody(f"content-type: expected a boundary of 1 to 70 characters, got {boundary[:80]!r}")
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise MalformedBody("body: expected a form with at least one field, and its end")
    return [_field(part) for part in parts[:-1]]


def _field(part: bytes) -> tuple[str, bytes]:
    end = part.find(b"\r\n\r\n", 0, _HEADERS_BYTES)
    found = _NAME.search(part, 0, max(end, 0))
    if end < 0 or found is None:
        raise MalformedBody("body: expected each field of the form to have a name")
    return found[1].decode(errors="replace"), part[end + 4 :]
