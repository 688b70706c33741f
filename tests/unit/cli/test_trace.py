"""`warmstart trace`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from cli.stage import LogEvent
from cli.trace import waterfall
from tests.build.command_line import CommandLine
from tests.build.manifests import manifest, store_alias, store_version

WARM_ENVIRONMENT = {"resolve": 4.0, "fetch": 6.0, "run": 10.0}
NEW_ENVIRONMENT = {
    "init": 50.0,
    "resolve": 10.0,
    "fetch": 20.0,
    "session": 10.0,
    "parse": 1.0,
    "run": 8.0,
    "render": 1.0,
}
NOW_MS = int(time.time() * 1000)


def opened(
    at_ms: int, timing: object, *, version: str = "1", first: bool = False, name: str = "iris", request: str = "r-1"
) -> LogEvent:
    """A line as the inference function writes it."""
    document = {
        "message": "answered",
        "function_request_id": request,
        "cold_start": first,
        "model": name,
        "model_version": version,
        "timing_ms": timing,
    }
    return LogEvent(at_ms, json.dumps(document))


def report(at_ms: int, init_ms: str, request: str = "r-1") -> LogEvent:
    """Lambda's line of an invocation whose environment was made for it."""
    line = f"REPORT RequestId: {request}\tDuration: 50.00 ms\tMemory Size: 1769 MB\tInit Duration: {init_ms} ms\t"
    return LogEvent(at_ms, line)


def traced(warmstart: CommandLine, *arguments: str) -> Any:
    return warmstart("trace", *arguments, "--json").document


def test_a_cold_start_is_drawn_from_lambdas_own_part_on(warmstart: CommandLine) -> None:
    warmstart.stage.written.lines = [
        opened(NOW_MS - 1000, NEW_ENVIRONMENT, first=True),
        report(NOW_MS - 999, "150.00"),
    ]

    ran = warmstart("trace", "iris")

    assert ran.code == 0
    assert ran.lines[0].startswith("iris:1  ")
    assert ran.lines[0].endswith(" UTC  200.0 ms in a new environment  r-1")
    assert ran.lines[1:4] == [
        "  runtime  ████████████████████                         100.0 ms",
        "  init                         ██████████                50.0 ms",
        "  resolve                                ██              10.0 ms",
    ]
    assert [line.split() for line in ran.lines[10:13]] == [
        ["phase", "median", "invocations"],
        ["runtime", "100.0", "ms", "1"],
        ["init", "50.0", "ms", "1"],
    ]


def test_for_machines_it_is_one_document(warmstart: CommandLine) -> None:
    warmstart.stage.written.lines = [opened(NOW_MS - 1000, WARM_ENVIRONMENT)]

    document = traced(warmstart, "iris")

    at = document["invocations"][0].pop("at")
    assert at.endswith("+00:00")
    assert document == {
        "invocations": [
            {
                "version": "1",
                "request_id": "r-1",
                "new_environment": False,
                "total_ms": 20.0,
                "phases_ms": {"resolve": 4.0, "fetch": 6.0, "run": 10.0},
            }
        ],
        "median_ms": {"resolve": 4.0, "fetch": 6.0, "run": 10.0},
    }


def test_a_phases_median_is_over_the_invocations_that_had_it(warmstart: CommandLine) -> None:
    warmstart.stage.written.lines = [
        opened(NOW_MS - 1000 + number, timing)
        for number, timing in enumerate([{"run": 1.0}, {"run": 9.0, "fetch": 5.0}, {"run": 2.0}])
    ]

    assert traced(warmstart, "iris")["median_ms"] == {"fetch": 5.0, "run": 2.0}


def test_the_latest_are_shown_oldest_first(warmstart: CommandLine) -> None:
    warmstart.stage.written.lines = [
        opened(NOW_MS - age, {"run": 1.0}, request=f"r-{age}") for age in (4000, 1000, 3000, 2000)
    ]

    shown = traced(warmstart, "iris", "--limit", "2")["invocations"]

    assert [each["request_id"] for each in shown] == ["r-2000", "r-1000"]


def test_a_name_is_all_its_versions_and_a_reference_one(warmstart: CommandLine) -> None:
    store_version(warmstart.stage.store, manifest("iris", 2))
    store_alias(warmstart.stage.store, "iris", 2, alias="canary")
    warmstart.stage.written.lines = [
        opened(NOW_MS - 3000 + number, {"run": 1.0}, version=version, name=name)
        for number, (name, version) in enumerate([("iris", "1"), ("iris", "2"), ("iris", "12"), ("digits", "2")])
    ]

    def versions(ref: str) -> list[str]:
        return [each["version"] for each in traced(warmstart, ref)["invocations"]]

    assert versions("iris") == ["1", "2", "12"]
    assert versions("iris:1") == ["1"]
    assert versions("iris@canary") == ["2"]


def test_cloudwatch_is_asked_for_these_lines_alone_and_no_further_back(warmstart: CommandLine) -> None:
    warmstart.stage.written.lines = [opened(NOW_MS - 1000, {"run": 1.0}, first=True, version="3")]

    warmstart("trace", "iris:3", "--since", "2h")

    (opening, start_s), (reports, reports_start_s) = warmstart.stage.written.asked
    cold = "($.ModelCacheHit = 0 || $.cold_start IS TRUE)"
    assert opening == f'{{ $.model = "iris" && $.model_version = "3" && {cold} }}'
    assert 7195 < time.time() - start_s < 7300
    assert (reports, reports_start_s) == ('"Init Duration"', (NOW_MS - 1000) / 1000)


def test_where_no_environment_was_new_lambdas_reports_are_not_read(warmstart: CommandLine) -> None:
    warmstart.stage.written.lines = [opened(NOW_MS - 1000, {"run": 1.0})]

    warmstart("trace", "iris")

    assert len(warmstart.stage.written.asked) == 1


@pytest.mark.parametrize(
    "message",
    [
        "START RequestId: r-1 Version: 3",
        "{",
        "[]",
        "null",
        '{"model": "iris"}',
        '{"model": "iris", "model_version": "1", "timing_ms": null}',
        '{"model": "iris", "model_version": "1", "timing_ms": {"run": "long"}}',
        '{"model": "iris", "model_version": "1", "timing_ms": {}}',
    ],
)
def test_other_lines_are_passed_over(warmstart: CommandLine, message: str) -> None:
    warmstart.stage.written.lines = [LogEvent(NOW_MS - 1000, message)]

    assert traced(warmstart, "iris") == {"invocations": [], "median_ms": {}}


def test_without_a_cold_invocation_it_says_how_to_make_one(warmstart: CommandLine) -> None:
    ran = warmstart("trace", "iris", "--since", "7d")

    assert ran.code == 0
    assert ran.out == (
        "no cold invocation of iris found in the last 7d: ask it right after a deployment, after publishing a new "
        "version, or when nobody has for some minutes; --since looks further back\n"
    )


@pytest.mark.parametrize("since", ["", "0h", "7", "d", "1w", "-1d"])
def test_a_time_that_is_none_is_wrong_usage(warmstart: CommandLine, since: str) -> None:
    ran = warmstart("trace", "iris", f"--since={since}")

    assert ran.code == 2
    assert f"expected minutes, hours or days, such as 30m, 6h or 7d; got {since!r}" in ran.err


def test_bars_follow_one_another_and_none_is_lost() -> None:
    phases: Mapping[str, float] = {"init": 0.001, "run": 100.0, "render": 0.001}

    assert waterfall(phases) == [
        "  init     █                                              0.0 ms",
        "  run      ████████████████████████████████████████     100.0 ms",
        "  render                                          █       0.0 ms",
    ]
