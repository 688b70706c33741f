"""What each version did: counted by many threads at once, whenever it is added up."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from handlers.inference.statistics import MOST_KEPT, Tally
from warmstart.refs import ModelRef

IRIS = ModelRef("iris", 3, None)
TREES = ModelRef("trees", 1, None)


def test_what_was_answered_is_counted_before_it_is_read() -> None:
    tally = Tally(iter([7.0, 9.0, 8.0]).__next__)
    for rows in (1, 2, 4):
        tally.succeeded(IRIS, rows, 10, 20, 30)
    found = tally.read(IRIS)[IRIS]
    assert (found.runs, found.rows, found.last_ms) == (3, 7, 9000)
    assert (found.read.ns, found.run.ns, found.write.ns, found.success.ns) == (30, 60, 90, 180)


def test_nothing_is_lost_or_counted_twice_by_threads_that_meet_where_it_is_added_up() -> None:
    tally = Tally(lambda: 7.5)

    def count(model: ModelRef) -> None:
        for _ in range(3 * MOST_KEPT):
            tally.succeeded(model, 1, 1, 1, 1)
            if model is TREES:
                tally.failed(model, 5)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, [IRIS, TREES, IRIS, TREES]))
    found = tally.read()
    assert {model: (each.runs, each.rows, each.run.ns) for model, each in found.items()} == {
        IRIS: (6 * MOST_KEPT,) * 3,
        TREES: (6 * MOST_KEPT,) * 3,
    }
    assert (found[TREES].fail.times, found[TREES].fail.ns) == (6 * MOST_KEPT, 30 * MOST_KEPT)


def test_no_more_is_kept_than_is_added_up_at_once() -> None:
    tally = Tally(lambda: 7.5)
    before = sys.getrefcount(IRIS)
    for _ in range(3 * MOST_KEPT + 1):
        tally.succeeded(IRIS, 1, 1, 1, 1)
    assert sys.getrefcount(IRIS) - before <= 2  # the last one's, and the counters' key
