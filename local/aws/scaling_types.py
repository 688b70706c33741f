"""Application Auto Scaling's types in a template. Environments here come and go by themselves: nothing is scaled.

Source: CloudFormation template reference, "Application Auto Scaling resource type reference".
"""
# ruff: noqa: D102 - `Taught` says what create, update, remove and attributes do.

from __future__ import annotations

from typing import ClassVar

from local.aws.resource import Properties, Taught


class ScalableTarget(Taught):
    """`Ref`: the resource's id, its dimension and its service."""

    type: ClassVar[str] = "AWS::ApplicationAutoScaling::ScalableTarget"

    def create(self, name: str, properties: Properties) -> None:  # noqa: ARG002 - it has no name of its own
        parts = (properties["ResourceId"], properties["ScalableDimension"], properties["ServiceNamespace"])
        self.physical_resource_id = "|".join(parts)

    def remove(self) -> None:
        """Nothing was made."""


class ScalingPolicy(Taught):
    """`Ref`: an ARN."""

    type: ClassVar[str] = "AWS::ApplicationAutoScaling::ScalingPolicy"

    def create(self, name: str, properties: Properties) -> None:
        where = f"arn:aws:autoscaling:{self.region_name}:{self.account_id}:scalingPolicy"
        self.physical_resource_id = f"{where}:{name}:policyName/{properties['PolicyName']}"

    def remove(self) -> None:
        """Nothing was made."""


TYPES = (ScalableTarget, ScalingPolicy)
