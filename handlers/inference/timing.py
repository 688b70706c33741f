"""Where an inference's time went, in the order in which it went there.

Source of the header: W3C, Server Timing; durations in milliseconds.
"""

from __future__ import annotations

from typing import NamedTuple


class Timing(NamedTuple):
    """Nanoseconds. `fetch` and `session` are 0 for a model that was open; `init` but for a process's first answer."""

    init: int
    resolve: int
    fetch: int
    session: int
    parse: int
    run: int
    render: int

    def milliseconds(self) -> dict[str, float]:
        """Return what took any time, by its name."""
        return {name: round(spent / 1e6, 3) for name, spent in zip(self._fields, self, strict=True) if spent}

    def header(self) -> str:
        """Write the value of a `Server-Timing` header."""
        return ", ".join(f"{name};dur={spent:g}" for name, spent in self.milliseconds().items())
