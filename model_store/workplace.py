"""A folder to work in for a while, removed afterwards; also those that killed processes left behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PREFIX: Final = "warmstart-work-"
YOUNG_S: Final = 60.0
"""A folder that is younger may not be locked yet by the one who made it."""
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def workplace(*, clock: Callable[[], float] = time.time) -> Iterator[Path]:
    """Give an empty folder on the disk for temporary files. `clock` gives seconds since the epoch.

    Whoever works in one holds its lock, which ends with the process: an unlocked one is nobody's any more.
    """
    _remove_left(Path(tempfile.gettempdir()), clock())
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        lock = os.open(folder, _FOLDER)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Path(folder)
        finally:
            os.close(lock)


def _remove_left(parent: Path, now: float) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # no folder, another's, at work, or removed meanwhile
            lock = os.open(folder, _FOLDER)
            try:
                found = os.fstat(lock)
                if found.st_uid == os.getuid() and now - found.st_mtime > YOUNG_S:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder)
            finally:
                os.close(lock)
