"""Schedules that a template declares: made, changed and deleted with their stack."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_cloudformation import CloudFormationClient

from local.aws import stacks

REGION = "us-east-1"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


def template(expression: str) -> str:
    """Declare a rule and a schedule that are due at the same times."""
    rule = {"ScheduleExpression": expression, "State": "ENABLED", "Targets": [{"Arn": FUNCTION, "Id": "0"}]}
    schedule = {
        "ScheduleExpression": expression,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": FUNCTION, "RoleArn": "arn:aws:iam::123456789012:role/r"},
    }
    return json.dumps(
        {
            "Resources": {
                "Rule": {"Type": "AWS::Events::Rule", "Properties": rule},
                "Schedule": {"Type": "AWS::Scheduler::Schedule", "Properties": schedule},
            },
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Schedule", "Arn"]}}},
        }
    )


@pytest.fixture
def formation() -> Iterator[CloudFormationClient]:
    stacks.install()
    with mock_aws():
        yield boto3.client("cloudformation", region_name=REGION)


def expressions() -> list[str]:
    """What rules and schedules say now."""
    events, scheduler = boto3.client("events", region_name=REGION), boto3.client("scheduler", region_name=REGION)
    schedules = [scheduler.get_schedule(Name=one["Name"]) for one in scheduler.list_schedules()["Schedules"]]
    return [
        *(rule["ScheduleExpression"] for rule in events.list_rules()["Rules"]),
        *(schedule["ScheduleExpression"] for schedule in schedules),
    ]


def test_a_schedule_lives_with_its_stack(formation: CloudFormationClient) -> None:
    formation.create_stack(StackName="s", TemplateBody=template("rate(5 minutes)"))
    assert expressions() == ["rate(5 minutes)"] * 2
    formation.update_stack(StackName="s", TemplateBody=template("cron(0 12 * * ? *)"))
    assert expressions() == ["cron(0 12 * * ? *)"] * 2
    formation.delete_stack(StackName="s")
    assert expressions() == []


def test_a_schedules_arn_names_its_group(formation: CloudFormationClient) -> None:
    formation.create_stack(StackName="s", TemplateBody=template("rate(5 minutes)"))
    [stack] = formation.describe_stacks(StackName="s")["Stacks"]
    name = boto3.client("scheduler", region_name=REGION).list_schedules()["Schedules"][0]["Name"]
    assert stack["Outputs"][0]["OutputValue"] == f"arn:aws:scheduler:us-east-1:123456789012:schedule/default/{name}"
