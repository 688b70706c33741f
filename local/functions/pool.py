"""Which environments there are, and which invocation gets one.

Source: Lambda developer guide, "Understanding Lambda function scaling", "Configuring reserved concurrency".
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from local.functions.environment import Environment, State
from local.types import FunctionConfig, Throttled

_CLOSE_S: Final = 10.0


class Release:
    """One version of a function as it was put; compared by identity, so that a replaced $LATEST is another one."""

    def __init__(self, config: FunctionConfig) -> None:
        self.config = config
        self.retired = False


class Pool:
    """Environments by release. Any thread may call."""

    def __init__(
        self, *, limit: int, idle_s: float, clock: Callable[[], float], make: Callable[[FunctionConfig], Environment]
    ) -> None:
        """`limit`: concurrent invocations of all functions together, Lambda's account quota."""
        self._limit, self._idle_s, self._clock, self._make = limit, idle_s, clock, make
        self._changed = threading.Condition()
        self._live: set[Environment] = set()
        self._idle: dict[Release, list[tuple[Environment, float]]] = {}
        """Least recently used first, each with the time since when it is idle."""
        self._busy: Counter[str] = Counter()
        self._closed = False

    @contextmanager
    def lease(self, release: Release, reserved: int | None) -> Iterator[Environment]:
        """Have an environment for one invocation: the one used last, or a new one. Raises: Throttled."""
        environment = self._take(release, reserved)
        try:
            yield environment
        finally:
            self._give_back(release, environment)

    def live(self) -> list[Environment]:
        """All environments, in no order."""
        with self._changed:
            return list(self._live)

    def retire(self, release: Release) -> None:
        """Stop a release's environments; those in an invocation, when it ends."""
        with self._changed:
            release.retired = True
            idle = [environment for environment, _ in self._idle.pop(release, [])]
        self._stop(idle)

    def reap(self) -> int:
        """Stop what has been idle for long enough; give the number."""
        limit = self._clock() - self._idle_s
        with self._changed:
            old = [environment for idle in self._idle.values() for environment, since in idle if since <= limit]
            for release, idle in list(self._idle.items()):
                self._idle[release] = [entry for entry in idle if entry[1] > limit]
                if not self._idle[release]:
                    del self._idle[release]
        self._stop(old)
        return len(old)

    def close(self) -> None:
        """Stop everything; running invocations fail. Idempotent."""
        with self._changed:
            self._closed = True
            idle = [environment for entries in self._idle.values() for environment, _ in entries]
            self._idle.clear()
            for environment in self._live.difference(idle):
                environment.kill()
        self._stop(idle)
        with self._changed:
            self._changed.wait_for(lambda: not self._live, _CLOSE_S)

    def _take(self, release: Release, reserved: int | None) -> Environment:
        name = release.config.name
        with self._changed:
            if self._closed:
                raise Throttled("the twin has been stopped")
            if reserved is not None and self._busy[name] >= reserved:
                raise Throttled(f"{name}: ReservedFunctionConcurrentInvocationLimitExceeded ({reserved})")
            if self._busy.total() >= self._limit:
                raise Throttled(f"{name}: ConcurrentInvocationLimitExceeded ({self._limit})")
            idle = self._idle.get(release)
            if idle:
                environment, _ = idle.pop()
            else:
                environment = self._make(release.config)
                self._live.add(environment)
            self._busy[name] += 1
            return environment

    def _give_back(self, release: Release, environment: Environment) -> None:
        with self._changed:
            self._busy[release.config.name] -= 1
            keep = environment.state in (State.IDLE, State.RESET) and not release.retired and not self._closed
            if keep:
                self._idle.setdefault(release, []).append((environment, self._clock()))
        if not keep:
            self._stop([environment])

    def _stop(self, environments: Iterable[Environment]) -> None:
        """Ask all to end, then wait for each: they end side by side."""
        environments = list(environments)
        for environment in environments:
            environment.terminate()
        for environment in environments:
            environment.stop()
        with self._changed:
            self._live.difference_update(environments)
            self._changed.notify_all()
