"""The X-Amzn-Trace-Id header.

Source: X-Ray developer guide, "Tracing header": `Root=1-{8 hex: time}-{24 hex};Parent={16 hex};Sampled={0|1}`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A request's trace: the root that came or a new one, a parent, and whether it is sampled."""

    root: str
    parent: str
    sampled: bool

    def __str__(self) -> str:
        return f"Root={self.root};Parent={self.parent};Sampled={int(self.sampled)}"


def trace_of(header: str | None, *, at: float, new_id: Callable[[], str], sampled: bool) -> Trace:
    """Continue the trace of a header, or begin one; parts that did not come are made up."""
    came = dict(part.strip().partition("=")[::2] for part in (header or "").split(";"))
    chance = new_id().replace("-", "")
    return Trace(
        root=came.get("Root") or f"1-{int(at):08x}-{chance[:24]}",
        parent=came.get("Parent") or chance[-16:],
        sampled=came["Sampled"] == "1" if "Sampled" in came else sampled,
    )
