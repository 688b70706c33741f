"""EventBridge Scheduler's schedules in a template; `local.aws.schedules` fires them.

Source: CloudFormation template reference, "AWS::Scheduler::Schedule".
"""
# ruff: noqa: D102 - `Taught` says what create, update, remove and attributes do.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from moto.scheduler.models import EventBridgeSchedulerBackend, scheduler_backends

from local.aws.resource import Properties, Taught


class Schedule(Taught):
    """`Ref`: the schedule's name."""

    type: ClassVar[str] = "AWS::Scheduler::Schedule"
    name_property: ClassVar[str] = "Name"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Arn"})

    @property
    def backend(self) -> EventBridgeSchedulerBackend:
        return scheduler_backends[self.account_id][self.region_name]

    def create(self, name: str, properties: Properties) -> None:
        self.backend.create_schedule(name=name, action_after_completion=None, **_settings(properties))
        self.physical_resource_id = name

    def update(self, name: str, properties: Properties) -> Schedule:
        place = ("Name", "GroupName")
        if any(properties.get(key) != self.properties.get(key) for key in place):
            return super().update(name, properties)
        self.backend.update_schedule(name=self.physical_resource_id, **_settings(properties))
        return self

    def remove(self) -> None:
        self.backend.delete_schedule(self.properties.get("GroupName", "default"), self.physical_resource_id)

    def attributes(self) -> Mapping[str, str]:
        found = self.backend.get_schedule(self.properties.get("GroupName", "default"), self.physical_resource_id)
        return {"Arn": found.arn}


def _settings(properties: Properties) -> dict[str, Any]:
    return {
        "description": properties.get("Description"),
        "start_date": properties.get("StartDate"),
        "end_date": properties.get("EndDate"),
        "flexible_time_window": properties["FlexibleTimeWindow"],
        "group_name": properties.get("GroupName", "default"),
        "kms_key_arn": properties.get("KmsKeyArn"),
        "schedule_expression": properties["ScheduleExpression"],
        "schedule_expression_timezone": properties.get("ScheduleExpressionTimezone"),
        "state": properties.get("State", "ENABLED"),
        "target": dict(properties["Target"]),
    }


TYPES: tuple[type[Taught], ...] = (Schedule,)
"""What this file teaches."""
