"""Keep the loop awake for a moment behind each answer: whoever asks again at once need not wait until it wakes.

As Linux does for sockets of a network card, not of the loopback (`net.core.busy_poll`; Linux kernel,
Documentation/admin-guide/sysctl/net.rst).
"""

from __future__ import annotations

from collections.abc import Callable


class BusyPoll:
    """Has the loop look for requests without sleeping for `poll_s` after the last call of `extend`.

    `call_soon` has a function called in the loop's next turn; `now` gives monotonic seconds.
    """

    def __init__(self, poll_s: float, *, call_soon: Callable[..., object], now: Callable[[], float]) -> None:
        self._poll_s, self._call_soon, self._now = poll_s, call_soon, now
        self._until = 0.0
        self._is_polling = False

    def extend(self) -> None:
        """Poll from now on."""
        self._until = self._now() + self._poll_s
        if not self._is_polling:
            self._is_polling = True
            self._call_soon(self._poll)

    def _poll(self) -> None:
        if self._now() < self._until:
            self._call_soon(self._poll)
        else:
            self._is_polling = False
