"""A file fetched in pieces by several threads: what each gives, and what becomes of a failure."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from model_store.integrity import part_bounds
from model_store.pieces import MAX_CONNECTIONS, NEAR_CONNECTIONS, TICK_S, fetch_pieces

MB = 1024 * 1024
SIZE = 64 * MB


def test_each_piece_is_fetched_once_and_digests_are_in_their_order() -> None:
    asked = []

    def fetch(start: int, stop: int, came: Callable[[int], bool]) -> str:
        asked.append(start)
        came(stop - start)
        return f"{start}-{stop}"

    bounds = part_bounds(SIZE)
    assert fetch_pieces(SIZE, fetch) == tuple(f"{start}-{stop}" for start, stop in pairwise(bounds))
    assert sorted(asked) == bounds[:-1]


@pytest.mark.parametrize(("bytes_at_once", "connections"), [(16 * MB, NEAR_CONNECTIONS), (1, MAX_CONNECTIONS)])
def test_more_connections_are_opened_unless_bytes_come_as_fast_as_they_are_taken(
    bytes_at_once: int, connections: int
) -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def fetch(_start: int, _stop: int, came: Callable[[int], bool]) -> str:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        until = time.monotonic() + 4 * TICK_S
        while time.monotonic() < until or (connections == MAX_CONNECTIONS > most):
            came(bytes_at_once)
        with lock:
            at_once -= 1
        return "whole"

    fetch_pieces(SIZE, fetch)
    assert most == connections


@pytest.mark.parametrize("error", [MemoryError("of a thread"), ValueError("unforeseen"), OSError("broken")])
def test_any_failure_of_another_thread_is_raised_once_all_have_ended(error: Exception) -> None:
    before = threading.active_count()

    def fetch(start: int, _stop: int, came: Callable[[int], bool]) -> str:
        if start:
            raise error
        while not came(0):
            time.sleep(0.001)
        return "given up"

    with pytest.raises(type(error)) as raised:
        fetch_pieces(SIZE, fetch)
    assert raised.value is error
    assert threading.active_count() == before


def test_whoever_is_interrupted_waits_until_nobody_writes() -> None:
    begun, writing = threading.Event(), set[int]()

    def fetch(start: int, _stop: int, came: Callable[[int], bool]) -> str:
        writing.add(start)
        begun.set()
        while not came(MB):
            time.sleep(0.001)
        writing.remove(start)
        return "given up"

    def interrupt() -> None:
        begun.wait()
        signal.raise_signal(signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        fetch_pieces(SIZE, fetch)
    interrupting.join()
    assert writing == set()
