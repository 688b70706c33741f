"""The platform's lines in a function's log, in Lambda's text format.

Source: Lambda developer guide, "Understanding the Lambda execution environment lifecycle" (INIT_REPORT), "Log and
monitor Python Lambda functions" (START, END, REPORT); billing of the init phase: AWS compute blog, "AWS Lambda
standardizes billing for INIT Phase" (2025).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

TAIL_BYTES: Final = 4096
"""What `LogType: Tail` gives back."""

Status = Literal["error", "timeout"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The figures of one invocation."""

    request_id: str
    duration_ms: float
    memory_mb: int
    used_mb: int
    init_ms: float | None = None
    """Only for the invocation whose environment was made for it."""
    status: Status | None = None
    error_type: str | None = None
    trace_id: str | None = None
    """The X-Ray trace header, where tracing is active."""

    @property
    def billed_ms(self) -> int:
        """Rounded up to the millisecond; the init phase counts since August 2025."""
        return math.ceil(round(self.duration_ms + (self.init_ms or 0.0), 2))

    def line(self) -> str:
        """The REPORT line."""
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration_ms:.2f} ms",
            f"Billed Duration: {self.billed_ms} ms",
            f"Memory Size: {self.memory_mb} MB",
            f"Max Memory Used: {self.used_mb} MB",
        ]
        if self.init_ms is not None:
            parts.append(f"Init Duration: {self.init_ms:.2f} ms")
        parts += _outcome(self.status, self.error_type)
        return "\t".join(parts) + "\t" + (_xray(self.trace_id) if self.trace_id else "")


def init_start_line(python: str) -> str:
    """INIT_START; `python` is the version, as in `3.13`. The twin's runtime has no ARN of AWS's."""
    return f"INIT_START Runtime Version: python:{python}.twin\tRuntime Version ARN: -"


def init_report_line(duration_ms: float, *, phase: Literal["init", "invoke"], status: Status, error_type: str) -> str:
    """INIT_REPORT: written when an init phase failed."""
    parts = [f"INIT_REPORT Init Duration: {duration_ms:.2f} ms", f"Phase: {phase}"]
    return "\t".join(parts + _outcome(status, error_type))


def start_line(request_id: str, version: str) -> str:
    """START."""
    return f"START RequestId: {request_id} Version: {version}"


def end_line(request_id: str) -> str:
    """END."""
    return f"END RequestId: {request_id}"


def log_stream(now: datetime, version: str, unique: str) -> str:
    """Name of an environment's log stream: `2026/11/20/[3]<32 hex digits>`."""
    return f"{now:%Y/%m/%d}/[{version}]{unique}"


def _outcome(status: Status | None, error_type: str | None) -> list[str]:
    match status:
        case None:
            return []
        case "timeout":
            return ["Status: timeout"]
        case "error":
            return ["Status: error", f"Error Type: {error_type}"]


def _xray(header: str) -> str:
    fields = dict(part.split("=", 1) for part in header.split(";"))
    sampled = "true" if fields.get("Sampled") == "1" else "false"
    return f"\nXRAY TraceId: {fields['Root']}\tSegmentId: {fields['Parent']}\tSampled: {sampled}\t"
