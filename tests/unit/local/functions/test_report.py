"""The platform's lines, to the letter."""

from __future__ import annotations

from datetime import UTC, datetime

from local.functions.report import Report, end_line, init_report_line, init_start_line, log_stream, start_line


def test_start_and_end() -> None:
    assert start_line("r-1", "$LATEST") == "START RequestId: r-1 Version: $LATEST"
    assert end_line("r-1") == "END RequestId: r-1"


def test_a_warm_report_is_rounded_up_to_the_next_millisecond() -> None:
    report = Report(request_id="r-1", duration_ms=1.234, memory_mb=512, used_mb=64)
    assert report.line() == (
        "REPORT RequestId: r-1\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 512 MB\tMax Memory Used: 64 MB\t"
    )


def test_a_cold_report_bills_the_init_phase() -> None:
    report = Report(request_id="r-1", duration_ms=134.34, memory_mb=1024, used_mb=86, init_ms=1006.58)
    assert report.line() == (
        "REPORT RequestId: r-1\tDuration: 134.34 ms\tBilled Duration: 1141 ms\tMemory Size: 1024 MB\t"
        "Max Memory Used: 86 MB\tInit Duration: 1006.58 ms\t"
    )


def test_a_whole_number_of_milliseconds_is_billed_as_it_is() -> None:
    assert Report(request_id="r-1", duration_ms=3000.0, memory_mb=128, used_mb=30).billed_ms == 3000


def test_a_failed_report_names_status_and_error_type() -> None:
    report = Report(
        request_id="r-1", duration_ms=1, memory_mb=1, used_mb=1, status="error", error_type="Runtime.ExitError"
    )
    assert report.line().endswith("\tStatus: error\tError Type: Runtime.ExitError\t")


def test_a_report_with_a_trace_has_a_second_line() -> None:
    trace = "Root=1-6ac7d556-032906e375c910cf42cb849e;Parent=90cbc97f4ee64a7f;Sampled=1"
    report = Report(request_id="r-1", duration_ms=1, memory_mb=1, used_mb=1, trace_id=trace)
    assert report.line().split("\n")[1] == (
        "XRAY TraceId: 1-6ac7d556-032906e375c910cf42cb849e\tSegmentId: 90cbc97f4ee64a7f\tSampled: true\t"
    )


def test_init_lines() -> None:
    assert init_start_line("3.13") == "INIT_START Runtime Version: python:3.13.twin\tRuntime Version ARN: -"
    assert (
        init_report_line(10009.934, phase="init", status="timeout", error_type="Sandbox.Timedout")
        == "INIT_REPORT Init Duration: 10009.93 ms\tPhase: init\tStatus: timeout"
    )
    assert (
        init_report_line(83.58, phase="invoke", status="error", error_type="Runtime.ImportModuleError")
        == "INIT_REPORT Init Duration: 83.58 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError"
    )


def test_a_log_stream_is_named_for_the_day_and_the_version() -> None:
    assert log_stream(datetime(2026, 11, 20, tzinfo=UTC), "3", "0" * 32) == f"2026/11/20/[3]{'0' * 32}"
