"""The gate's report as JSON: read as it was written, and refused if it is something else."""

from __future__ import annotations

import json

import pytest

from model_store.gate.report import parse_report, render_report
from model_store.gate.steps import GateReport, StepReport
from warmstart.errors import InvalidManifest

STEP = StepReport(step="load", status="passed", seconds=0.5, summary="onnx", figures={"rows": 3, "worst": [1.0]})
REPORT = GateReport(name="iris", source="a.onnx", created_at="2026-01-31", machine={"machine": "arm64"}, steps=(STEP,))


def test_what_is_written_is_read() -> None:
    assert parse_report(render_report(REPORT), where="gate.json") == REPORT


def test_what_json_cannot_hold_is_null() -> None:
    step = StepReport(step="load", status="passed", seconds=0, summary="", figures={"worst": [float("nan")]})
    written = render_report(GateReport(name="", source="", created_at="", machine={}, steps=(step,)))

    assert json.loads(written)["steps"][0]["figures"] == {"worst": [None]}


@pytest.mark.parametrize(
    "changes",
    [{"seconds": "long"}, {"status": "[bold]"}, {"summary": None}, {"step": 1}, {"figures": [1]}, {"unknown": 1}],
    ids=str,
)
def test_steps_of_another_kind_are_refused(changes: dict[str, object]) -> None:
    document = json.loads(render_report(REPORT))
    document["steps"][0].update(changes)

    with pytest.raises(InvalidManifest, match=r"gate\.json: not a gate's report"):
        parse_report(json.dumps(document).encode(), where="gate.json")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"[" * 100_000, b'{"report_version": "9.0"}'])
def test_what_is_no_report_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidManifest, match=r"gate\.json: not a gate's report"):
        parse_report(body, where="gate.json")
