"""CloudWatch Logs on the twin keeps what people read, not all that was ever written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from local.aws.logs import KEPT, Logs


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def test_lines_are_read_oldest_first() -> None:
    times = iter([2.0, 1.0])
    logs = Logs(clock=lambda: next(times))
    logs.write("/group", "a", ["third", "fourth"])
    logs.write("/group", "b", ["first", "second"])
    assert logs.read("/group") == ["first", "second", "third", "fourth"]


def test_a_group_that_nobody_wrote_to_is_empty() -> None:
    assert Logs().read("/nothing") == []


def test_a_stream_keeps_its_newest_lines_however_many_are_written() -> None:
    logs = Logs(clock=lambda: 1.0)
    for first in range(0, 5 * KEPT, 100):
        logs.write("/group", "a", [str(number) for number in range(first, first + 100)])
    kept = logs.read("/group")
    assert KEPT <= len(kept) < 2 * KEPT
    assert kept == [str(number) for number in range(5 * KEPT - len(kept), 5 * KEPT)]
