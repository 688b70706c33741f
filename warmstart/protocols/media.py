"""Media types: what a body says it is, and what a client would rather have (RFC 9110, sections 8.3 and 12.5.1)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from warmstart.errors import NotAcceptable, UnsupportedMediaType

_UTF8 = ("utf-8", "utf8", "us-ascii")
_FORM = "application/x-www-form-urlencoded"
"""What `curl -d` says when it is not told otherwise: such a body is read as JSON all the same."""


class MediaType(NamedTuple):
    """A media type in lower case, and its parameters."""

    name: str
    parameters: tuple[tuple[str, str], ...] = ()

    def get(self, parameter: str) -> str | None:
        """Return a parameter's value, None if it has none."""
        return next((value for name, value in self.parameters if name == parameter), None)


@lru_cache(maxsize=128)
def parse(text: str) -> MediaType:
    """Read a Content-Type; "" is a type of no name."""
    name, *parameters = text.split(";")
    pairs = (parameter.partition("=") for parameter in parameters if parameter.strip())
    return MediaType(
        name.strip().lower(), tuple((key.strip().lower(), value.strip().strip('"')) for key, _, value in pairs)
    )


@lru_cache(maxsize=128)
def read_as(content_type: str, readable: tuple[str, ...], default: str) -> str:
    """Return which of the readable types a body has; `default` if it does not say. Raises: UnsupportedMediaType."""
    found = parse(content_type)
    name = default if found.name in ("", _FORM) else found.name
    if name not in readable:
        raise UnsupportedMediaType(f"content-type: expected {' or '.join(readable)}, got {content_type[:80]!r}")
    charset = found.get("charset")
    if charset is not None and charset.lower() not in _UTF8:
        raise UnsupportedMediaType(f"content-type: expected charset utf-8, got {charset[:40]!r}")
    return name


@lru_cache(maxsize=128)
def accepted(accept: str, offered: tuple[str, ...]) -> str:
    """Return which of the offered types a client likes best; of those that it likes equally, the first.

    Raises: NotAcceptable, with what is offered, if it wants none of them.
    """
    if not accept:
        return offered[0]
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    weights = [_weight(kind, ranges) for kind in offered]
    best = max(weights)
    if best <= 0:
        raise NotAcceptable(f"accept: expected {' or '.join(offered)}, got {accept[:80]!r}")
    return offered[weights.index(best)]


def _range(part: str) -> tuple[str, float]:
    found = parse(part)
    try:
        return found.name, float(found.get("q") or 1)
    except ValueError:
        return found.name, 0.0


def _weight(kind: str, ranges: list[tuple[str, float]]) -> float:
    """Weigh a type by the most specific range that covers it."""
    weights = dict(reversed(ranges))
    for name in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if name in weights:
            return weights[name]
    return 0.0
