"""A twin in a process of its own: for test sessions, whose process moto's own mocks may reset at any moment."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from local import ready
from local.deploy import APP, Cdk
from local.functions.warden import Warden
from local.twin import NO_SETTINGS, ROOT
from local.types import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, TwinAddress
from warmstart.errors import Unreachable

if TYPE_CHECKING:
    import boto3

_START_WITHIN_S: Final = 300.0
"""The first start of all builds the layers."""
_STOP_WITHIN_S: Final = 15.0
_POLL_S: Final = 0.05
_RUNTIME: Final = "awslambdaric"


class TwinProcess:
    """A running twin, seen from outside. Start it with `TwinProcess.start`, as a context manager."""

    def __init__(self, process: subprocess.Popen[bytes], address: TwinAddress, cdk: Cdk, closing: ExitStack) -> None:
        self.address, self.cdk = address, cdk
        self._process, self._closing = process, closing

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        data: Path | None = None,
        context: Mapping[str, str] = NO_SETTINGS,
        app: str = APP,
        root: Path = ROOT,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Start one and return when it serves. Raises: Unreachable, with what it printed."""
        environ = dict(os.environ if environ is None else environ)
        with ExitStack() as closing:
            warden = Warden()  # so that nothing stays if the test session itself is killed
            closing.callback(warden.close)
            ready_file, printed = warden.root / "ready.json", warden.root / "printed"
            command = [sys.executable, "-m", "local", "--port", str(port), "--ready-file", str(ready_file)]
            command += ["--app", app, *(["--data", str(data.absolute())] if data else [])]
            command += [argument for key, value in context.items() for argument in ("--context", f"{key}={value}")]
            with printed.open("wb") as output:
                process = subprocess.Popen(
                    command,
                    cwd=root,
                    env=environ,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            warden.guard(process.pid)
            closing.callback(warden.release, process.pid)
            closing.callback(_end, process)
            _wait(process, ready_file, printed)
            address = ready.read(ready_file)
            cdk = Cdk(
                root=root,
                aws_url=address.aws_endpoint_url,
                environ=environ,
                context=tuple(sorted(context.items())),
                app=app,
            )
            return cls(process, address, cdk, closing.pop_all())

    @property
    def pid(self) -> int:
        """The twin's process id."""
        return self._process.pid

    @property
    def session(self) -> boto3.Session:
        """A boto3 session with the twin's credentials; give its clients `endpoint_url=address.aws_endpoint_url`."""
        import boto3

        return boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION)

    def logs(self, group: str) -> list[str]:
        """Return the lines of a CloudWatch log group, oldest first."""
        logs = self.session.client("logs", endpoint_url=self.address.aws_endpoint_url)
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]

    def environments(self) -> list[int]:
        """Return the process ids of the execution environments that live now."""
        import psutil

        found = []
        for child in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if _RUNTIME in child.cmdline():
                    found.append(child.pid)
        return found

    def kill(self) -> None:
        """Kill the twin as a crash would, so that nothing is tidied up."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Stop it. Idempotent."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _wait(process: subprocess.Popen[bytes], ready_file: Path, printed: Path) -> None:
    until = time.monotonic() + _START_WITHIN_S
    while not ready_file.exists():
        if process.poll() is not None:
            raise Unreachable(f"the twin ended with exit code {process.returncode}:\n{printed.read_text()}")
        if time.monotonic() > until:
            raise Unreachable(f"the twin was not ready in {_START_WITHIN_S:.0f} s:\n{printed.read_text()}")
        time.sleep(_POLL_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the twin to stop; end it and all that it started if it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_WITHIN_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
