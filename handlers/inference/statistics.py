"""What each version did in this process: counted as it happens, read by the statistics extension."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from warmstart.protocols.oip_documents import Statistics
    from warmstart.refs import ModelRef


MOST_KEPT: Final = 1000
"""Inferences that are kept until they are added up: half a millisecond's work, once."""


class Counters:
    """One version's counts and sums of nanoseconds; `last_s` is when it last answered, since the epoch."""

    __slots__ = ("fail_count", "fail_ns", "last_s", "read_ns", "rows", "run_ns", "runs", "write_ns")

    def __init__(self) -> None:
        self.last_s = 0.0
        self.rows = self.runs = self.fail_count = 0
        self.fail_ns = self.read_ns = self.run_ns = self.write_ns = 0

    def read(self) -> Statistics:
        """Return them as a value."""
        from warmstart.protocols.oip_documents import Duration, Statistics

        runs = self.runs
        return Statistics(
            last_ms=int(self.last_s * 1000),
            rows=self.rows,
            runs=runs,
            success=Duration(runs, self.read_ns + self.run_ns + self.write_ns),
            fail=Duration(self.fail_count, self.fail_ns),
            read=Duration(runs, self.read_ns),
            run=Duration(runs, self.run_ns),
            write=Duration(runs, self.write_ns),
        )


class Tally:
    """All versions' counters, by their references. `clock` gives seconds since the epoch. Safe for several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counters: dict[ModelRef, Counters] = {}
        self._kept: deque[tuple[ModelRef, int, int, int, int, float]] = deque()
        self._lock = Lock()

    def succeeded(self, model: ModelRef, rows: int, read_ns: int, run_ns: int, write_ns: int) -> None:
        """Count an inference that was answered. It is kept as it is, which needs no lock, and added up with others."""
        self._kept.append((model, rows, read_ns, run_ns, write_ns, self._clock()))
        if len(self._kept) >= MOST_KEPT:
            with self._lock:
                self._add()

    def failed(self, model: ModelRef, spent_ns: int) -> None:
        """Count an inference that was refused, or that failed, once its model was known."""
        with self._lock:
            counters = self._of(model)
            counters.fail_count += 1
            counters.fail_ns += spent_ns

    def read(self, model: ModelRef | None = None) -> dict[ModelRef, Statistics]:
        """Return one version's, or all; a version that was not asked yet has none counted."""
        with self._lock:
            self._add()
            if model is not None:
                return {model: self._counters.get(model, Counters()).read()}
            return {each: self._counters[each].read() for each in sorted(self._counters)}

    def _add(self) -> None:
        for _ in range(len(self._kept)):
            model, rows, read_ns, run_ns, write_ns, now_s = self._kept.popleft()
            counters = self._of(model)
            counters.runs += 1
            counters.rows += rows
            counters.read_ns += read_ns
            counters.run_ns += run_ns
            counters.write_ns += write_ns
            counters.last_s = max(counters.last_s, now_s)

    def _of(self, model: ModelRef) -> Counters:
        if (found := self._counters.get(model)) is None:
            found = self._counters[model] = Counters()
        return found
