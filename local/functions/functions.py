"""Functions by name, version and alias; invoking one finds or makes the execution environment that runs it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from local.functions import surroundings
from local.functions.environment import Call, Environment, Site
from local.functions.events import EventQueue, QueuedEvent
from local.functions.pool import Pool
from local.functions.registry import Registry, Resolved
from local.functions.warden import Warden
from local.types import FunctionConfig, Invocation, LogSink, PayloadTooLarge

MAX_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
"""Of a synchronous invocation; its answer may have 100 bytes more (`runtime_api.MAX_RESPONSE_BYTES`)."""
MAX_EVENT_BYTES: Final = 1024 * 1024
"""Of an asynchronous invocation."""

_REAP_EVERY_S = 5.0


@dataclass(frozen=True, kw_only=True)
class EnvironmentView:
    """What can be seen of one execution environment from outside."""

    pid: int | None
    """None while it has no process: after a crash or a timeout, until the next invocation."""
    function: str
    version: str
    state: str
    """One of the values of `environment.State`."""
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
        init_limit_s: float = 10.0,
        event_retry_delays_s: tuple[float, ...] = (60.0, 120.0),
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], uuid.UUID] = uuid.uuid4,
    ) -> None:
        """`log` is called from the invoking threads and must not raise; `endpoint_url` becomes AWS_ENDPOINT_URL.

        `clock` says how long an environment was idle; timeouts and durations are always real time.
        """
        self._registry = Registry()
        self.warden = Warden()  # also for what else the twin starts
        self._now, self._new_id = now, new_id
        self._site = Site(
            root=self.warden.root,
            warden=self.warden,
            runtime_dir=surroundings.link_runtime(self.warden.root / "runtime"),
            log=log,
            endpoint_url=endpoint_url,
            init_limit_s=init_limit_s,
            now=now,
        )
        self._pool = Pool(limit=account_concurrency, idle_s=idle_s, clock=clock, make=self._new_environment)
        self._events = EventQueue(self._run_event, workers=account_concurrency, retry_delays_s=event_retry_delays_s)
        self._closing = threading.Event()
        self._reaper = threading.Thread(target=self._reap_regularly, name="twin-reaper", daemon=True)
        self._reaper.start()

    def put(self, config: FunctionConfig) -> None:
        """Add a version, or replace $LATEST. Raises: ValueError if the version exists and differs."""
        layers = tuple(layer.absolute() for layer in config.layer_dirs)
        replaced = self._registry.put(replace(config, code_dir=config.code_dir.absolute(), layer_dirs=layers))
        if replaced is not None:
            self._pool.retire(replaced)

    def alias(self, function: str, alias: str, version: str) -> None:
        """Point an alias at a version. Raises: FunctionNotFound."""
        self._registry.alias(function, alias, version)

    def remove(self, name: str) -> None:
        """Forget a function, its versions and aliases, and stop its environments. Unknown names are ignored."""
        for release in self._registry.remove(name):
            self._pool.retire(release)

    def invoke(self, function: str, payload: bytes, *, qualifier: str | None = None) -> Invocation:
        """Invoke synchronously (RequestResponse). Raises: Throttled, FunctionNotFound, PayloadTooLarge."""
        _check_size(payload, MAX_PAYLOAD_BYTES)
        return self._run(self._registry.resolve(function, qualifier), payload, str(self._new_id()))

    def invoke_event(self, function: str, payload: bytes, *, qualifier: str | None = None) -> str:
        """Queue an asynchronous invocation (Event, answered 202); give its request id.

        A function error is tried again after one and two minutes; throttled attempts wait.
        Raises: FunctionNotFound, PayloadTooLarge.
        """
        _check_size(payload, MAX_EVENT_BYTES)
        self._registry.resolve(function, qualifier)
        event = QueuedEvent(
            function=function,
            payload=payload,
            qualifier=qualifier,
            request_id=str(self._new_id()),
            queued=time.monotonic(),
        )
        self._events.put(event)
        return event.request_id

    def dry_run(self, function: str, *, qualifier: str | None = None) -> str:
        """Resolve as `invoke` would, run nothing (DryRun, answered 204); give the version. Raises: FunctionNotFound."""
        return self._registry.resolve(function, qualifier).release.config.version

    def environments(self) -> list[EnvironmentView]:
        """All environments that are not dead."""
        return [
            EnvironmentView(
                pid=environment.pid,
                function=environment.config.name,
                version=environment.config.version,
                state=environment.state.value,
                log_stream=environment.log_stream,
            )
            for environment in self._pool.live()
        ]

    def reap(self) -> int:
        """Stop environments that were idle for `idle_s`; give their number. A background thread does it regularly."""
        return self._pool.reap()

    def close(self) -> None:
        """Stop everything: no process, no directory and no port is left. Idempotent."""
        self._closing.set()
        self._reaper.join()
        self._pool.close()
        self._events.close()
        self.warden.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, resolved: Resolved, payload: bytes, request_id: str) -> Invocation:
        sampled = int(resolved.release.config.tracing_active)
        unique = self._new_id().hex
        call = Call(
            request_id=request_id,
            payload=payload or b"{}",
            arn=resolved.arn,
            trace_id=f"Root=1-{int(self._now().timestamp()):08x}-{unique[:24]};Parent={unique[16:]};Sampled={sampled}",
        )
        with self._pool.lease(resolved.release, resolved.reserved) as environment:
            return environment.invoke(call)

    def _run_event(self, event: QueuedEvent) -> Invocation:
        return self._run(self._registry.resolve(event.function, event.qualifier), event.payload, event.request_id)

    def _new_environment(self, config: FunctionConfig) -> Environment:
        return Environment(config, self._site, unique=self._new_id().hex)

    def _reap_regularly(self) -> None:
        while not self._closing.wait(_REAP_EVERY_S):
            self._pool.reap()


def _check_size(payload: bytes, limit: int) -> None:
    if len(payload) > limit:
        raise PayloadTooLarge(f"{len(payload)} bytes: Request must be smaller than {limit} bytes")
