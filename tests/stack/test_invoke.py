"""Lambda's Invoke in front of a stand-in that runs nothing: resolution, answers, errors."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from mypy_boto3_lambda import LambdaClient

from local.aws import invoke, rules, stacks
from local.aws.packages import Packages
from local.aws.schedules import Schedules
from local.types import FunctionConfig, Invocation, PayloadTooLarge, Throttled
from tests.build.twin_client import until


class Recorded:
    """Takes invocations down, and answers as it is told."""

    def __init__(self) -> None:
        self.configs: dict[tuple[str, str], FunctionConfig] = {}
        self.invoked: list[tuple[str | None, bytes]] = []
        self.events: list[tuple[str | None, bytes]] = []
        self.removed: list[str] = []
        self.failure: Exception | None = None
        self.function_error: str | None = None

    def put(self, config: FunctionConfig) -> None:
        self.configs[config.name, config.version] = config

    def remove(self, name: str) -> None:
        self.removed.append(name)

    def invoke(self, function: str, payload: bytes, *, qualifier: str | None = None) -> Invocation:  # noqa: ARG002
        if self.failure is not None:
            raise self.failure
        self.invoked.append((qualifier, payload))
        return Invocation(
            payload=b'{"done": true}',
            function_error=self.function_error,
            executed_version=qualifier or "",
            request_id="id-1",
            log_tail=b"REPORT",
        )

    def invoke_event(self, function: str, payload: bytes, *, qualifier: str | None = None) -> str:  # noqa: ARG002
        self.events.append((qualifier, payload))
        return "id-2"


class World:
    """A deployed function, and what it is run by."""

    def __init__(self, folder: Path) -> None:
        self.runs, self.drawn = Recorded(), 0.5
        self.lambda_ = invoke.Lambda(self.runs, Packages(folder), draw=lambda: self.drawn)
        invoke.install(self.lambda_)
        rules.install(self.lambda_)
        self.client: LambdaClient = boto3.client("lambda", region_name="us-east-1")
        role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.client.create_function(
            FunctionName="f", Role=role, Handler="a.b", Runtime="python3.13", Code={"ZipFile": code("1")}
        )
        self.client.publish_version(FunctionName="f")
        self.client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")

    def second_version(self) -> None:
        self.client.update_function_code(FunctionName="f", ZipFile=code("2"))
        self.client.publish_version(FunctionName="f")


def code(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.py", text)
    return buffer.getvalue()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    stacks.install()
    with mock_aws(config={"lambda": {"use_docker": False}, "stepfunctions": {"execute_state_machine": True}}):
        yield World(tmp_path)


def call(world: World, **arguments: Any) -> Any:
    return world.client.invoke(**{"FunctionName": "f", "Payload": b"{}", **arguments})


def test_an_alias_runs_its_version(world: World) -> None:
    answer = call(world, Qualifier="live", Payload=b'{"a": 1}')
    assert world.runs.invoked == [("1", b'{"a": 1}')]
    assert answer["ExecutedVersion"] == "1"
    assert json.loads(answer["Payload"].read()) == {"done": True}


def test_no_qualifier_runs_latest(world: World) -> None:
    call(world)
    assert world.runs.invoked == [("$LATEST", b"{}")]


def test_an_arn_may_hold_the_qualifier(world: World) -> None:
    call(world, FunctionName="arn:aws:lambda:us-east-1:123456789012:function:f:live")
    assert world.runs.invoked == [("1", b"{}")]


def test_a_weighted_alias_sends_its_share_to_the_other_version(world: World) -> None:
    world.second_version()
    world.client.update_alias(
        FunctionName="f",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}},
    )
    for world.drawn in (0.0, 0.2, 0.25, 0.9):
        call(world, Qualifier="live")
    assert [version for version, _ in world.runs.invoked] == ["2", "2", "1", "1"]


def test_the_code_is_unpacked_for_its_version(world: World) -> None:
    world.second_version()
    call(world, Qualifier="1")
    call(world, Qualifier="2")
    texts = {version: (config.code_dir / "a.py").read_text() for (_, version), config in world.runs.configs.items()}
    assert texts == {"1": "1", "2": "2"}


def test_a_function_error_is_named(world: World) -> None:
    world.runs.function_error = "Unhandled"
    assert call(world)["FunctionError"] == "Unhandled"


def test_the_log_comes_when_it_is_asked_for(world: World) -> None:
    assert base64.b64decode(call(world, LogType="Tail")["LogResult"]) == b"REPORT"
    assert "LogResult" not in call(world)


def test_throttling_is_a_429(world: World) -> None:
    world.runs.failure = Throttled("Rate Exceeded.")
    once = Config(retries={"total_max_attempts": 1})
    client = boto3.client("lambda", region_name="us-east-1", config=once)
    with pytest.raises(client.exceptions.TooManyRequestsException) as error:
        client.invoke(FunctionName="f")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_a_payload_above_the_limit_is_a_413(world: World) -> None:
    world.runs.failure = PayloadTooLarge("6291456 bytes")
    with pytest.raises(world.client.exceptions.RequestTooLargeException):
        call(world)


def test_an_unknown_function_is_a_404(world: World) -> None:
    with pytest.raises(world.client.exceptions.ResourceNotFoundException):
        call(world, FunctionName="g")


def test_an_event_is_queued(world: World) -> None:
    assert call(world, InvocationType="Event")["StatusCode"] == 202
    assert world.runs.events == [("$LATEST", b"{}")]
    assert world.runs.invoked == []


def test_a_dry_run_runs_nothing(world: World) -> None:
    assert call(world, InvocationType="DryRun")["StatusCode"] == 204
    assert world.runs.invoked == []


def test_a_deleted_functions_environments_end(world: World) -> None:
    call(world)
    world.client.delete_function(FunctionName="f")
    world.lambda_.synchronize()
    assert world.runs.removed == ["f"]


def test_a_notification_of_s3_is_an_event(world: World) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="incoming")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f:live"
    s3.put_bucket_notification_configuration(
        Bucket="incoming",
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    s3.put_object(Bucket="incoming", Key="k", Body=b"1")
    records = [json.loads(payload)["Records"][0]["s3"]["object"]["key"] for _, payload in world.runs.events]
    assert records == ["k"]


def test_an_sqs_mapping_invokes(world: World) -> None:
    sqs = boto3.client("sqs", region_name="us-east-1")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    world.client.create_event_source_mapping(EventSourceArn=arn, FunctionName="f")
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    [(_, payload)] = world.runs.invoked
    assert json.loads(payload)["Records"][0]["body"] == "hello"


FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:f:live"


@pytest.mark.parametrize(
    ("task", "result"),
    [
        ({"Resource": FUNCTION_ARN}, {"done": True}),
        (
            {
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": FUNCTION_ARN, "Payload.$": "$"},
                "OutputPath": "$.Payload",
            },
            {"done": True},
        ),
    ],
    ids=["the function's ARN", "lambda:invoke"],
)
def test_a_task_of_a_state_machine_invokes(world: World, task: dict[str, Any], result: object) -> None:
    states = boto3.client("stepfunctions", region_name="us-east-1")
    definition = {"StartAt": "Only", "States": {"Only": {"Type": "Task", "End": True, **task}}}
    machine = states.create_state_machine(
        name="m", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/r"
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, input='{"a": 1}')["executionArn"]
    until(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING")
    done = states.describe_execution(executionArn=execution)
    assert (done["status"], json.loads(done["output"])) == ("SUCCEEDED", result)
    assert [(version, json.loads(payload)) for version, payload in world.runs.invoked] == [("1", {"a": 1})]


def test_a_message_of_sns_is_an_event(world: World) -> None:
    sns = boto3.client("sns", region_name="us-east-1")
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=FUNCTION_ARN)
    sns.publish(TopicArn=topic, Message="hello")
    [(version, payload)] = world.runs.events
    assert (version, json.loads(payload)["Records"][0]["Sns"]["Message"]) == ("1", "hello")


def test_an_event_that_a_rule_matches_is_an_event_for_the_function(world: World) -> None:
    events = boto3.client("events", region_name="us-east-1")
    events.put_rule(Name="r", EventPattern='{"source": ["models"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": FUNCTION_ARN}])
    for source in ("models", "others"):
        events.put_events(Entries=[{"Source": source, "DetailType": "published", "Detail": '{"name": "iris"}'}])
    [(version, payload)] = world.runs.events
    event = json.loads(payload)
    assert (version, event["source"], event["detail-type"], event["detail"]) == (
        "1",
        "models",
        "published",
        {"name": "iris"},
    )


def test_a_target_may_say_what_the_function_gets(world: World) -> None:
    events = boto3.client("events", region_name="us-east-1")
    events.put_rule(Name="r", EventPattern='{"source": ["models"]}')
    transformer = {"InputPathsMap": {"name": "$.detail.name"}, "InputTemplate": '{"model": "<name>"}'}
    events.put_targets(
        Rule="r",
        Targets=[
            {"Id": "1", "Arn": FUNCTION_ARN, "Input": '{"constant": 1}'},
            {"Id": "2", "Arn": FUNCTION_ARN, "InputPath": "$.detail"},
            {"Id": "3", "Arn": FUNCTION_ARN, "InputTransformer": transformer},
        ],
    )
    events.put_events(Entries=[{"Source": "models", "DetailType": "published", "Detail": '{"name": "iris"}'}])
    assert [json.loads(payload) for _, payload in world.runs.events] == [
        {"constant": 1},
        {"name": "iris"},
        {"model": "iris"},
    ]


def test_a_disabled_rule_sends_nothing(world: World) -> None:
    events = boto3.client("events", region_name="us-east-1")
    events.put_rule(Name="r", EventPattern='{"source": ["models"]}', State="DISABLED")
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": FUNCTION_ARN}])
    events.put_events(Entries=[{"Source": "models", "DetailType": "published", "Detail": "{}"}])
    assert world.runs.events == []


def test_a_function_that_is_gone_fails_no_event(world: World) -> None:
    events = boto3.client("events", region_name="us-east-1")
    events.put_rule(Name="r", EventPattern='{"source": ["models"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": FUNCTION_ARN.replace(":f:live", ":gone")}])
    answer = events.put_events(Entries=[{"Source": "models", "DetailType": "published", "Detail": "{}"}])
    assert answer["FailedEntryCount"] == 0
    assert world.runs.events == []


class Clock:
    """A wall clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 11, 58, 30, tzinfo=UTC)

    def at(self, hour: int, minute: int, second: int = 0) -> None:
        self.now = self.now.replace(hour=hour, minute=minute, second=second)


