"""Which requests are answered on the thread that reads them, by what those before them took.

A small model computes in less time than a request's way to another thread and back. A large one must not be computed
where connections are read: nobody else, a health check included, would be heard meanwhile.
"""

from __future__ import annotations

from typing import Final

QUICK_NS: Final = 500_000
"""Twenty times what the way to another thread costs: below it, whoever waits behind such a request hardly notices."""
PATHS_KEPT: Final = 4096


class Pace:
    """What requests took, by their paths: half of it the last one, a quarter the one before, and so on."""

    def __init__(self) -> None:
        self._ns: dict[str, int] = {}

    def is_quick(self, path: str) -> bool:
        """Say whether a request will be answered soon. One on a path that was never asked is not known to be."""
        return self._ns.get(path, QUICK_NS) < QUICK_NS

    def note(self, path: str, elapsed_ns: int) -> None:
        """Learn from one request, in nanoseconds of its own."""
        before = self._ns.get(path)
        if before is None:
            if len(self._ns) >= PATHS_KEPT:
                self._ns.clear()
            before = elapsed_ns
        self._ns[path] = (before + elapsed_ns) // 2
