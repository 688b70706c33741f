"""Requests to the thread that computes them, as many at once as may be, and no more waiting than may."""

from __future__ import annotations

from collections.abc import Callable, Collection
from queue import SimpleQueue
from threading import Thread
from time import perf_counter_ns, thread_time_ns
from typing import TYPE_CHECKING, Final, Protocol

from handlers.server.pace import Pace
from warmstart.errors import Overloaded
from warmstart.protocols.wire import INPUT_LOCATION, OUTPUT_LOCATION

if TYPE_CHECKING:
    from handlers.inference.answers import Answer
    from warmstart.errors import WarmstartError
    from warmstart.protocols.wire import Request

SMALL_BYTES: Final = 16_384
"""A larger body may take a millisecond to read alone."""

Done = Callable[["Answer"], None]
"""Takes an answer, on the loop's thread."""


class Plane(Protocol):
    """Answers requests; `handlers.inference.data_plane.DataPlane` is one."""

    def respond(self, request: Request, request_id: str, trace_id: str | None = None) -> Answer:
        """Answer one request; nothing is raised."""
        ...

    def refuse(self, error: WarmstartError, path: str, request_id: str, trace_id: str | None = None) -> Answer:
        """Refuse a request that is not let in."""
        ...

    def is_instant(self, request: Request) -> bool:
        """Say whether a request is answered without a model and without the store."""
        ...

    def is_warm(self, request: Request) -> bool:
        """Say whether a request waits for nothing but its computation."""
        ...


class Dispatcher:
    """Has requests answered: quick ones at once, all others on `threads` threads of their own.

    At most `queue` requests are computed there or wait; one more is refused with `Overloaded`. `call_soon` runs a
    function on the thread that `dispatch` is called from. Models in `batched` are never computed on it, as a request
    that waits there for others would keep them from being read. `opened` is called when a request opened a model,
    `answered_here` when one was answered on the thread that dispatches.
    """

    def __init__(
        self,
        plane: Plane,
        *,
        threads: int,
        queue: int,
        call_soon: Callable[..., object],
        opened: Callable[[], object],
        answered_here: Callable[[], object] = lambda: None,
        batched: Collection[str] = (),
        pace: Pace | None = None,
    ) -> None:
        self._plane, self._queue, self._call_soon = plane, queue, call_soon
        self._opened, self._answered_here = opened, answered_here
        self._batched, self._pace = frozenset(batched), pace or Pace()
        self._threads, self._started = threads, 0
        self._taken = 0
        self._work: SimpleQueue[tuple[Request, str, str | None, Done]] = SimpleQueue()

    def dispatch(self, request: Request, request_id: str, trace_id: str | None, done: Done) -> None:
        """Have a request answered: `done` is called with the answer, now or later."""
        if self._is_for_here(request):
            started = perf_counter_ns()
            found = self._plane.respond(request, request_id, trace_id)
            self._pace.note(request.path, perf_counter_ns() - started)
            done(found)
            self._answered_here()
        elif self._taken >= self._queue:
            done(self._plane.refuse(self._overloaded(), request.path, request_id, trace_id))
        else:
            self._taken += 1
            if self._started < min(self._taken, self._threads):  # a thread that is never needed takes no memory
                Thread(target=self._compute, name=f"compute-{self._started}", daemon=True).start()
                self._started += 1
            self._work.put((request, request_id, trace_id, done))

    def refuse(self, error: WarmstartError, path: str, request_id: str) -> Answer:
        """Answer a request that could not be read."""
        return self._plane.refuse(error, path, request_id)

    def _is_for_here(self, request: Request) -> bool:
        """Say whether to answer on this thread. Whoever asks whether the server lives is never told that it is busy."""
        if len(request.body) > SMALL_BYTES or (request.body and "content-encoding" in request.headers):
            return False  # what is compressed may be a thousand times larger
        if INPUT_LOCATION in request.headers or OUTPUT_LOCATION in request.headers:
            return False  # S3 is waited for
        return (self._pace.is_quick(request.path) and self._plane.is_warm(request)) or self._plane.is_instant(request)

    def _compute(self) -> None:
        while True:
            request, request_id, trace_id, done = self._work.get()
            started = thread_time_ns()  # of its own: what it waited for others says nothing about it
            found = self._plane.respond(request, request_id, trace_id)
            if found.model is None or found.model.name not in self._batched:
                self._pace.note(request.path, thread_time_ns() - started)
            self._call_soon(self._finish, found, done)
            if found.ran is not None and found.ran.opened is not None:
                self._opened()

    def _finish(self, found: Answer, done: Done) -> None:
        self._taken -= 1
        done(found)

    def _overloaded(self) -> Overloaded:
        return Overloaded(f"server: expected at most {self._queue} requests at once, got one more; send it again later")
