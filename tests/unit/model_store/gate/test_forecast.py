"""What the forecast says of a model, and what it refuses with which remedy. Measurements are literal numbers here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model_store.convert.source import Batch
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.forecast import forecast
from model_store.gate.measure import Measured, Timing
from model_store.gate.steps import GateOptions, Outcome, Rejected, Target
from tests.build.forecasts import MIB, ROWS, candidate, measured

STILL = measured(
    init=Timing(0.2, 0.001),
    session=Timing(0.1, 0.001),
    first_run=Timing(0.05, 0.001),
    warm={1: Timing(0.040, 0.0002)},
)
"""A model that waits rather than works."""


class Measuring:
    """Gives literal numbers, and writes down what it was asked for."""

    def __init__(self, result: Measured) -> None:
        self._result = result
        self.asked: list[tuple[Batch, tuple[int, ...]]] = []

    def __call__(self, layout: Layout, inputs: Batch, threads: tuple[int, ...]) -> Measured:  # noqa: ARG002 - the seam's
        self.asked.append((inputs, threads))
        return self._result


def run(
    model: Candidate, result: Measured | None = None, *, available: int | None = 10**12, **target: Any
) -> Outcome[None]:
    options = GateOptions(target=Target(**target))
    return forecast(model, ROWS, options, measure=Measuring(result or measured()), available=lambda: available)


def refused(model: Candidate, result: Measured | None = None, **target: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        run(model, result, **target)
    return caught.value


def row(figures: Any, memory_mb: int) -> dict[str, Any]:
    [found] = [row for row in figures["by_memory"] if row["memory_mb"] == memory_mb]
    return dict(found)


def test_a_single_row_is_tried_with_the_functions_threads_first(tmp_path: Path) -> None:
    measuring = Measuring(measured())
    options = GateOptions(target=Target(memory_mb=3538))
    forecast(candidate(tmp_path, 1000), ROWS, options, measure=measuring, available=lambda: None)

    [(inputs, threads)] = measuring.asked
    assert inputs["x"].tolist() == [[1.0, 2.0]]
    assert threads == (2, 1, 2, 3, 5, 6)


def test_the_figures_are_json_with_a_row_per_memory(tmp_path: Path) -> None:
    figures = json.loads(json.dumps(dict(run(candidate(tmp_path, 9_000_000), memory_mb=2048).figures), allow_nan=False))

    assert [row["memory_mb"] for row in figures["by_memory"]] == [512, 1024, 1769, 2048, 3008, 5307, 8846, 10_240]
    assert row(figures, 1769) == {
        "memory_mb": 1769,
        "vcpus": 1.0,
        "threads": 1,
        "basis": "measured",
        "works": True,
        "warm_ms": 40.02,
        "init_s": 0.26,
        "download_s": 0.175,
        "hash_s": 0.009,
        "session_s": 0.1,
        "first_run_s": 0.05002,
        "load_s": 0.334,
        "cold_s": 0.594,
        # 1,000 × 0.041 s × (1.7275 GB × 0.0000133334 + 0.5 GB × 0.0000000309) + 0.0037
        "price_per_1000_warm": 0.004645,
        # ... × 0.595 s
        "price_per_1000_cold": 0.01741,
    }
    assert figures["sizes"] == {
        "files_bytes": 9_000_000,
        "resident_bytes": 90 * MIB,
        "peak_bytes": 104 * MIB,
        "needed_memory_mb": 200,
        "needed_storage_mb": 13,
    }
    assert figures["measured_on"]["processor"] == "Literal Processor"
    assert figures["prices"]["as_of"] == "2026-11"


def test_the_summary_says_what_it_needs_takes_and_costs(tmp_path: Path) -> None:
    assert run(candidate(tmp_path, 9_000_000)).summary == (
        "needs 200 of 1769 MB; first answer 0.59 s, warm 40 ms, 0.0046 USD per 1,000"
    )
    assert run(candidate(tmp_path, 9_000_000), memory_mb=10_240).summary == (
        "needs 200 of 10240 MB; first answer 0.59 s, warm 15 ms, 0.0058 USD per 1,000; recommended: memory_mb 3008"
    )


def test_the_summary_writes_long_times_out(tmp_path: Path) -> None:
    slow = measured(warm={1: Timing(0.2149, 0.2149)}, session=Timing(12.3, 12.3))

    assert "first answer 13 s, warm 215 ms" in run(candidate(tmp_path, 1000), slow).summary


def test_x86_costs_more(tmp_path: Path) -> None:
    model = candidate(tmp_path, 1000)
    arm, x86 = (run(model, architecture=kind).figures for kind in ("arm64", "x86_64"))

    assert row(arm, 1769)["price_per_1000_warm"] < row(x86, 1769)["price_per_1000_warm"]


def test_a_price_table_of_ones_own_is_used(tmp_path: Path) -> None:
    table = tmp_path / "mine.json"
    table.write_text(
        '{"as_of": "2030-01", "region": "mars-1", "currency": "EUR", "lambda_gb_second": {"arm64": 0, "x86_64": 0},'
        ' "lambda_million_requests": 1000, "storage_gb_second": 0, "gateway_million_requests": 0, "sources": []}'
    )
    options = GateOptions(prices=table)
    outcome = forecast(candidate(tmp_path, 1000), ROWS, options, measure=Measuring(measured()), available=lambda: None)

    assert "1.0000 EUR per 1,000" in outcome.summary
    assert row(outcome.figures, 512)["price_per_1000_cold"] == 1.0


def test_files_larger_than_the_disk_are_refused_with_the_disk_that_is_enough(tmp_path: Path) -> None:
    rejected = refused(candidate(tmp_path, 1021 * MIB))

    assert rejected.message == (
        "expected at most 1024 MB of /tmp (ephemeral_storage_mb), got 1021 MB of files and 4 MB to spare: "
        "set ephemeral_storage_mb to 1536"
    )
    assert run(candidate(tmp_path, 1021 * MIB), ephemeral_storage_mb=1536)


def test_files_larger_than_the_memory_for_models_are_refused_before_they_are_loaded(tmp_path: Path) -> None:
    measuring = Measuring(measured())
    options = GateOptions(target=Target(memory_mb=512))

    with pytest.raises(Rejected) as caught:
        forecast(candidate(tmp_path, 500 * MIB), ROWS, options, measure=measuring, available=lambda: None)

    assert caught.value.message == (
        "expected files of at most 416 MB with memory_mb = 512, got 500 MB: set memory_mb to 1769"
    )
    assert measuring.asked == []


def test_a_model_of_three_gigabytes_is_refused_with_both_settings_and_never_loaded(tmp_path: Path) -> None:
    rejected = refused(candidate(tmp_path, 3000 * MIB))

    assert "with memory_mb = 1769, got 3000 MB: set memory_mb to 8846" in rejected.message
    assert "4 MB to spare: set ephemeral_storage_mb to 3072" in rejected.message
    assert rejected.figures["sizes"] == {"files_bytes": 3000 * MIB}


def test_a_model_that_no_function_holds_is_refused_with_another_remedy(tmp_path: Path) -> None:
    rejected = refused(candidate(tmp_path, 10_200 * MIB))

    assert "expected files of at most 10144 MB: no function opens more, got 10200 MB: make it smaller" in (
        rejected.message
    )


def test_a_model_that_no_disk_holds_is_refused_with_another_remedy(tmp_path: Path) -> None:
    rejected = refused(candidate(tmp_path, 10_240 * MIB), memory_mb=10_240)

    assert "; a function has at most 10240: make it smaller, such as with --quantize int8" in rejected.message


def test_a_model_that_this_machine_cannot_hold_is_not_tried(tmp_path: Path) -> None:
    with pytest.raises(
        Rejected, match="expected 900 MB of free memory to try the model in a process of its own, this machine has 800"
    ):
        run(candidate(tmp_path, 900 * MIB), available=800 * MIB)


def test_a_session_that_holds_more_than_there_is_is_refused_with_the_memory_that_is_enough(tmp_path: Path) -> None:
    rejected = refused(candidate(tmp_path, 1000), measured(peak_bytes=1700 * MIB))

    assert rejected.message == "expected to need at most memory_mb = 1769, it needs 1796 MB: set memory_mb to 3008"
    assert row(rejected.figures, 1769)["works"] is False
    assert row(rejected.figures, 3008)["works"] is True


def test_a_session_that_no_function_holds_is_refused(tmp_path: Path) -> None:
    rejected = refused(candidate(tmp_path, 1000), measured(peak_bytes=11_000 * MIB))

    assert rejected.message.endswith("it needs 11096 MB; a function has at most 10240: make it smaller, such as with "
                                     "--quantize int8")  # fmt: skip


def test_where_memory_cannot_be_measured_it_is_reckoned_from_the_files(tmp_path: Path) -> None:
    outcome = run(candidate(tmp_path, 100 * MIB), measured(peak_bytes=None, resident_bytes=None))

    assert outcome.summary.startswith("needs 346 of 1769 MB")  # 96 + 2.5 × 100


def test_a_load_that_the_gateway_would_not_wait_for_is_refused_with_the_memory_that_makes_it(tmp_path: Path) -> None:
    slow = measured(session=Timing(10.0, 20.0), init=Timing(1.0, 1.0))
    rejected = refused(candidate(tmp_path, 1000), slow, memory_mb=1024)

    assert rejected.message == (
        "first invocation: expected at most timeout_s = 29, forecast 34.7 s: set memory_mb to 1769"
    )


def test_the_gateway_waits_for_the_init_phase_too(tmp_path: Path) -> None:
    slow = measured(session=Timing(28.0, 28.0), init=Timing(2.0, 2.0))
    rejected = refused(candidate(tmp_path, 1000), slow)

    assert rejected.message == (
        "first answer: the gateway gives up after 29 s, forecast 30.2 s, and no memory makes it faster than that: "
        "make it smaller, such as with --quantize int8"
    )


def test_a_timeout_that_is_too_short_is_refused_with_one_that_is_not(tmp_path: Path) -> None:
    slow = measured(session=Timing(5.0, 5.0))
    rejected = refused(candidate(tmp_path, 1000), slow, timeout_s=3)

    assert rejected.message == ("first invocation: expected at most timeout_s = 3, forecast 5.1 s: set timeout_s to 29")


def test_imports_that_pass_the_limit_of_the_init_phase_are_refused(tmp_path: Path) -> None:
    rejected = refused(candidate(tmp_path, 1000), measured(init=Timing(1.0, 1.0)), memory_mb=160)

    assert rejected.message.startswith("expected to need at most memory_mb = 160, it needs 200 MB")
    assert "init phase: expected at most 10 s, forecast 11.7 s: set memory_mb to 512" in rejected.message


def test_a_model_that_gains_nothing_from_memory_is_recommended_little(tmp_path: Path) -> None:
    assert run(candidate(tmp_path, 1000), STILL, memory_mb=10_240).figures["recommended"] == {
        "memory_mb": 512,
        "ephemeral_storage_mb": 512,
    }


def test_the_functions_own_memory_is_recommended_if_it_is_nearly_as_good(tmp_path: Path) -> None:
    recommended: Any = run(candidate(tmp_path, 1000), STILL, memory_mb=640).figures["recommended"]

    assert recommended["memory_mb"] == 640


def test_what_is_recommended_leaves_a_fifth_of_the_memory_free(tmp_path: Path) -> None:
    larger = replace(STILL, peak_bytes=330 * MIB)
    recommended: Any = run(candidate(tmp_path, 1000), larger, memory_mb=10_240).figures["recommended"]

    assert recommended["memory_mb"] == 1024  # 96 + 330 = 426, of 512 five sixths


def test_a_disk_for_two_versions_is_recommended(tmp_path: Path) -> None:
    recommended: Any = run(candidate(tmp_path, 600 * MIB)).figures["recommended"]

    assert recommended["ephemeral_storage_mb"] == 1536
    assert run(candidate(tmp_path, 600 * MIB)).summary.endswith(
        "recommended: ephemeral_storage_mb 1536, for two versions"
    )


def test_the_largest_of_a_models_layouts_counts_for_the_disk(tmp_path: Path) -> None:
    model = candidate(tmp_path, 1000)
    (tmp_path / "other").mkdir()
    larger = candidate(tmp_path / "other", 2000 * MIB).layout
    both = Candidate(signature=model.signature, layout=model.layout, variants={"x86_64-avx512": larger})

    assert "got 2000 MB of files" in refused(both, memory_mb=10_240).message
