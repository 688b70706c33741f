"""What a person should be told: errors, throttling, answers that are too slow."""

from __future__ import annotations

from aws_cdk import ArnFormat, Duration, Stack, aws_cloudwatch_actions, aws_sns_subscriptions
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.config import StageConfig

_MINUTE = Duration.minutes(1)


class Alarms(Construct):
    """Alarms on what callers see. Silence is no alarm: a stack without requests has no data."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name
        *,
        config: StageConfig,
        api: apigateway.RestApi,
        inference: lambda_.Alias,
        control: lambda_.Alias,
    ) -> None:
        super().__init__(scope, id)
        self._topic = self._subscribe(config.alarm_email) if config.alarm_email else None
        self._alarm("InferenceErrors", inference.metric_errors(period=_MINUTE), "the inference function failed")
        self._alarm("InferenceThrottles", inference.metric_throttles(period=_MINUTE), "no environment was free")
        self._alarm("ControlErrors", control.metric_errors(period=_MINUTE), "the control function failed")
        self._alarm("GatewayErrors", api.metric_server_error(period=_MINUTE, statistic="Sum"), "callers got 5xx")
        self._alarm(
            "InferenceLatency",
            inference.metric_duration(period=_MINUTE, statistic="p99"),
            f"99th percentile above {config.p99_alarm_ms} ms",
            threshold=config.p99_alarm_ms,
            minutes=3,
            of_minutes=5,
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        says: str,
        *,
        threshold: int = 0,
        minutes: int = 1,
        of_minutes: int = 1,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=f"Warmstart: {says}",
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=of_minutes,
            datapoints_to_alarm=minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if self._topic:
            alarm.add_alarm_action(aws_cloudwatch_actions.SnsAction(self._topic))

    def _subscribe(self, email: str) -> sns.Topic:
        topic = sns.Topic(self, "Topic", enforce_ssl=True)
        topic.add_subscription(aws_sns_subscriptions.EmailSubscription(email))
        # A policy of its own, such as the one that asks for TLS, replaces the topic's default one, which let this
        # account's alarms in: SNS developer guide, "Example cases for Amazon SNS access control".
        alarms = Stack.of(self).format_arn(
            service="cloudwatch", resource="alarm", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"ArnLike": {"aws:SourceArn": alarms}},
            )
        )
        return topic
