"""One change of an alias, as a value and as JSON: the alias document and the history record are the same bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NamedTuple

from warmstart.errors import IntegrityError


class AliasChange(NamedTuple):
    """An alias was moved. `id` sorts by time; `changed_at` is UTC, ISO 8601; `previous_version` is None at creation."""

    id: str
    alias: str
    version: int
    previous_version: int | None
    changed_at: str
    changed_by: str
    reason: str = ""


def utc(seconds: float) -> str:
    """Render seconds since the epoch as `2026-01-31T12:00:00.000Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def change_id(seconds: float, unique: str) -> str:
    """Compose a change's id, fit for a key: `20260131T120000.000000Z-<unique>`, so that one mover's changes sort."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%S.%f}Z-{unique}"


def render_change(change: AliasChange) -> bytes:
    """Write a change as JSON."""
    return json.dumps(change._asdict(), indent=2).encode()


def parse_change(body: bytes, *, where: str) -> AliasChange:
    """Read a change. `where` is its key, for the message. Raises: IntegrityError."""
    try:
        document = json.loads(body)
        previous = document["previous_version"]
        return AliasChange(
            id=_text(document["id"]),
            alias=_text(document["alias"]),
            version=_version(document["version"]),
            previous_version=None if previous is None else _version(previous),
            changed_at=_text(document["changed_at"]),
            changed_by=_text(document["changed_by"]),
            reason=_text(document.get("reason", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IntegrityError(f"{where}: not a change of an alias: {type(error).__name__} {error}; delete it") from error


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError(f"expected text, got {value!r:.80}")
    return value


def _version(value: object) -> int:
    if type(value) is not int or value < 1:
        raise TypeError(f"expected a version, got {value!r:.80}")
    return value
