"""What the gate's steps give and what is kept of them: values, and their JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

from model_store.convert.source import Sample
from warmstart.errors import InvalidSetting, WarmstartError

T = TypeVar("T")
Figure: TypeAlias = str | int | float | bool | list["Figure"] | dict[str, "Figure"] | None
"""A value that JSON holds; floats are finite."""
Figures: TypeAlias = Mapping[str, Figure]

REPORT_VERSION = "1.0"


def megabytes(size_bytes: float) -> str:
    """Write a size for people, in MB of 1,000,000 bytes, or kB below one."""
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1e3:.1f} kB"


class Outcome(NamedTuple, Generic[T]):
    """What a step made, a line for people, and its figures for the report; units stand in the figures' names."""

    value: T
    summary: str
    figures: Figures = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """What one step did, and how long it took. A rejected one says why and what to do, its figures included."""

    step: str
    status: Literal["passed", "rejected"]
    seconds: float
    summary: str
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class GateReport:
    """All steps that ran, in order: `gate.json` beside the version."""

    name: str
    source: str
    created_at: str
    machine: Mapping[str, str]
    steps: tuple[StepReport, ...]
    report_version: str = REPORT_VERSION

    def step(self, name: str) -> StepReport | None:
        """Find a step that ran; the last of this name."""
        return next((report for report in reversed(self.steps) if report.step == name), None)


class Rejected(WarmstartError):
    """A step refuses the model. The message has the reason and the remedy; `figures` what led to it."""

    code = "rejected"

    def __init__(self, message: str, *, figures: Figures = MappingProxyType({})) -> None:
        super().__init__(message)
        self.figures = figures


class GateRejected(WarmstartError):
    """The gate refused: nothing was published. `report` has every step that ran, the refusing one last."""

    code = "gate_rejected"

    def __init__(self, report: GateReport, reason: str) -> None:
        super().__init__(f"{report.steps[-1].step}: {reason}")
        self.report, self.step, self.reason = report, report.steps[-1].step, reason


@dataclass(frozen=True, kw_only=True)
class Target:
    """The function that is going to serve: what the stage's settings say. Sizes in MB of 2^20 bytes.

    `signed_by` are the ids of the keys, one of which has to sign; empty where no signature is asked for.
    """

    architecture: Literal["arm64", "x86_64"] = "arm64"
    memory_mb: int = 1769
    ephemeral_storage_mb: int = 1024
    timeout_s: int = 29
    signed_by: tuple[str, ...] = ()


def parse_target(text: str, *, where: str) -> Target:
    """Read what a stack's output says of the function. Raises: InvalidSetting if it says something else."""
    try:
        document = json.loads(text)
        if document["architecture"] not in ("arm64", "x86_64"):
            raise ValueError(f"architecture {document['architecture']!r}")
        sizes = {name: int(document[name]) for name in ("memory_mb", "ephemeral_storage_mb", "timeout_s")}
        return Target(architecture=document["architecture"], signed_by=tuple(document.get("signed_by", ())), **sizes)
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidSetting(
            f"{where}: not a function's settings ({error}): {text[:80]!r}; redeploy", name=where
        ) from error


@dataclass(frozen=True, kw_only=True)
class GateOptions:
    """What a publisher may choose. Raises: InvalidSetting.

    `sample` are rows, or a file of rows (CSV, Parquet, JSON lines, npz), `truth` its column with the right answers.
    `tolerance` replaces the tolerated absolute and relative difference of every floating-point datatype.
    `max_drop` is, by metric (`accuracy`, `f1`, `r2`, `rmse`, `mae`), how much worse a quantized model may be.
    `prices` is a file that replaces the price table.
    """

    sample: Path | Sample | None = None
    truth: str | None = None
    trust: bool = False
    tolerance: float | None = None
    labels: tuple[str | int, ...] = ()
    quantize: Literal["int8", "fp16"] | None = None
    max_drop: Mapping[str, float] = field(default_factory=dict)
    prices: Path | None = None
    target: Target = Target()

    def __post_init__(self) -> None:
        if self.tolerance is not None and not 0 <= self.tolerance < math.inf:
            raise InvalidSetting(f"tolerance: expected a number, 0 or more; got {self.tolerance}", name="tolerance")
        if self.quantize not in (None, "int8", "fp16"):
            raise InvalidSetting(f"quantize: expected int8 or fp16, got {self.quantize!r}", name="quantize")
