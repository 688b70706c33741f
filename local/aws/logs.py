"""CloudWatch Logs on the twin: functions and the gateway write here, boto3 and `Twin.logs` read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from moto.logs.models import LogsBackend, logs_backends

from local.types import ACCOUNT, REGION

KEPT: Final = 10_000
"""A stream that has twice as many lines is cut to its newest: moto keeps all, 3 kB for each prediction."""


class Logs:
    """moto's log groups, as a `LogSink` and as lines."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def _backend(self) -> LogsBackend:
        return logs_backends[ACCOUNT][REGION]

    def write(self, group: str, stream: str, lines: list[str]) -> None:
        """Append lines, with the time of now; groups and streams come into being on first use, as with Lambda."""
        at = int(self._clock() * 1000)
        with self._lock:
            if group not in self._backend.groups:
                self._backend.create_log_group(group, {})
            streams = self._backend.groups[group].streams
            if stream not in streams:
                self._backend.groups[group].create_log_stream(stream)
            streams[stream].put_log_events([{"timestamp": at, "message": line} for line in lines])
            events = streams[stream].events
            if len(events) >= 2 * KEPT:
                del events[:-KEPT]

    def read(self, group: str) -> list[str]:
        """Return a group's lines, oldest first; those of one millisecond in the order of their streams."""
        with self._lock:
            found = self._backend.groups.get(group)
            events = [event for stream in found.streams.values() for event in stream.events] if found else []
        return [str(event.message) for event in sorted(events, key=lambda event: event.timestamp)]
