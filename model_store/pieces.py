"""An object that comes in pieces over several connections, each digested by the thread that fetches it.

The pieces are the parts whose digests a manifest holds (`integrity.part_bounds`), so that they may come in any order
and two cores share the work. On the inference function's cold path: few imports.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from model_store.integrity import part_bounds

MAX_CONNECTIONS: Final = 8
"""Two pieces to each: S3 gives a connection some 90 MB/s, and a piece costs a wait for its first byte."""
NEAR_CONNECTIONS: Final = 2
"""At first. More are opened unless bytes come as fast as a processor takes them: more would get in each other's way."""
NEAR_BYTES_PER_S: Final = 300e6
"""More than two connections to S3 give."""
TICK_S: Final = 0.005
"""After so long it is decided, and again."""

Fetch = Callable[[int, int, Callable[[int], bool]], str]
"""Have the bytes from one place to another in the file, return their sha256. The third is told how many bytes came; it
says whether all is lost, so that there is no use in more."""


class _Progress:
    """Which pieces are taken, and what came of them. All methods are called from several threads."""

    def __init__(self, size: int) -> None:
        self._bounds = part_bounds(size)
        self._taken = 0
        self._lock = threading.Lock()
        self.digests = [""] * (len(self._bounds) - 1)
        self.failure: BaseException | None = None
        self.received = 0

    def came(self, count: int) -> bool:
        """Count bytes; say whether a piece failed."""
        self.received += count  # two at once may count as one: it says how fast they come
        return self.failure is not None

    def has_more(self) -> bool:
        """Whether there is a piece to take."""
        return self._taken < len(self.digests) and self.failure is None

    def fail(self, error: BaseException) -> None:
        """Note why a piece will never be there; the first reason counts."""
        self.failure = self.failure or error

    def work(self, fetch: Fetch) -> None:
        """Fetch pieces until there is none to take."""
        while (index := self._take()) is not None:
            try:
                self.digests[index] = fetch(self._bounds[index], self._bounds[index + 1], self.came)
            except BaseException as error:  # noqa: BLE001 - of another thread: whoever waits for the file raises it
                self.fail(error)

    def _take(self) -> int | None:
        with self._lock:
            if not self.has_more():
                return None
            self._taken += 1
            return self._taken - 1


class _Worker(threading.Thread):
    """One connection's thread. `has_ended` once it writes no more."""

    def __init__(self, progress: _Progress, fetch: Fetch) -> None:
        super().__init__(daemon=True)
        self._progress, self._fetch = progress, fetch
        self.has_ended = threading.Event()

    def run(self) -> None:
        """Fetch pieces."""
        try:
            self._progress.work(self._fetch)
        finally:
            self.has_ended.set()


def fetch_pieces(size: int, fetch: Fetch) -> tuple[str, ...]:
    """Have a whole file fetched, return the sha256 of each part, in hex.

    Raises: what `fetch` raises, once nobody writes to the file any more; other pieces are given up then.
    """
    progress = _Progress(size)
    started: list[_Worker] = []

    def begin(count: int) -> None:
        while len(started) < min(count, len(progress.digests)):
            started.append(_Worker(progress, fetch))  # before it starts: that may be interrupted
            started[-1].start()

    try:
        if len(progress.digests) > 1:
            begin(NEAR_CONNECTIONS)
            before = 0
            while progress.has_more() and len(started) == NEAR_CONNECTIONS:
                started[0].has_ended.wait(TICK_S)
                if progress.received - before < NEAR_BYTES_PER_S * TICK_S and progress.has_more():
                    begin(MAX_CONNECTIONS)
                before = progress.received
            for worker in started:
                worker.has_ended.wait()
        else:
            progress.work(fetch)
    except BaseException as error:
        progress.fail(error)
        raise
    finally:  # whatever happens here, nobody may write to the file's number once it is closed
        for worker in started:
            if worker.ident is not None:  # one that has not begun finds that all is lost
                worker.has_ended.wait()  # not `join` alone: interrupted once, it takes a thread for ended that is not
                worker.join()
    if progress.failure is not None:
        raise progress.failure
    return tuple(progress.digests)
