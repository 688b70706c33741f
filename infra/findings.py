"""What `cdk-nag` (AwsSolutions) finds and we accept: each with the part of the stacks it is about, and the reason.

A finding that is not here fails the tests. docs/security.md explains the same choices to operators.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

from infra.config import StageConfig
from infra.constructs.api import PREDICTIONS
from infra.stacks import rights
from infra.stacks.store import bucket_export

_LOGGING_POLICY: Final = "arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"


class Finding(NamedTuple):
    """A rule, accepted for a construct and everything in it."""

    rule: str
    path: str
    """The construct's path below its stack."""
    reason: str


STORE: Final = (
    Finding("S1", "Store/AccessLog", "Here the access log is written; logging its own writes would never end."),
)

SERVING: Final = (
    Finding(
        "L1", "Inference/Function", "The stage's `python` chooses it: the layers' wheels are made for one version."
    ),
    Finding("L1", "Control/Function", "The stage's `python` chooses it: the layers' wheels are made for one version."),
    Finding("IAM5[Resource::*]", "Inference/Role", "X-Ray's write actions know no resources."),
    Finding("IAM5[Resource::*]", "Control/Role", "X-Ray's write actions know no resources."),
    Finding(
        f"IAM4[Policy::{_LOGGING_POLICY}]",
        "Gateway/Rest/CloudWatchRole",
        "API Gateway's documentation asks for this policy on the account's logging role.",
    ),
    Finding(
        "APIG3",
        "Gateway/Rest",
        "A web ACL costs by the month; key, throttle and quota stand before the functions.",
    ),
    Finding(
        "APIG2", "Gateway/Rest", "The functions check bodies: each protocol has its own, and its own shape of errors."
    ),
    *(
        Finding("APIG4", f"Gateway/Rest/Default/{part}", "Predictions need the API key of the usage plan.")
        for part in sorted({path.split("/")[1] for path in PREDICTIONS})
    ),
    Finding("COG4", "Gateway/Rest", "Callers are machines: API keys on predictions, IAM on /admin."),
)


def store_rights(stage: str) -> tuple[Finding, ...]:
    """Return the wildcards in what the functions may do to the store: keys hold models' names."""
    bucket = f"arn:<AWS::Partition>:s3:::{bucket_export(stage)}"
    read = "Any model may be asked for; everything in the bucket below `models/` is one."
    move = "Aliases of any model may be moved, and nothing else written."
    return (
        Finding(f"IAM5[Resource::{bucket}/{rights.ALL_MODELS}]", "Inference/Role", read),
        Finding(f"IAM5[Resource::{bucket}/{rights.ALL_MODELS}]", "Control/Role", read),
        Finding(f"IAM5[Resource::{bucket}/{rights.ALIASES}]", "Control/Role", move),
        Finding(f"IAM5[Resource::{bucket}/{rights.HISTORY}]", "Control/Role", move),
    )


def payload_rights(config: StageConfig) -> tuple[Finding, ...]:
    """Return the wildcards in what the inference function may do to bodies: callers name them."""
    why = "The stage's `payload_locations` names this prefix; callers choose the names below it."
    return tuple(
        Finding(f"IAM5[Resource::arn:<AWS::Partition>:s3:::{location.removeprefix('s3://')}*]", "Inference/Role", why)
        for location in config.payload_locations
    )


def acknowledge(config: StageConfig, store: Stack, serving: Stack) -> None:
    """Tell the CDK's validators which findings are accepted, where, and why."""
    for stack, findings in (
        (store, STORE),
        (serving, (*SERVING, *store_rights(config.stage), *payload_rights(config))),
    ):
        for finding in findings:
            Validations.of(_at(stack, finding.path)).acknowledge(
                Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding.rule}", reason=finding.reason)
            )


def _at(construct: IConstruct, path: str) -> IConstruct:
    for part in path.split("/"):
        construct = construct.node.find_child(part)
    return construct
