"""Requests that wait together are computed together: runs are counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np
import pytest

from handlers.inference.sessions import Opening, Ran
from handlers.server.batching import BatchingSessions
from handlers.server.settings import BatchLimit
from model_store.manifest import Manifest
from tests.build import manifests
from tests.build.inference import signature
from warmstart.errors import InferenceFailed

LONG_S = 60.0
"""No test waits so long: what goes on earlier does so for another reason."""
FOUR = BatchLimit(4, LONG_S)
IRIS = manifests.manifest("iris", 3)


class Doubler:
    """Doubles `x`; each run says how many rows it has and waits for leave. Rows with 13 in them fail."""

    def __init__(self) -> None:
        self.runs: list[int] = []
        self.begun: SimpleQueue[int] = SimpleQueue()
        self.leave = threading.Semaphore(0)
        self.loses_rows = False

    def run(self, _manifest: Manifest, outputs: Sequence[str], inputs: Mapping[str, Any]) -> Ran:
        x = inputs["x"]
        self.runs.append(len(x))
        self.begun.put(len(x))
        assert self.leave.acquire(timeout=LONG_S)
        if 13 in x:
            raise InferenceFailed("thirteen")
        kept = 2 * x[: len(x) - 1 if self.loses_rows and len(x) > 1 else len(x)]
        opened = Opening(1, 2, "model.onnx") if len(self.runs) == 1 else None
        return Ran([kept for _ in outputs], 7, opened, 1)

    def load(self, manifest: Manifest) -> Opening | None:
        return Opening(1, 2, manifest.name)

    def is_open(self, manifest: Manifest) -> bool:
        return manifest.version == 3


class World:
    """A doubler behind batches of at most four rows, and threads that ask it."""

    def __init__(self, pool: ThreadPoolExecutor, limit: BatchLimit = FOUR) -> None:
        self.inner = Doubler()
        self.sessions = BatchingSessions(self.inner, {"iris": limit})
        self._pool = pool

    def ask(self, *rows: float, manifest: Manifest = IRIS, columns: int = 2, **more: Any) -> Future[Ran]:
        """Ask for some rows, each of the same value in all columns."""
        x = np.repeat(np.array(rows, np.float32)[:, None], columns, axis=1)
        return self._pool.submit(self.sessions.run, manifest, ["y"], {"x": x, **more})

    def ask_during_a_run(self, *requests: tuple[float, ...]) -> list[Future[Ran]]:
        """Have one request run, then ask others, one after another; then let all runs go on."""
        first = self.ask(1)
        assert self.inner.begun.get(timeout=LONG_S) == 1
        asked = [first]
        for rows in requests:
            runs = len(self.inner.runs)
            asked.append(self.ask(*rows))
            while not self._is_gathered(rows) and len(self.inner.runs) == runs:
                time.sleep(0.001)
        self.inner.leave.release(100)
        return asked

    def _is_gathered(self, rows: tuple[float, ...]) -> bool:
        batches = list(self.sessions._gathering.values())
        return any(member["x"][0, 0] == rows[0] for batch in batches for member in batch.members)


@pytest.fixture
def world() -> Any:
    with ThreadPoolExecutor(16) as pool:
        yield World(pool)


def answered(asked: list[Future[Ran]]) -> list[list[float]]:
    return [future.result(LONG_S).outputs[0][:, 0].tolist() for future in asked]


def test_a_request_alone_runs_at_once(world: World) -> None:
    world.inner.leave.release()
    ran = world.ask(1).result(LONG_S)

    assert (ran.outputs[0].tolist(), ran.opened, world.inner.runs) == ([[2, 2]], Opening(1, 2, "model.onnx"), [1])


def test_those_that_come_during_a_run_are_computed_together(world: World) -> None:
    asked = world.ask_during_a_run((2,), (3, 4), (5,))

    assert answered(asked) == [[2], [4], [6, 8], [10]]
    assert world.inner.runs == [1, 4]


def test_one_of_a_batch_says_what_opening_took(world: World) -> None:
    asked = world.ask_during_a_run((2,), (3,))

    assert [future.result(LONG_S).opened is None for future in asked] == [False, True, True]


def test_a_full_batch_does_not_wait_for_the_run_before(world: World) -> None:
    world.ask(1)
    assert world.inner.begun.get(timeout=LONG_S) == 1
    for rows in ((2,), (3,), (4,), (5,)):
        world.ask(*rows)

    assert world.inner.begun.get(timeout=LONG_S) == 4
    world.inner.leave.release(2)


def test_what_does_not_fit_begins_the_next_batch(world: World) -> None:
    asked = world.ask_during_a_run((2, 3, 4), (5, 6))

    assert answered(asked) == [[2], [4, 6, 8], [10, 12]]
    assert sorted(world.inner.runs) == [1, 2, 3]


def test_nobody_waits_longer_than_the_limit() -> None:
    with ThreadPoolExecutor(4) as pool:
        world = World(pool, BatchLimit(4, 0.001))
        world.ask(1)
        assert world.inner.begun.get(timeout=LONG_S) == 1
        world.ask(2)  # the run before it goes on until it is given leave

        assert world.inner.begun.get(timeout=LONG_S) == 1
        world.inner.leave.release(2)


def test_a_request_that_fails_does_not_fail_its_neighbours(world: World) -> None:
    asked = world.ask_during_a_run((2,), (13,), (3,))

    assert answered([asked[0], asked[1], asked[3]]) == [[2], [4], [6]]
    with pytest.raises(InferenceFailed, match="thirteen"):
        asked[2].result(LONG_S)
    assert sorted(world.inner.runs) == [1, 1, 1, 1, 3]


def test_a_model_whose_rows_do_not_stay_is_not_batched_again(world: World) -> None:
    world.inner.loses_rows = True
    asked = world.ask_during_a_run((2,), (3,))
    assert answered(asked) == [[2], [4], [6]]
    assert sorted(world.inner.runs) == [1, 1, 1, 2]

    world.inner.runs.clear()
    assert answered([world.ask(row) for row in (1, 2, 3)]) == [[2], [4], [6]]
    assert world.inner.runs == [1, 1, 1]


@pytest.mark.parametrize(
    "manifest",
    [
        manifests.manifest("other"),
        manifests.manifest("iris", signature=signature({"x": ("FP32", (1, 2))}, {"y": ("FP32", (-1, 2))})),
        manifests.manifest("iris", signature=signature({"x": ("FP32", (-1, 2))}, {"y": ("FP32", (2,))})),
        manifests.manifest("iris", signature=signature({"x": ("FP32", (-1, 2))}, {"y": ("FP32", ())})),
    ],
    ids=["a model without a limit", "an input with one row", "an output without rows", "a number as output"],
)
def test_what_cannot_be_batched_is_run_by_itself(world: World, manifest: Manifest) -> None:
    for _ in range(3):
        world.ask(1, manifest=manifest)

    assert [world.inner.begun.get(timeout=LONG_S) for _ in range(3)] == [1, 1, 1]
    world.inner.leave.release(3)


def test_a_request_as_large_as_a_batch_is_run_by_itself(world: World) -> None:
    world.ask(1)
    assert world.inner.begun.get(timeout=LONG_S) == 1
    world.ask(1, 2, 3, 4)

    assert world.inner.begun.get(timeout=LONG_S) == 4
    world.inner.leave.release(2)


def test_inputs_with_different_numbers_of_rows_are_run_by_themselves(world: World) -> None:
    world.ask(1)
    assert world.inner.begun.get(timeout=LONG_S) == 1
    world.ask(2, other=np.zeros((3, 1), np.float32))

    assert world.inner.begun.get(timeout=LONG_S) == 1
    world.inner.leave.release(2)


def test_requests_of_other_shapes_wait_for_their_own_batch(world: World) -> None:
    first, wide = world.ask(1), world.ask(1, columns=3)
    assert [world.inner.begun.get(timeout=LONG_S) for _ in range(2)] == [1, 1]
    world.inner.leave.release(2)

    assert [future.result(LONG_S).outputs[0].shape for future in (first, wide)] == [(1, 2), (1, 3)]


def test_all_else_is_the_sessions_own(world: World) -> None:
    assert world.sessions.load(IRIS) == Opening(1, 2, "iris")
    assert world.sessions.is_open(IRIS)
    assert not world.sessions.is_open(manifests.manifest("iris", 4))