def test_a_rule_with_a_schedule_invokes_when_it_is_due_and_once(world: World) -> None:
    events = boto3.client("events", region_name="us-east-1")
    events.put_rule(Name="r", ScheduleExpression="rate(5 minutes)")
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": FUNCTION_ARN}])
    clock = Clock()
    schedules = Schedules(world.lambda_, lambda: clock.now)
    for minute, second in ((59, 0), (0, 0), (0, 1), (1, 0)):
        clock.at(11 if minute == 59 else 12, minute, second)
        schedules.look()
    [(version, payload)] = world.runs.events
    event = json.loads(payload)
    assert (version, event["detail-type"], event["source"], event["time"], event["resources"], event["detail"]) == (
        "1",
        "Scheduled Event",
        "aws.events",
        "2026-11-20T12:00:00Z",
        ["arn:aws:events:us-east-1:123456789012:rule/r"],
        {},
    )


def test_a_schedule_of_the_scheduler_invokes_in_its_own_time_zone(world: World) -> None:
    scheduler = boto3.client("scheduler", region_name="us-east-1")
    scheduler.create_schedule(
        Name="nightly",
        ScheduleExpression="cron(0 13 * * ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": FUNCTION_ARN, "RoleArn": "arn:aws:iam::123456789012:role/r", "Input": '{"job": "drift"}'},
    )
    clock = Clock()
    schedules = Schedules(world.lambda_, lambda: clock.now)
    for hour in (12, 13):
        clock.at(hour, 0)
        schedules.look()
    assert world.runs.events == [("1", b'{"job": "drift"}')]
