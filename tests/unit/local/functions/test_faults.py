"""What is said when it is not the handler that answers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.functions import faults

NOW = datetime(2026, 11, 20, 19, 20, 25, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("returncode", "reason"),
    [
        (0, "Runtime exited without providing a reason"),
        (1, "Runtime exited with error: exit status 1"),
        (-9, "Runtime exited with error: signal: killed"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
        (-6, "Runtime exited with error: signal: aborted"),
    ],
)
def test_an_exit_is_described_by_its_status(returncode: int, reason: str) -> None:
    fault = faults.exited(returncode)
    assert fault.answer("r-1") == (
        b'{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r-1 Error: ' + reason.encode() + b'"}'
    )
    assert fault.lines("r-1", NOW) == [f"RequestId: r-1 Error: {reason}\nRuntime.ExitError"]


def test_a_timeout_is_logged_with_its_time() -> None:
    fault = faults.timed_out(3)
    assert fault.answer("r-1") == (
        b'{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: r-1 Error: Task timed out after 3.00 seconds"}'
    )
    assert fault.lines("r-1", NOW) == ["2026-11-20T19:20:25.123Z r-1 Task timed out after 3.00 seconds\n"]


def test_a_response_above_the_limit_is_described_with_both_sizes() -> None:
    assert faults.response_too_large(7000000).answer("r-1") == (
        b'{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size (7000000 bytes) '
        b'exceeded maximum allowed payload size (6291556 bytes)."}'
    )
