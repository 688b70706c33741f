"""Headers as sent: an ordered tuple of (name, value), names of any case."""

from __future__ import annotations

from collections.abc import Iterable

Headers = Iterable[tuple[str, str]]


def last(headers: Headers, name: str) -> str | None:
    """Return the last value of a header, None if it is not there."""
    found = every(headers, name)
    return found[-1] if found else None


def every(headers: Headers, name: str) -> list[str]:
    """Return all values of a header, in order."""
    wanted = name.lower()
    return [value for sent, value in headers if sent.lower() == wanted]


def media_type(headers: Headers) -> str:
    """Return the content type without its parameters, lower case; API Gateway takes none for application/json."""
    sent = last(headers, "content-type")
    return sent.partition(";")[0].strip().lower() if sent else "application/json"
