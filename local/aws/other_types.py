"""The S3, CloudWatch, SNS and SQS types of a template that moto drops parts of, or does not know.

Source: CloudFormation template reference, the page of each type.
"""
# ruff: noqa: D102 - `Taught` says what create, update, remove and attributes do.

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from moto.cloudwatch.models import (
    CloudWatchBackend,
    Dimension,
    Metric,
    MetricDataQuery,
    MetricStat,
    cloudwatch_backends,
)
from moto.logs.models import LogsBackend, logs_backends
from moto.s3.cloud_formation import cfn_to_api_encryption
from moto.s3.models import FakeBucket, S3Backend, s3_backends
from moto.sns.models import SNSBackend, sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from local.aws.resource import Properties, Taught, tags

_BUCKET_ATTRIBUTES: Final = frozenset({"Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"})


class _S3(Taught):
    @property
    def backend(self) -> S3Backend:
        return s3_backends[self.account_id][get_partition(self.region_name)]


class Bucket(_S3):
    """`Ref`: the bucket's name. Versioning, public access block, encryption, lifecycle and ownership are kept."""

    type: ClassVar[str] = "AWS::S3::Bucket"
    name_property: ClassVar[str] = "BucketName"
    attribute_names: ClassVar[frozenset[str]] = _BUCKET_ATTRIBUTES

    def create(self, name: str, properties: Properties) -> None:
        self.backend.create_bucket(name, self.region_name)
        self.physical_resource_id = name
        self._set(properties)

    def update(self, name: str, properties: Properties) -> Bucket:
        if name != self.physical_resource_id:
            return super().update(name, properties)
        self._set(properties)
        return self

    def _set(self, properties: Properties) -> None:
        name, backend = self.physical_resource_id, self.backend
        if status := properties.get("VersioningConfiguration", {}).get("Status"):
            backend.put_bucket_versioning(name, status)
        if block := properties.get("PublicAccessBlockConfiguration"):
            backend.put_public_access_block(name, block)
        if encryption := properties.get("BucketEncryption"):
            backend.put_bucket_encryption(name, cfn_to_api_encryption(encryption))
        if rules := properties.get("LifecycleConfiguration", {}).get("Rules"):
            backend.put_bucket_lifecycle_configuration(name, [_lifecycle_rule(rule) for rule in rules])
        if ownership := properties.get("OwnershipControls"):
            backend.put_bucket_ownership_controls(name, ownership["Rules"][0]["ObjectOwnership"])
        backend.put_bucket_tagging(name, tags(properties))

    def remove(self) -> None:
        if self.backend.delete_bucket(self.physical_resource_id) is None:
            raise ValueError(f"the bucket {self.physical_resource_id} is not empty (BucketNotEmpty)")

    def attributes(self) -> Mapping[str, str]:
        bucket: FakeBucket = self.backend.get_bucket(self.physical_resource_id)
        return {name: bucket.get_cfn_attribute(name) for name in _BUCKET_ATTRIBUTES}


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """Turn a template's rule into the API's."""
    made: dict[str, Any] = {
        "ID": rule.get("Id"),
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    expiration = {"Days": rule.get("ExpirationInDays"), "Date": rule.get("ExpirationDate")}
    if rule.get("ExpiredObjectDeleteMarker"):
        expiration["ExpiredObjectDeleteMarker"] = "true"
    if any(expiration.values()):
        made["Expiration"] = {key: value for key, value in expiration.items() if value}
    days = rule.get("NoncurrentVersionExpirationInDays")
    noncurrent = rule.get("NoncurrentVersionExpiration") or ({"NoncurrentDays": days} if days else None)
    if noncurrent:
        made["NoncurrentVersionExpiration"] = noncurrent
    if abort := rule.get("AbortIncompleteMultipartUpload"):
        made["AbortIncompleteMultipartUpload"] = abort
    if transitions := rule.get("Transitions"):
        made["Transition"] = [
            {"Days": t.get("TransitionInDays"), "Date": t.get("TransitionDate"), "StorageClass": t["StorageClass"]}
            for t in transitions
        ]
    return made


class BucketPolicy(_S3):
    """`Ref`: the bucket's name. Denies with a condition are left out: moto would apply them without the condition.

    CDK's TLS-only statement is such a Deny; without its condition it refuses every write.
    """

    type: ClassVar[str] = "AWS::S3::BucketPolicy"

    def create(self, name: str, properties: Properties) -> None:  # noqa: ARG002
        self.physical_resource_id = properties["Bucket"]
        self._put(properties)

    def update(self, name: str, properties: Properties) -> BucketPolicy:
        if properties["Bucket"] != self.physical_resource_id:
            return super().update(name, properties)
        self._put(properties)
        return self

    def _put(self, properties: Properties) -> None:
        document = dict(properties["PolicyDocument"])
        statements = document.get("Statement", [])
        statements = statements if isinstance(statements, list) else [statements]
        document["Statement"] = [s for s in statements if not (s["Effect"] == "Deny" and "Condition" in s)]
        self.backend.put_bucket_policy(self.physical_resource_id, json.dumps(document).encode())

    def remove(self) -> None:
        if self.physical_resource_id in self.backend.buckets:
            self.backend.delete_bucket_policy(self.physical_resource_id)


class Alarm(Taught):
    """`Ref`: the alarm's name. On the twin it stays as `set_alarm_state` puts it: nothing evaluates metrics."""

    type: ClassVar[str] = "AWS::CloudWatch::Alarm"
    name_property: ClassVar[str] = "AlarmName"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Arn"})

    @property
    def backend(self) -> CloudWatchBackend:
        return cloudwatch_backends[self.account_id][self.region_name]

    def create(self, name: str, properties: Properties) -> None:
        get = properties.get
        self.backend.put_metric_alarm(
            name=name,
            namespace=get("Namespace", ""),
            metric_name=get("MetricName", ""),
            comparison_operator=properties["ComparisonOperator"],
            evaluation_periods=int(properties["EvaluationPeriods"]),
            period=int(get("Period", 60)),
            threshold=float(get("Threshold", 0)),
            statistic=get("Statistic", ""),
            description=get("AlarmDescription", ""),
            dimensions=get("Dimensions", []),
            alarm_actions=get("AlarmActions", []),
            metric_data_queries=[_query(query) for query in get("Metrics", [])] or None,
            datapoints_to_alarm=get("DatapointsToAlarm"),
            extended_statistic=get("ExtendedStatistic"),
            ok_actions=get("OKActions", []),
            insufficient_data_actions=get("InsufficientDataActions", []),
            unit=get("Unit"),
            actions_enabled=get("ActionsEnabled", True),
            treat_missing_data=get("TreatMissingData"),
        )
        self.physical_resource_id = name

    def update(self, name: str, properties: Properties) -> Alarm:
        if name != self.physical_resource_id:
            return super().update(name, properties)
        self.create(name, properties)
        return self

    def remove(self) -> None:
        self.backend.alarms.pop(self.physical_resource_id, None)

    def attributes(self) -> Mapping[str, str]:
        return {"Arn": self.backend.alarms[self.physical_resource_id].alarm_arn}


def _query(query: Properties) -> MetricDataQuery:
    return MetricDataQuery(
        query_id=query["Id"],
        label=query.get("Label", ""),
        period=str(query.get("Period", "")),
        return_data=str(query.get("ReturnData", True)).lower(),
        expression=query.get("Expression"),
        metric_stat=_metric_stat(query["MetricStat"]) if "MetricStat" in query else None,
    )


def _metric_stat(stat: Properties) -> MetricStat:
    metric = stat["Metric"]
    dimensions = [Dimension(dimension["Name"], dimension["Value"]) for dimension in metric.get("Dimensions", [])]
    return MetricStat(
        Metric(metric["MetricName"], metric["Namespace"], dimensions),
        str(stat["Period"]),
        stat["Stat"],
        stat.get("Unit", ""),
    )


class LogGroup(Taught):
    """`Ref`: the group's name. A changed retention is kept."""

    type: ClassVar[str] = "AWS::Logs::LogGroup"
    name_property: ClassVar[str] = "LogGroupName"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Arn"})

    @property
    def backend(self) -> LogsBackend:
        return logs_backends[self.account_id][self.region_name]

    def create(self, name: str, properties: Properties) -> None:
        group = self.backend.create_log_group(name, tags(properties))
        group.retention_in_days = properties.get("RetentionInDays")
        group.kms_key_id = properties.get("KmsKeyId")
        self.physical_resource_id = name

    def update(self, name: str, properties: Properties) -> LogGroup:
        if name != self.physical_resource_id:
            return super().update(name, properties)
        self.backend.groups[name].retention_in_days = properties.get("RetentionInDays")
        return self

    def remove(self) -> None:
        self.backend.delete_log_group(self.physical_resource_id)

    def attributes(self) -> Mapping[str, str]:
        return {"Arn": f"{self.backend.groups[self.physical_resource_id].arn}:*"}


class Subscription(Taught):
    """`Ref`: the subscription's ARN."""

    type: ClassVar[str] = "AWS::SNS::Subscription"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Arn"})

    @property
    def backend(self) -> SNSBackend:
        return sns_backends[self.account_id][self.region_name]

    def create(self, name: str, properties: Properties) -> None:  # noqa: ARG002
        made = self.backend.subscribe(properties["TopicArn"], properties.get("Endpoint", ""), properties["Protocol"])
        self.physical_resource_id = made.arn

    def remove(self) -> None:
        self.backend.unsubscribe(self.physical_resource_id)

    def attributes(self) -> Mapping[str, str]:
        return {"Arn": self.physical_resource_id}


class TopicPolicy(Taught):
    """`Ref`: a generated name. Kept on the topic; moto does not enforce it."""

    type: ClassVar[str] = "AWS::SNS::TopicPolicy"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, name: str, properties: Properties) -> None:
        self.physical_resource_id = name
        self._put(properties)

    def update(self, name: str, properties: Properties) -> TopicPolicy:  # noqa: ARG002
        self._put(properties)
        return self

    def _put(self, properties: Properties) -> None:
        topics = sns_backends[self.account_id][self.region_name].topics
        for arn in properties["Topics"]:
            topics[arn].policy = json.dumps(properties["PolicyDocument"])

    def remove(self) -> None:
        """Leave the topic as it is: it goes with its stack."""

    def attributes(self) -> Mapping[str, str]:
        return {"Id": self.physical_resource_id}


class QueuePolicy(Taught):
    """`Ref`: a generated name. Kept on the queue; moto does not enforce it."""

    type: ClassVar[str] = "AWS::SQS::QueuePolicy"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, name: str, properties: Properties) -> None:
        self.physical_resource_id = name
        self._put(properties)

    def update(self, name: str, properties: Properties) -> QueuePolicy:  # noqa: ARG002
        self._put(properties)
        return self

    def _put(self, properties: Properties) -> None:
        backend = sqs_backends[self.account_id][self.region_name]
        for url in properties["Queues"]:
            backend.get_queue(url.rpartition("/")[2])._policy_json = properties["PolicyDocument"]

    def remove(self) -> None:
        """Leave the queue as it is: it goes with its stack."""

    def attributes(self) -> Mapping[str, str]:
        return {"Id": self.physical_resource_id}


TYPES: tuple[type[Taught], ...] = (Bucket, BucketPolicy, Alarm, LogGroup, Subscription, TopicPolicy, QueuePolicy)
