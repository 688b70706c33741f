"""When a schedule is due."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.aws.schedule_expression import is_due

NOON = datetime(2026, 11, 20, 12, 0, 7, tzinfo=UTC)
"""A Friday."""


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(2 hours)",
        "at(2026-11-20T12:00:00)",
        "cron(0 12 * * ? *)",
        "cron(0/15 8-18 ? * MON-FRI *)",
        "cron(*/20 12 20 NOV ? 2026)",
        "cron(0 6,12 ? */2 6 *)",
    ],
)
def test_it_is_due(expression: str) -> None:
    assert is_due(expression, NOON)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(7 minutes)",
        "rate(1 day)",
        "at(2026-11-20T12:01:00)",
        "cron(1 12 * * ? *)",
        "cron(5/15 8-18 ? * MON-FRI *)",
        "cron(0 12 ? * SAT,SUN *)",
        "cron(0 12 ? */3 * *)",
        "cron(0 12 * * ? 2027)",
    ],
)
def test_it_is_not_due(expression: str) -> None:
    assert not is_due(expression, NOON)


@pytest.mark.parametrize(
    "expression", ["cron(0 12 L * ? *)", "cron(0 12 * * ?)", "every day", "rate(5)", "rate(0 minutes)"]
)
def test_what_is_no_schedule_or_is_not_known_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        is_due(expression, NOON)
