"""Adaptive micro-batching: requests that wait for the same model at the same time are computed as one.

It stands in front of the sessions, so that every protocol profits. A request that finds its model idle runs at once.
While a run is under way, those that come gather: the first of them leads, and runs all when the run before has ended,
when the batch is full, or when it has waited `max_delay_s`, whichever is first. If a batch fails, each request is
computed by itself, so that no request suffers for its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Condition, Event, Lock
from typing import TYPE_CHECKING

import numpy as np

from handlers.inference.service import Sessions
from handlers.inference.sessions import Opening, Ran
from handlers.server.settings import BatchLimit
from warmstart.errors import ModelFailure

if TYPE_CHECKING:
    from model_store.manifest import Manifest
    from warmstart.tensors import Tensor, TensorSpec

Key = tuple[str, int, tuple[str, ...], tuple[tuple[str, str, tuple[int, ...]], ...]]
"""A version, the outputs asked for, and of each input its name, datatype and shape without the first dimension."""


class _Batch:
    """Requests that are to be computed together. `outcome` is there once that was done, and did not fail."""

    def __init__(self, lock: Lock, inputs: Mapping[str, Tensor], rows: int) -> None:
        self.changed = Condition(lock)
        self.done = Event()
        self.members, self.sizes, self.rows = [inputs], [rows], rows
        self.outcome: Ran | None = None

    def join(self, inputs: Mapping[str, Tensor], rows: int) -> int:
        """Add a request, return its place."""
        self.members.append(inputs)
        self.sizes.append(rows)
        self.rows += rows
        self.changed.notify()
        return len(self.members) - 1

    def part(self, place: int, ran: Ran, opened: Opening | None) -> Ran:
        """Cut one request's rows out of what was computed."""
        start = sum(self.sizes[:place])
        rows = slice(start, start + self.sizes[place])
        return Ran([output[rows] for output in ran.outputs], ran.run_ns, opened, ran.open_sessions)


class BatchingSessions:
    """`Sessions` that batch the models that `limits` names, and hand on all else as it is."""

    def __init__(self, sessions: Sessions, limits: Mapping[str, BatchLimit]) -> None:
        self._sessions, self._limits = sessions, limits
        self._lock = Lock()
        self._gathering: dict[Key, _Batch] = {}
        self._running: dict[Key, int] = {}
        self._indivisible: set[tuple[str, int]] = set()

    def load(self, manifest: Manifest) -> Opening | None:
        """Have a model open."""
        return self._sessions.load(manifest)

    def is_open(self, manifest: Manifest) -> bool:
        """Say whether it is open already."""
        return self._sessions.is_open(manifest)

    def run(self, manifest: Manifest, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> Ran:
        """Compute outputs, with those of others where that is allowed and they fit. Raises: as the sessions do."""
        limit = self._limits.get(manifest.name)
        if limit is None or (rows := self._rows(manifest, inputs)) is None or rows >= limit.max_batch_size:
            return self._sessions.run(manifest, outputs, inputs)
        tensors = tuple((name, array.dtype.str, array.shape[1:]) for name, array in inputs.items())
        key = (manifest.name, manifest.version, tuple(outputs), tuple(sorted(tensors)))
        with self._lock:
            batch = self._gathering.get(key)
            if batch is not None and batch.rows + rows <= limit.max_batch_size:
                place = batch.join(inputs, rows)
            else:
                if batch is not None:
                    batch.changed.notify()  # it is full enough: this one begins the next
                batch, place = _Batch(self._lock, inputs, rows), 0
                self._gathering[key] = batch
                self._gather(key, batch, limit)
        if place == 0:
            return self._lead(key, batch, manifest, outputs)
        batch.done.wait()
        if (ran := batch.outcome) is None:
            return self._sessions.run(manifest, outputs, inputs)
        return batch.part(place, ran, None)

    def _rows(self, manifest: Manifest, inputs: Mapping[str, Tensor]) -> int | None:
        """Count the rows of a request; None if it cannot be computed with others."""
        signature = manifest.signature
        specs = (*signature.inputs, *signature.outputs)
        if (manifest.name, manifest.version) in self._indivisible or not all(map(_has_open_batch, specs)):
            return None
        counts = {array.shape[0] for array in inputs.values()}
        return counts.pop() if len(counts) == 1 else None

    def _gather(self, key: Key, batch: _Batch, limit: BatchLimit) -> None:
        """Wait until the batch is to run, with the lock held; then nobody joins any more."""
        batch.changed.wait_for(
            lambda: (
                key not in self._running or batch.rows >= limit.max_batch_size or self._gathering.get(key) is not batch
            ),
            limit.max_delay_s,
        )
        if self._gathering.get(key) is batch:
            del self._gathering[key]
        self._running[key] = self._running.get(key, 0) + 1

    def _lead(self, key: Key, batch: _Batch, manifest: Manifest, outputs: Sequence[str]) -> Ran:
        """Run a batch, return what is the first request's; wake who waits for it, whatever happens."""
        try:
            if len(batch.members) > 1:
                batch.outcome = self._together(key, batch, manifest)
                batch.done.set()
                if (ran := batch.outcome) is not None:
                    return batch.part(0, ran, ran.opened)
            return self._sessions.run(manifest, outputs, batch.members[0])
        finally:
            batch.done.set()
            self._finish(key)

    def _together(self, key: Key, batch: _Batch, manifest: Manifest) -> Ran | None:
        names = [name for name, _, _ in key[3]]
        inputs = {name: np.concatenate([member[name] for member in batch.members]) for name in names}
        try:
            ran = self._sessions.run(manifest, key[2], inputs)
        except ModelFailure:
            return None
        if all(output.shape[:1] == (batch.rows,) for output in ran.outputs):
            return ran
        self._indivisible.add((manifest.name, manifest.version))
        return None

    def _finish(self, key: Key) -> None:
        with self._lock:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]
            if (waiting := self._gathering.get(key)) is not None:
                waiting.changed.notify()


def _has_open_batch(spec: TensorSpec) -> bool:
    return spec.shape[:1] == (-1,)
