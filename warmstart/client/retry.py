"""When to ask again: what may have been refused for the moment only, a few times, later each time by chance.

Source: RFC 9110, 10.2.3 (Retry-After); "Exponential Backoff And Jitter" in AWS's Architecture Blog (full jitter).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, NamedTuple

from warmstart.client.answers import ConnectionLost, Reply

AGAIN: Final = frozenset({429, 502, 503, 504})
"""Throttled; a gateway without an answer; not available; a gateway that waited too long."""
_GATEWAYS_OWN: Final = "x-amzn-errortype"
"""API Gateway's own errors have it. Its 500 is Lambda's refusal to run the function, most often for lack of concurrency
(Lambda developer guide, "Handling Lambda errors with an API Gateway API")."""
FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 10.0
LEAST_S: Final = 0.001
"""What the last attempt has, if the wait before it took longer than it should."""


def chance() -> float:
    """Return a number from 0 up to 1; the module `random` takes longer to import than the rest of the client."""
    return int.from_bytes(os.urandom(6), "little") / 2**48


class Retries(NamedTuple):
    """How often and how long to try. `rng` gives 0 to 1, `clock` seconds since the epoch, `sleep` takes seconds."""

    attempts: int
    total_timeout_s: float
    sleep: Callable[[float], object]
    rng: Callable[[], float]
    clock: Callable[[], float]

    def run(self, send: Callable[[float], Reply]) -> Reply:
        """Send until an answer stands; `send` is told how many seconds are left, always some.

        Raises: ConnectionLost, and whatever else `send` raises, which is not tried again.
        """
        deadline, attempt = self.clock() + self.total_timeout_s, 1
        while True:
            try:
                reply = send(max(deadline - self.clock(), LEAST_S))
            except ConnectionLost:
                if not self._waited(attempt, 0.0, deadline):
                    raise
            else:
                if not _may_pass(reply) or not self._waited(attempt, self._demanded_s(reply), deadline):
                    return reply
            attempt += 1

    def _waited(self, attempt: int, at_least_s: float, deadline: float) -> bool:
        """Wait for the next attempt, unless there is none, or no time for it."""
        wait_s = at_least_s + self.rng() * min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1))
        if attempt >= self.attempts or self.clock() + wait_s >= deadline:
            return False
        self.sleep(wait_s)
        return True

    def _demanded_s(self, reply: Reply) -> float:
        """Read Retry-After, in seconds or as a date; 0 if it says nothing."""
        text = reply.headers.get("retry-after", "").strip()
        if text.isdecimal():
            return float(text)
        if (at := _epoch(text)) is None:
            return 0.0
        now = _epoch(reply.headers.get("date", ""))  # by the same clock as the other date, if it says
        return max(0.0, at - (self.clock() if now is None else now))


def _may_pass(reply: Reply) -> bool:
    return reply.status in AGAIN or (reply.status == 500 and _GATEWAYS_OWN in reply.headers)


def _epoch(date: str) -> float | None:
    from email.utils import parsedate_to_datetime  # rare; and 5 ms of an import

    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
