"""What operators get to see."""

import io
import json

import pytest
from aws_lambda_powertools import Logger

from handlers.control.telemetry import PowertoolsTelemetry
from model_store.history import AliasChange
from model_store.registry import Alias
from tests.build.control_plane import CALLER

MOVED = Alias(
    AliasChange(
        id="20260131T120000.000000Z-0002",
        alias="live",
        version=2,
        previous_version=1,
        changed_at="2026-01-31T12:00:00.000Z",
        changed_by=CALLER,
        reason="better on March",
    ),
    etag='"9b2c"',
)


@pytest.fixture
def log() -> io.StringIO:
    """Give the stream that log lines go to."""
    return io.StringIO()


@pytest.fixture
def telemetry(log: io.StringIO, request: pytest.FixtureRequest) -> PowertoolsTelemetry:
    """Give the telemetry of a function. Loggers of one service share a stream: each test has its own."""
    logger = Logger(service=request.node.name, stream=log)
    return PowertoolsTelemetry(logger, namespace="Warmstart", service="control")


def test_a_move_is_one_log_line_that_says_who_what_and_why(telemetry: PowertoolsTelemetry, log: io.StringIO) -> None:
    telemetry.moved("iris", MOVED)
    line = json.loads(log.getvalue())

    assert (line["level"], line["message"]) == ("INFO", "alias moved")
    assert (line["model"], line["alias"], line["version"], line["previous_version"]) == ("iris", "live", 2, 1)
    assert (line["changed_by"], line["reason"]) == (CALLER, "better on March")


def test_a_move_is_counted_by_model(telemetry: PowertoolsTelemetry, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.moved("iris", MOVED)
    metric = json.loads(capsys.readouterr().out)

    assert metric["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Warmstart",
            "Dimensions": [["service", "model"]],
            "Metrics": [{"Name": "AliasMoves", "Unit": "Count"}],
        }
    ]
    assert (metric["AliasMoves"], metric["service"], metric["model"]) == ([1.0], "control", "iris")


def test_a_failure_is_logged_with_its_trace_and_counted(
    telemetry: PowertoolsTelemetry, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        raise RuntimeError("secret")
    except RuntimeError as error:
        telemetry.failed(error, method="GET", path="/admin/models")
    line = json.loads(log.getvalue())

    assert (line["level"], line["method"], line["path"]) == ("ERROR", "GET", "/admin/models")
    assert line["exception"].endswith("RuntimeError: secret")
    assert json.loads(capsys.readouterr().out)["ControlFaults"] == [1.0]
