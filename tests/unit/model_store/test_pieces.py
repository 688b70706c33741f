"""A file fetched in pieces by several threads: what each gives, and what becomes of a failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from model_store.integrity import part_bounds
from model_store.pieces import fetch_pieces

SIZE = 64 * 1024 * 1024


def test_each_piece_is_fetched_once_and_digests_are_in_their_order() -> None:
    asked = []

    def fetch(start: int, stop: int, _is_lost: Callable[[], bool]) -> str:
        asked.append(start)
        return f"{start}-{stop}"

    bounds = part_bounds(SIZE)
    assert fetch_pieces(SIZE, fetch) == tuple(f"{start}-{stop}" for start, stop in pairwise(bounds))
    assert sorted(asked) == bounds[:-1]


@pytest.mark.parametrize("error", [MemoryError("of a thread"), ValueError("unforeseen"), OSError("broken")])
def test_any_failure_of_another_thread_is_raised_once_all_have_ended(error: Exception) -> None:
    before = threading.active_count()

    def fetch(_start: int, _stop: int, is_lost: Callable[[], bool]) -> str:
        if threading.current_thread() is not threading.main_thread():
            raise error
        while not is_lost():
            time.sleep(0.001)
        return "given up"

    with pytest.raises(type(error)) as raised:
        fetch_pieces(SIZE, fetch)
    assert raised.value is error
    assert threading.active_count() == before
