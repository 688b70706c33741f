"""The gate's report as JSON: `gate.json` beside the version."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from model_store.gate.steps import REPORT_VERSION, Figure, GateReport, StepReport
from warmstart.errors import InvalidManifest


def report_document(report: GateReport) -> dict[str, Any]:
    """Write a report as JSON shows it; what JSON cannot hold (NaN, infinity) is null."""
    return {
        "report_version": report.report_version,
        "name": report.name,
        "source": report.source,
        "created_at": report.created_at,
        "machine": dict(report.machine),
        "steps": [_step_document(step) for step in report.steps],
    }


def render_report(report: GateReport) -> bytes:
    """Write a report as JSON."""
    return json.dumps(report_document(report), indent=2, allow_nan=False).encode()


def parse_report(body: bytes, *, where: str) -> GateReport:
    """Read a report. `where` is its key, for the message. Raises: InvalidManifest."""
    try:
        document = json.loads(body)
        if document["report_version"].partition(".")[0] != REPORT_VERSION.partition(".")[0]:
            raise ValueError(f"report version {document['report_version']}: upgrade warmstart")
        return GateReport(
            report_version=document["report_version"],
            name=document["name"],
            source=document["source"],
            created_at=document["created_at"],
            machine=document["machine"],
            steps=tuple(_parse_step(step) for step in document["steps"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidManifest(f"{where}: not a gate's report: {type(error).__name__} {error}") from error


def _parse_step(document: Mapping[str, Any]) -> StepReport:
    step = StepReport(**document)
    texts = step.step, step.status, step.summary
    if not all(type(text) is str for text in texts) or step.status not in ("passed", "rejected"):
        raise TypeError(f"steps: expected their names, passed or rejected, and text; got {texts!r:.80}")
    if type(step.seconds) not in (int, float) or not isinstance(step.figures, dict):
        raise TypeError(f"step {step.step!r:.80}: expected its seconds, and figures by name")
    return step


def _step_document(step: StepReport) -> dict[str, Any]:
    return {
        "step": step.step,
        "status": step.status,
        "seconds": step.seconds,
        "summary": step.summary,
        "figures": {name: _finite(figure) for name, figure in step.figures.items()},
    }


def _finite(figure: Figure) -> Figure:
    match figure:
        case float():
            return figure if math.isfinite(figure) else None
        case list():
            return [_finite(item) for item in figure]
        case Mapping():
            return {name: _finite(item) for name, item in figure.items()}
        case _:
            return figure
