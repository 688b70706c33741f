"""When a schedule is due: EventBridge's `rate(...)`, `cron(...)` and `at(...)`. Values in, values out; no moto.

Source: EventBridge Scheduler user guide, "Schedule types in EventBridge Scheduler".
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

_MINUTES: Final = {"minute": 1, "hour": 60, "day": 24 * 60}
_NAMES: Final = {
    name: str(number)
    for names, first in (("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", 1), ("SUN MON TUE WED THU FRI SAT", 1))
    for number, name in enumerate(names.split(), first)
}
_LEAST: Final = (0, 0, 1, 1, 1, 1970)
"""Where each of cron's fields begins, and with it its steps."""
_FORM: Final = re.compile(r"(rate|cron|at)\((.*)\)")
_RATE: Final = re.compile(r"([1-9]\d*) (minute|hour|day)s?")
_ITEM: Final = re.compile(r"(?:[*?]|(\d+)(?:-(\d+))?)(?:/(\d+))?")


def is_due(expression: str, at: datetime) -> bool:
    """Say whether a schedule fires in the minute of `at`, which is in the schedule's time zone.

    A rate counts from the epoch, not from the schedule's creation. Raises: ValueError where the expression is none, or
    has cron's `L`, `W` or `#`.
    """
    form = _FORM.fullmatch(expression.strip())
    match form.groups() if form else None:
        case ("rate", text) if rate := _RATE.fullmatch(str(text)):
            return int(at.timestamp()) // 60 % (int(rate[1]) * _MINUTES[rate[2]]) == 0
        case ("at", text):
            return datetime.fromisoformat(str(text)).replace(second=0) == at.replace(
                second=0, microsecond=0, tzinfo=None
            )
        case ("cron", text) if len(fields := str(text).upper().split()) == len(_now(at)):
            return all(map(_matches, fields, _now(at), _LEAST))
        case _:
            raise ValueError(f"expected rate(...), at(...) or cron(...) with six fields, got {expression}")


def _now(at: datetime) -> tuple[int, ...]:
    """Return cron's fields of a time: minutes, hours, day of the month, month, day of the week from Sunday 1, year."""
    return at.minute, at.hour, at.day, at.month, at.isoweekday() % 7 + 1, at.year


def _matches(field: str, now: int, least: int) -> bool:
    items = re.sub("[A-Z]{3}", lambda name: _NAMES[name[0]], field).split(",")
    return any(_item_matches(item, now, least) for item in items)


def _item_matches(item: str, now: int, least: int) -> bool:
    if (form := _ITEM.fullmatch(item)) is None:
        raise ValueError(f"expected a number, a name, a range or a step in a cron field, got {item}")
    first, last, step = form.groups()
    if first is None:
        return (now - least) % int(step or 1) == 0
    end = int(last or (9999 if step else first))
    return int(first) <= now <= end and (now - int(first)) % int(step or 1) == 0
