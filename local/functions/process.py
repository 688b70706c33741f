"""One runtime process: started in a session of its own, watched, frozen and thawed, and killed with all it started."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import psutil

from local.functions.warden import Warden

MB: Final = 1024 * 1024

_CHUNK = 64 * 1024
_POLL_S = 0.005
_FAMILY_S = 1.0  # finding descendants reads every process of the machine


class RuntimeProcess:
    """A running `awslambdaric`. All but `kill` is for the one thread that has the environment."""

    def __init__(
        self,
        command: list[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        selector: selectors.BaseSelector,
        write: Callable[[bytes], None],
        warden: Warden,
    ) -> None:
        """`write` gets what the process writes on standard output and error, in its order, by the selector's call."""
        self._selector, self._write, self._warden = selector, write, warden
        self._lock = threading.Lock()
        self._reaped = False
        self._family: list[psutil.Process] = []
        self._family_seen = time.monotonic()
        reading, writing = os.pipe()
        try:
            self._popen = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        warden.guard(self.pid)
        os.set_blocking(reading, False)
        self._pipe: int | None = reading
        selector.register(reading, selectors.EVENT_READ, self._read)
        self._pidfd = self._watch_exit()

    @property
    def pid(self) -> int:
        """Also the number of its process group."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """As `subprocess` gives it, negative for a signal; None while it runs. Leaves the process unreaped."""
        if self._reaped:
            return self._popen.returncode
        status = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if status is None:
            return None
        return status.si_status if status.si_code == os.CLD_EXITED else -status.si_status

    def drain(self) -> None:
        """Read all that it has written. For a process that is frozen or dead: another could go on for ever."""
        while self._read():
            pass

    def freeze(self) -> None:
        """Stop it and its children where they are, as Lambda does between invocations."""
        self._signal_group(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal_group(signal.SIGCONT)

    def used_bytes(self) -> int:
        """Resident memory now, of it and its descendants (who they are is looked up once a second)."""
        now = time.monotonic()
        if now - self._family_seen >= _FAMILY_S:
            self._family, self._family_seen = self._descendants(), now
        return sum(_resident(process) for process in (psutil.Process(self.pid), *self._family))

    def peak_bytes(self) -> int:
        """The most resident memory that the process itself ever had; 0 where the system does not tell (not Linux)."""
        if sys.platform != "linux":
            return 0
        try:
            status = Path(f"/proc/{self.pid}/status").read_bytes()
        except OSError:
            return 0
        _, _, rest = status.partition(b"VmHWM:")
        return int(rest.split(None, 1)[0]) * 1024 if rest else 0

    def kill(self) -> None:
        """Kill the group; from any thread. The owner sees the process gone and reaps it."""
        self._signal_group(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end (SIGTERM)."""
        self._family = self._descendants()  # once it has ended, those outside its group are nobody's children
        with self._lock:
            if not self._reaped:
                os.kill(self.pid, signal.SIGTERM)
        self.thaw()

    def reap(self, grace_s: float = 0.0) -> int:
        """Wait for the end, kill what is left after `grace_s`, and give everything back; give the exit code."""
        deadline = time.monotonic() + grace_s
        while self.exit_code() is None and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        family = {*self._family, *self._descendants()}
        self.kill()
        for stray in family:  # those that have left the group
            with contextlib.suppress(psutil.NoSuchProcess):
                stray.kill()
        with self._lock:
            code = self._popen.wait()
            self._reaped = True
        self._warden.release(self.pid)
        self.drain()
        self._close_pipe()
        if self._pidfd is not None:
            self._selector.unregister(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        return code

    def _read(self) -> bool:
        """Read a chunk; False if there is none now."""
        if self._pipe is None:
            return False
        try:
            chunk = os.read(self._pipe, _CHUNK)
        except BlockingIOError:
            return False
        if chunk:
            self._write(chunk)
        else:
            self._close_pipe()
        return bool(chunk)

    def _descendants(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.pid).children(recursive=True)
        return []

    def _signal_group(self, number: signal.Signals) -> None:
        with self._lock:
            if not self._reaped:  # unreaped, so the number is still its own
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, number)

    def _watch_exit(self) -> int | None:
        """Let the selector wake at once when the process ends; elsewhere than on Linux the next tick sees it."""
        if sys.platform != "linux":
            return None
        pidfd = os.pidfd_open(self.pid)
        self._selector.register(pidfd, selectors.EVENT_READ, lambda: None)
        return pidfd

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            self._selector.unregister(self._pipe)
            os.close(self._pipe)
            self._pipe = None


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
