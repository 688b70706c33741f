"""An object that comes in pieces over several connections, and its digest, which follows the front that is whole.

Connections take the pieces in their order, so that the front moves while later pieces are under way: when the last one
is there, little is left to digest. On the inference function's cold path: few imports.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from typing import Final

from warmstart.errors import WarmstartError

WHOLE_BYTES: Final = 8 * 1024 * 1024
"""Objects up to this size come in one piece."""
PIECE_BYTES: Final = 4 * 1024 * 1024
"""Of larger ones each piece has about this size, or a sixteenth."""
MAX_PIECES: Final = 16
MAX_CONNECTIONS: Final = 8
"""Two pieces to each: S3 gives a connection some 90 MB/s, and a piece costs a wait for its first byte."""
BLOCK_BYTES: Final = 256 * 1024

Fetch = Callable[[int, int, Callable[[], bool]], None]
"""Have the bytes from one place to another in the file; may stop once the third says that all is lost."""


class _Progress:
    """Which pieces are taken, which are there. All methods are called from several threads."""

    def __init__(self, size: int) -> None:
        count = 1 if size <= WHOLE_BYTES else min(MAX_PIECES, -(-size // PIECE_BYTES))
        self._bounds = [size * index // count for index in range(count + 1)]
        self._taken = self._whole = 0
        self._there = [False] * count
        self._failure: WarmstartError | OSError | None = None
        self._changed = threading.Condition()

    @property
    def count(self) -> int:
        """The number of pieces."""
        return len(self._there)

    def is_lost(self) -> bool:
        """Whether a piece failed."""
        return self._failure is not None

    def take(self) -> int | None:
        """Take the next piece, None if there is none to take."""
        with self._changed:
            if self._taken == self.count or self._failure is not None:
                return None
            self._taken += 1
            return self._taken - 1

    def bounds(self, index: int) -> tuple[int, int]:
        """Return where a piece starts and ends."""
        return self._bounds[index], self._bounds[index + 1]

    def arrived(self, index: int) -> None:
        """Note that a piece is there."""
        with self._changed:
            self._there[index] = True
            while self._whole < self.count and self._there[self._whole]:
                self._whole += 1
            self._changed.notify_all()

    def failed(self, error: WarmstartError | OSError) -> None:
        """Note why a piece will never be there; the first reason counts."""
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify_all()

    def wait_beyond(self, position: int) -> int:
        """Wait until more than so many bytes are there from the start on; return how many. Raises: what failed."""
        with self._changed:
            while self._failure is None and self._bounds[self._whole] <= position:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure
            return self._bounds[self._whole]


def fetch_pieces(fd: int, size: int, fetch: Fetch) -> str:
    """Have a whole file fetched, return its sha256 in hex: of what can be read from the file.

    Raises: what `fetch` raises, once nobody writes to the file any more; other pieces are given up then.
    """
    progress = _Progress(size)

    def work() -> None:
        while (index := progress.take()) is not None:
            try:
                fetch(*progress.bounds(index), progress.is_lost)
            except (WarmstartError, OSError) as error:
                progress.failed(error)
            else:
                progress.arrived(index)

    if progress.count == 1:
        fetch(0, size, progress.is_lost)
        progress.arrived(0)
        return _follow(fd, size, progress)
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(MAX_CONNECTIONS, progress.count))]
    started: list[threading.Thread] = []
    done = False
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
        digest = _follow(fd, size, progress)
        done = True
    finally:  # whatever happens here, nobody may write to the file's number once it is closed
        if not done:
            progress.failed(InterruptedError("given up"))
        for thread in started:
            thread.join()
    return digest


def _follow(fd: int, size: int, progress: _Progress) -> str:
    digest, block = hashlib.sha256(), memoryview(bytearray(BLOCK_BYTES))
    position = 0
    while position < size:
        front = progress.wait_beyond(position)
        while position < front:
            count = os.preadv(fd, [block[: front - position]], position)
            digest.update(block[:count])
            position += count
    return digest.hexdigest()
