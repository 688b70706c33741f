"""Functions by name, version and alias; invoking one finds or makes the execution environment that runs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from local.types import FunctionConfig, Invocation, LogSink


@dataclass(frozen=True, kw_only=True)
class EnvironmentView:
    """What can be seen of one execution environment from outside."""

    pid: int | None
    """None while it has no process: after a crash or a timeout, until the next invocation."""
    function: str
    version: str
    state: str
    log_stream: str


class Functions:
    """All functions of the twin. Every method may be called from any thread; `invoke` is an `Invoke`."""

    def __init__(
        self,
        *,
        log: LogSink,
        endpoint_url: str | None = None,
        account_concurrency: int = 10,
        idle_s: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`log` is called from the invoking threads, must not raise; `endpoint_url` becomes AWS_ENDPOINT_URL."""
        raise NotImplementedError

    def put(self, config: FunctionConfig) -> None:
        """Add a version, or replace $LATEST. Raises: ValueError if the version exists and differs."""
        raise NotImplementedError

    def alias(self, function: str, alias: str, version: str) -> None:
        """Point an alias at a version. Raises: FunctionNotFound."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """Forget a function, its versions and aliases, and stop its environments. Unknown names are ignored."""
        raise NotImplementedError

    def invoke(self, function: str, payload: bytes, *, qualifier: str | None = None) -> Invocation:
        """Invoke synchronously (RequestResponse). Raises: Throttled, FunctionNotFound, PayloadTooLarge."""
        raise NotImplementedError

    def invoke_event(self, function: str, payload: bytes, *, qualifier: str | None = None) -> str:
        """Queue an asynchronous invocation (Event, answered 202); give its request id.

        A function error is tried again after one and two minutes; throttled attempts wait.
        Raises: FunctionNotFound, PayloadTooLarge.
        """
        raise NotImplementedError

    def dry_run(self, function: str, *, qualifier: str | None = None) -> str:
        """Resolve as `invoke` would, run nothing (DryRun, answered 204); give the version. Raises: FunctionNotFound."""
        raise NotImplementedError

    def environments(self) -> list[EnvironmentView]:
        """All environments that are not dead."""
        raise NotImplementedError

    def reap(self) -> int:
        """Stop environments that were idle for `idle_s`; give their number. A background thread does it regularly."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop everything: no process, no directory and no port is left. Idempotent."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
