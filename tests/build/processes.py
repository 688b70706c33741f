"""A command in a process group of its own, watched with everything that it starts."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil

ROOT = Path(__file__).resolve().parents[2]
_ENDS_WITHIN_S = 60.0
_POLL_S = 0.05


class Watched:
    """A running command: what it printed, and which processes it and its children have been."""

    def __init__(self, process: subprocess.Popen[bytes], printed: Path) -> None:
        self._process, self._printed = process, printed
        self._seen: set[psutil.Process] = {psutil.Process(process.pid)}

    @property
    def printed(self) -> str:
        """Standard output and error so far."""
        return self._printed.read_text(encoding="utf-8")

    def waits_for(self, text: str) -> str:
        """Wait until it has printed this; return all that was printed."""
        while text not in (printed := self.printed):
            assert self._process.poll() is None, printed
            self._look()
        return printed

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group, as a terminal does on Ctrl-C."""
        os.killpg(self._process.pid, number)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command alone."""
        self._process.send_signal(number)

    def ends(self) -> int:
        """Wait until it ends and return its exit code."""
        until = time.monotonic() + _ENDS_WITHIN_S
        while self._process.poll() is None:
            assert time.monotonic() < until, f"did not end:\n{self.printed}"
            self._look()
        return self._process.returncode

    def left(self) -> list[psutil.Process]:
        """Return the processes that still run, of all that were seen below it."""
        return [process for process in self._seen if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]

    @property
    def started(self) -> int:
        """How many processes it started, as far as they were seen."""
        return len(self._seen) - 1

    def _look(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._seen.update(psutil.Process(self._process.pid).children(recursive=True))
        time.sleep(_POLL_S)


@contextmanager
def watched(*arguments: str, printed: Path, environ: Mapping[str, str]) -> Iterator[Watched]:
    """Run `python ARGUMENTS` at the repository's root; at the end nothing of it is left."""
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    command = Watched(process, printed)
    try:
        yield command
    finally:
        for left in command.left():
            with contextlib.suppress(psutil.NoSuchProcess):
                left.kill()
        process.wait()


def endpoint_in(printed: str) -> str:
    """Return the endpoint that a twin's banner names."""
    found = re.search(r"^endpoint +(http://\S+)$", printed, re.MULTILINE)
    assert found, printed
    return found.group(1)


def somebody_listens(url: str) -> bool:
    """Say whether a connection to the URL's host and port is taken."""
    where = urlsplit(url)
    try:
        socket.create_connection((where.hostname or "", where.port or 80), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True
