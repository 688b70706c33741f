"""What keeps execution environments ready: scaled provisioned concurrency, and a schedule that asks now and then."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.config import StageConfig
from infra.scaling import parse_scheduled

UTILIZATION: Final = 0.7
"""Lambda developer guide, "Configuring provisioned concurrency", its example of target tracking."""


class Warmth(Construct):
    """As much of it as the stage's settings ask for, which by default is nothing."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name
        *,
        config: StageConfig,
        inference: lambda_.Alias,
    ) -> None:
        super().__init__(scope, id)
        if config.provisioned_concurrency is not None:
            self._scale(config, config.provisioned_concurrency, inference)
        if config.keep_warm_minutes is not None:
            self._ask_every(config.keep_warm_minutes, inference)

    def _scale(self, config: StageConfig, least: int, inference: lambda_.Alias) -> None:
        if config.provisioned_concurrency_max is None and not config.provisioned_schedule:
            return
        scheduled = [parse_scheduled(text) for text in config.provisioned_schedule]
        most = max([config.provisioned_concurrency_max or least, *(each.least for each in scheduled)])
        scaling = inference.add_auto_scaling(min_capacity=least, max_capacity=most)
        if config.provisioned_concurrency_max is not None:
            scaling.scale_on_utilization(utilization_target=UTILIZATION)
        for number, each in enumerate(scheduled):
            scaling.scale_on_schedule(
                f"Schedule{number}",
                schedule=autoscaling.Schedule.expression(each.expression),
                min_capacity=each.least,
                max_capacity=max(most, each.least),
            )

    def _ask_every(self, minutes: int, inference: lambda_.Alias) -> None:
        events.Rule(
            self,
            "KeepWarm",
            description="Asks the inference function whether it lives, so that one environment does",
            schedule=events.Schedule.rate(Duration.minutes(minutes)),
            targets=[
                targets.LambdaFunction(
                    inference,
                    event=events.RuleTargetInput.from_object({"httpMethod": "GET", "path": "/v2/health/live"}),
                    retry_attempts=0,
                )
            ],
        )
