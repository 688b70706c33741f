"""EventBridge's schedules, those of rules and those of the Scheduler: moto keeps them, this fires them.

Source: EventBridge user guide, "Creating a rule that runs on a schedule"; Scheduler user guide, "What is EventBridge
Scheduler".
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from moto.events.models import events_backends
from moto.scheduler.models import scheduler_backends

from local.aws.invoke import Lambda
from local.aws.rules import Target, deliver, iso
from local.aws.schedule_expression import is_due
from local.types import ACCOUNT, REGION

_LOG: Final = logging.getLogger(__name__)
_LOOK_EVERY_S: Final = 1.0


class _Schedule(NamedTuple):
    arn: str
    expression: str
    zone: str
    source: str
    detail: object
    targets: list[Target]


class Schedules:
    """Fires what is due, once a minute. `now` gives the time, with its zone."""

    def __init__(self, lambda_: Lambda, now: Callable[[], datetime]) -> None:
        self._lambda, self._now = lambda_, now
        self._minute = now().replace(second=0, microsecond=0)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)

    def start(self) -> None:
        """Look at the clock from now on, in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Fire no more. Idempotent."""
        self._closing.set()
        self._thread.join()

    def look(self) -> None:
        """Fire what is due in this minute, once; what fell into a time when nobody looked is skipped."""
        minute = self._now().replace(second=0, microsecond=0)
        if minute == self._minute:
            return
        self._minute = minute
        for schedule in _enabled():
            try:
                if is_due(schedule.expression, minute.astimezone(ZoneInfo(schedule.zone))):
                    for target in schedule.targets:
                        deliver(self._lambda, target, _event(schedule, minute))
            except (ValueError, LookupError) as error:
                _LOG.warning("%s is not fired: %s", schedule.arn, error)

    def _run(self) -> None:
        while not self._closing.wait(_LOOK_EVERY_S):
            self.look()


def _enabled() -> Iterator[_Schedule]:
    for bus in list(events_backends[ACCOUNT][REGION].event_buses.values()):
        for rule in list(bus.rules.values()):
            if rule.scheduled_expression and rule.state == "ENABLED":
                yield _Schedule(rule.arn, rule.scheduled_expression, "UTC", "aws.events", {}, list(rule.targets))
    for group in list(scheduler_backends[ACCOUNT][REGION].schedule_groups.values()):
        for one in list(group.schedules.values()):
            if one.state == "ENABLED":
                zone = one.schedule_expression_timezone
                yield _Schedule(one.arn, one.schedule_expression, zone, "aws.scheduler", "{}", [one.target])


def _event(schedule: _Schedule, at: datetime) -> Mapping[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": schedule.source,
        "account": ACCOUNT,
        "time": iso(at),
        "region": REGION,
        "resources": [schedule.arn],
        "detail": schedule.detail,
    }
