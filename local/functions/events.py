"""Asynchronous invocations: a queue, and another attempt where one failed.

Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation": a function error
is tried again twice, after one and two more minutes; a throttled event goes back to the queue, for up to six hours.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from local.types import FunctionNotFound, Invocation, Throttled

MAX_AGE_S: Final = 6 * 3600.0
_THROTTLED_S: Final = 1.0
"""The first wait of a throttled event; Lambda starts with one second and goes up to five minutes."""
_THROTTLED_MAX_S: Final = 300.0


@dataclass(frozen=True, kw_only=True)
class QueuedEvent:
    """An invocation that nobody waits for."""

    function: str
    payload: bytes
    qualifier: str | None
    request_id: str
    """The same for all attempts."""
    queued: float
    failures: int = 0
    throttles: int = 0

    def failed(self) -> QueuedEvent:
        """The same, after a function error."""
        return replace(self, failures=self.failures + 1, throttles=0)

    def throttled(self) -> QueuedEvent:
        """The same, after it was throttled."""
        return replace(self, throttles=self.throttles + 1)


class EventQueue:
    """Runs queued events on threads of its own; they are started with the first event."""

    def __init__(
        self, invoke: Callable[[QueuedEvent], Invocation], *, workers: int, retry_delays_s: tuple[float, ...]
    ) -> None:
        self._invoke, self._retry_delays_s = invoke, retry_delays_s
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="twin-event")
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, QueuedEvent]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, event: QueuedEvent, *, after_s: float = 0.0) -> None:
        """Have it invoked after a while. Ignored when closed."""
        with self._changed:
            if self._closed:
                return
            heapq.heappush(self._heap, (time.monotonic() + after_s, next(self._order), event))
            if self._thread is None:
                self._thread = threading.Thread(target=self._dispatch, name="twin-events", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Drop what is queued and wait for what runs. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._workers.shutdown()

    def _dispatch(self) -> None:
        with self._changed:
            while not self._closed:
                wait_s = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait_s is None or wait_s > 0:
                    self._changed.wait(wait_s)
                else:
                    self._workers.submit(self._attempt, heapq.heappop(self._heap)[2])

    def _attempt(self, event: QueuedEvent) -> None:
        try:
            failed = self._invoke(event).function_error is not None
        except FunctionNotFound:
            return
        except Throttled:
            if time.monotonic() - event.queued < MAX_AGE_S:
                self.put(event.throttled(), after_s=min(_THROTTLED_MAX_S, _THROTTLED_S * 2**event.throttles))
            return
        if failed and event.failures < len(self._retry_delays_s):
            self.put(event.failed(), after_s=self._retry_delays_s[event.failures])
