"""A Lambda function as Warmstart has them: layers, own log group, a published version, the alias `live`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.assets import Asset
from infra.config import StageConfig
from warmstart.refs import LIVE
from warmstart.stacks import log_group

ARCHITECTURES: Final[Mapping[str, lambda_.Architecture]] = {
    "arm64": lambda_.Architecture.ARM_64,
    "x86_64": lambda_.Architecture.X86_64,
}


PLATFORMS: Final[Mapping[str, ecr_assets.Platform]] = {
    "arm64": ecr_assets.Platform.LINUX_ARM64,
    "x86_64": ecr_assets.Platform.LINUX_AMD64,
}


class LiveFunction(Construct):
    """A function that callers reach through its alias `live`; each change of code or settings is a new version.

    With `image` it is a container image, built by Docker from that folder, which has code and layers in it.
    Its role may do what `statements` say and write its own log and traces; no other construct can widen it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name
        *,
        config: StageConfig,
        name: str,
        handler: str,
        code: Asset,
        layers: Sequence[Asset],
        environment: Mapping[str, str],
        statements: Sequence[iam.PolicyStatement],
        memory_mb: int,
        ephemeral_storage_mb: int = 512,
        concurrency: int | None = None,
        snap_start: bool = False,
        provisioned_concurrency: int | None = None,
        image: Path | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=log_group(config.stage, name),
            retention=retention(config.log_retention_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        runtime = lambda_.Runtime(f"python{config.python}", lambda_.RuntimeFamily.PYTHON, supports_snap_start=True)
        architecture = ARCHITECTURES[config.architecture]
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                name: iam.PolicyDocument(statements=[*statements, _logs(self.log_group.log_group_arn), _traces()])
            },
        )
        common: dict[str, Any] = {
            "description": f"Warmstart {name}, stage {config.stage}",
            "architecture": architecture,
            "environment": dict(environment),
            "role": self.role.without_policy_updates(),
            "memory_size": memory_mb,
            "timeout": Duration.seconds(config.timeout_s),
            "ephemeral_storage_size": Size.mebibytes(ephemeral_storage_mb),
            "reserved_concurrent_executions": concurrency,
            "tracing": lambda_.Tracing.ACTIVE,
            "log_group": self.log_group,
        }
        self.function: lambda_.Function
        if image is not None:
            platform = PLATFORMS[config.architecture]
            self.function = lambda_.DockerImageFunction(
                self,
                "Function",
                code=lambda_.DockerImageCode.from_image_asset(str(image), platform=platform),
                **common,
            )
        else:
            self.function = lambda_.Function(
                self,
                "Function",
                runtime=runtime,
                handler=handler,
                code=lambda_.Code.from_asset(str(code.path), asset_hash=code.digest),
                layers=[
                    lambda_.LayerVersion(
                        self,
                        f"Layer{number}",
                        code=lambda_.Code.from_asset(str(layer.path), asset_hash=layer.digest),
                        compatible_runtimes=[runtime],
                        compatible_architectures=[architecture],
                    )
                    for number, layer in enumerate(layers)
                ],
                snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
                **common,
            )
        self.alias = lambda_.Alias(
            self,
            "Alias",
            alias_name=LIVE,
            version=self.function.current_version,
            provisioned_concurrent_executions=provisioned_concurrency,
        )


def retention(days: int) -> logs.RetentionDays:
    """Return CloudWatch's word for a number of days."""
    return _RETENTION[days]


def _logs(log_group_arn: str) -> iam.PolicyStatement:
    # The ARN that the log group itself gives ends in ":*": its streams, and nothing else.
    return iam.PolicyStatement(
        sid="WriteOwnLogs", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group_arn]
    )


def _traces() -> iam.PolicyStatement:
    # X-Ray has no resource to name: service authorization reference, "Actions defined by AWS X-Ray".
    return iam.PolicyStatement(
        sid="WriteTraces", actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources=["*"]
    )


_RETENTION: Final[Mapping[int, logs.RetentionDays]] = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
    1096: logs.RetentionDays.THREE_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    2192: logs.RetentionDays.SIX_YEARS,
    2557: logs.RetentionDays.SEVEN_YEARS,
    2922: logs.RetentionDays.EIGHT_YEARS,
    3288: logs.RetentionDays.NINE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}
