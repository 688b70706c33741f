"""Time and ids of tests: both count."""

from __future__ import annotations

import itertools


class Ticking:
    """A clock that steps one second per reading, from 2026-01-31T12:00:00Z, and ids `id1`, `id2`, ..."""

    def __init__(self) -> None:
        self._seconds, self._ids = itertools.count(1769860800), itertools.count(1)

    def clock(self) -> float:
        return float(next(self._seconds))

    def new_id(self) -> str:
        return f"id{next(self._ids)}"
