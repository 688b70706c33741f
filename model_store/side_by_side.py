"""Asking a store for several things at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")
U = TypeVar("U")

THREADS: Final = 8
"""As many connections as the SDK keeps open, less some for uploads."""


def side_by_side(work: Callable[[T], U], items: Iterable[T], *, threads: int = THREADS) -> Iterator[U]:
    """Give the results in the items' order; at the first error, or Ctrl-C, those that wait are not begun."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
