"""Reading many objects at once."""

from __future__ import annotations

import threading
import time

import pytest

from model_store.side_by_side import side_by_side


def test_results_come_in_the_items_order() -> None:
    later = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            later.wait(10)
        else:
            later.set()
        return item * 10

    assert list(side_by_side(work, range(5))) == [0, 10, 20, 30, 40]


def test_after_an_error_what_waits_is_not_begun() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 0:
            raise ValueError("first")
        time.sleep(0.01)
        return item

    with pytest.raises(ValueError, match="first"):
        list(side_by_side(work, range(10_000), threads=1))
    assert len(begun) < 10_000
