"""A small process that outlives the twin for a moment: when the twin ends, however it ends, nothing of it stays.

It makes the twin's scratch directory, so that there is none without somebody to remove it, and tells where it is.
Then it reads `+<group>` and `-<group>` lines from its standard input. At the end of input (the twin has closed it, or
has died and the system closed it) it kills the process groups that are left and removes the directory.
It does what PR_SET_PDEATHSIG does, but for whole groups, on every POSIX system, and whichever thread forked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path


def watch(lines: Iterable[str], root: str) -> None:
    """The warden's life: follow the lines to their end, then clean up."""
    groups: set[int] = set()
    for line in lines:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    shutil.rmtree(root, ignore_errors=True)


class Warden:
    """The twin's end of it. `root` is the scratch directory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # In a session of its own: Ctrl-C reaches the twin alone, which then closes the pipe.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        with self._process.stdout as told:
            self.root = Path(told.readline().decode().rstrip("\n"))

    def guard(self, group: int) -> None:
        """Take a process group into care."""
        self._tell(f"+{group}\n")

    def release(self, group: int) -> None:
        """The group is gone: its number may be used again by others."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Let it clean up and end. Idempotent."""
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        with self._lock, contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


if __name__ == "__main__":
    scratch = tempfile.mkdtemp(prefix="warmstart-twin-")
    with contextlib.suppress(BrokenPipeError):  # the twin is gone already
        os.write(1, f"{scratch}\n".encode())
    watch(sys.stdin, scratch)
