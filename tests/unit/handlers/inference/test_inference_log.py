"""What the data plane writes of each invocation: one line of log that is the metrics too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from handlers.inference.data_plane import LAST_RESORT, DataPlane, build_data_plane
from tests.build import inference
from tests.build.inference import World, event, infer_body
from warmstart.protocols.wire import Request

INFER = "/v2/models/doubler/infer"


@pytest.fixture
def world(tmp_path: Path) -> World:
    built = World(tmp_path)
    built.publish_doubler()
    return built


class Metrics:
    """The metrics of one line, as CloudWatch reads them."""

    def __init__(self, line: dict[str, Any]) -> None:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        self.namespace, self.dimensions = directive["Namespace"], directive["Dimensions"]
        self.units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
        self.values = {name: line[name] for name in self.units}
        assert all(isinstance(line[name], str) for names in self.dimensions for name in names)
        assert all(isinstance(value, int | float) for value in self.values.values())


def test_a_cold_invocation_writes_one_line_with_all_that_it_took(world: World) -> None:
    world.ask("POST", INFER, infer_body([1, 2]))
    (line,) = world.logged()
    assert world.lines[0].endswith(b"}\n")
    assert world.lines[0].count(b"\n") == 1
    metrics = Metrics(line)
    assert metrics.units == {
        "Invocations": "Count",
        "Invocation4XXErrors": "Count",
        "Invocation5XXErrors": "Count",
        "ModelCacheHit": "Count",
        "LoadedModelCount": "Count",
        "ModelSetupTime": "Microseconds",
        "ModelDownloadingTime": "Microseconds",
        "ModelLoadingTime": "Microseconds",
        "ModelLatency": "Microseconds",
        "OverheadLatency": "Microseconds",
    }
    assert (metrics.namespace, metrics.dimensions) == (
        "Warmstart",
        [["service"], ["service", "model", "model_version"]],
    )
    assert (metrics.values["ModelSetupTime"], metrics.values["ModelCacheHit"], metrics.values["LoadedModelCount"]) == (
        5000,
        0,
        1,
    )
    names = ("level", "protocol", "operation", "status", "cold_start", "model", "model_version", "model_file")
    assert {name: line[name] for name in names} == {
        "level": "INFO",
        "protocol": "oip",
        "operation": "infer",
        "status": 200,
        "cold_start": True,
        "model": "doubler",
        "model_version": "1",
        "model_file": "model.onnx",
    }
    assert (line["function_request_id"], line["_aws"]["Timestamp"]) == ("request-1", 1_700_000_000_000)


def test_a_warm_invocation_says_so(world: World) -> None:
    world.ask("POST", INFER, infer_body([1, 2]))
    world.ask("POST", "/predict/doubler", [1, 2])
    line = world.logged()[-1]
    assert (line["cold_start"], line["protocol"], line["operation"], line["ModelCacheHit"]) == (
        False,
        "plain",
        "infer",
        1,
    )
    assert "model_file" not in line
    assert set(Metrics(line).units) == {
        "Invocations",
        "Invocation4XXErrors",
        "Invocation5XXErrors",
        "ModelCacheHit",
        "LoadedModelCount",
        "ModelLatency",
        "OverheadLatency",
    }


def test_a_warm_line_has_all_that_a_cold_one_has_but_what_was_cold(world: World) -> None:
    for _ in range(2):
        world.plane.answer(event("POST", INFER, infer_body([1, 2])), 'request-"1"', "Root=1-2-3")
    cold, warm = world.logged()
    assert world.lines[1].endswith(b"}\n")
    gone = {"ModelSetupTime", "ModelDownloadingTime", "ModelLoadingTime", "model_file", "timing_ms"}
    assert set(cold) - set(warm) == gone
    assert set(warm) - set(cold) == set()
    changed = {"cold_start", "ModelLatency", "OverheadLatency", "ModelCacheHit", "_aws"}
    assert {name for name in warm if warm[name] != cold[name]} <= changed
    assert (warm["function_request_id"], warm["_aws"]["Timestamp"]) == ('request-"1"', 1_700_000_000_000)


def test_an_error_is_counted_and_logged_by_its_code_alone(world: World) -> None:
    world.ask("POST", INFER, infer_body(["4111-1111", 2]))
    world.ask("POST", INFER, infer_body([1, 2], name="card-4111-1111"))
    for line, code in zip(world.logged(), ["invalid_value", "missing_tensor"], strict=True):
        metrics = Metrics(line)
        assert (metrics.values["Invocations"], metrics.values["Invocation4XXErrors"]) == (1, 1)
        assert (line["level"], line["error"]) == ("INFO", code)
    assert b"4111" not in b"".join(world.lines)


def test_a_name_that_does_not_exist_is_no_dimension(world: World) -> None:
    world.ask("POST", "/predict/nothing", [1, 2])
    line = world.logged()[-1]
    assert (Metrics(line).dimensions, "model" in line) == ([["service"]], False)


def test_a_fault_of_the_store_is_counted_and_its_message_logged(world: World) -> None:
    world.store.is_down = True
    world.ask("POST", INFER, infer_body([1, 2]))
    line = world.logged()[-1]
    assert (line["level"], line["error"], line["error_message"]) == (
        "ERROR",
        "store_unavailable",
        "store: did not answer",
    )
    assert Metrics(line).values["Invocation5XXErrors"] == 1


def test_a_request_that_is_no_inference_is_logged_and_not_counted(world: World) -> None:
    world.ask("GET", "/v2")
    world.ask("GET", "/nowhere")
    assert [("_aws" in line, line["status"]) for line in world.logged()] == [(False, 200), (False, 404)]


def test_the_trace_id_is_passed_on(world: World) -> None:
    plane: DataPlane = world.plane
    plane.answer(inference.event("GET", "/v2"), "request-1", "Root=1-5759e988-bd862e3fe1be46a994272793")
    assert world.logged()[-1]["xray_trace_id"] == "Root=1-5759e988-bd862e3fe1be46a994272793"


def test_a_log_that_cannot_be_written_costs_neither_an_answer_nor_the_thread_that_computes(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(_: bytes) -> None:
        raise OSError("no space left on device")

    plane = build_data_plane(world.settings, world.store, write=write)
    request = Request("POST", INFER, {"content-type": "application/json"}, json.dumps(infer_body([1, 2])).encode())
    found = plane.respond(request, "request-1")
    assert (found.status, found.body) == (500, LAST_RESORT)
    assert "no space left on device" in capsys.readouterr().err
