"""When provisioned concurrency changes: a schedule in a setting, as a value."""

from __future__ import annotations

from typing import Final, NamedTuple

SCHEDULED: Final = r"(cron|rate|at)\([^()]{1,100}\)=[0-9]{1,4}"
"""A setting's form: Application Auto Scaling's schedule expression, and the least that it changes to."""


class Scheduled(NamedTuple):
    """From this time on, at least so many environments."""

    expression: str
    least: int


def parse_scheduled(text: str) -> Scheduled:
    """Read what fits `SCHEDULED`."""
    expression, _, least = text.rpartition("=")
    return Scheduled(expression, int(least))
