"""API keys and usage plans of a template.

Source: CloudFormation template reference, "Amazon API Gateway resource type reference".
"""
# ruff: noqa: D102 - `Taught` says what create, update, remove and attributes do.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from moto.apigateway.models import ApiKey

from local.aws.apigateway_types import ApiGatewayType
from local.aws.identity import identifier, secret
from local.aws.resource import Properties, Taught, lower_first


class Key(ApiGatewayType):
    """`Ref`: the key's id. Id and value are the same at each start where the twin keeps its data."""

    type: ClassVar[str] = "AWS::ApiGateway::ApiKey"
    name_property: ClassVar[str] = "Name"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"APIKeyId"})

    def create(self, name: str, properties: Properties) -> None:
        value = properties.get("Value") or secret("api-key", name)
        self.physical_resource_id = identifier("api-key", name)
        self.backend.keys[self.physical_resource_id] = ApiKey(self.physical_resource_id, name=name, value=value)
        self._set(properties)

    def update(self, name: str, properties: Properties) -> Key:
        if name != self.backend.get_api_key(self.physical_resource_id).name:
            return super().update(name, properties)
        self._set(properties)
        return self

    def _set(self, properties: Properties) -> None:
        key = self.backend.get_api_key(self.physical_resource_id)
        key.description = properties.get("Description")
        key.enabled = properties.get("Enabled", False)
        key.customer_id = properties.get("CustomerId")
        key.stage_keys = [f"{s['RestApiId']}/{s['StageName']}" for s in properties.get("StageKeys", [])]

    def remove(self) -> None:
        self.backend.keys.pop(self.physical_resource_id, None)

    def attributes(self) -> Mapping[str, str]:
        return {"APIKeyId": self.physical_resource_id}


class UsagePlan(ApiGatewayType):
    """`Ref`: the plan's id."""

    type: ClassVar[str] = "AWS::ApiGateway::UsagePlan"
    name_property: ClassVar[str] = "UsagePlanName"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, name: str, properties: Properties) -> None:
        self.physical_resource_id = self.backend.create_usage_plan({"name": name}).id
        self._set(name, properties)

    def update(self, name: str, properties: Properties) -> UsagePlan:
        self._set(name, properties)
        return self

    def _set(self, name: str, properties: Properties) -> None:
        plan = self.backend.get_usage_plan(self.physical_resource_id)
        plan.name = name
        plan.description = properties.get("Description")
        plan.throttle = lower_first(properties.get("Throttle", {}))
        plan.quota = lower_first(properties.get("Quota", {}))
        plan.api_stages = [_plan_stage(stage) for stage in properties.get("ApiStages", [])]

    def remove(self) -> None:
        self.backend.usage_plans.pop(self.physical_resource_id, None)
        self.backend.usage_plan_keys.pop(self.physical_resource_id, None)

    def attributes(self) -> Mapping[str, str]:
        return {"Id": self.physical_resource_id}


def _plan_stage(stage: Properties) -> dict[str, Any]:
    throttle = {key: lower_first(value) for key, value in stage.get("Throttle", {}).items()}
    return {"apiId": stage["ApiId"], "stage": stage["Stage"], **({"throttle": throttle} if throttle else {})}


class UsagePlanKey(ApiGatewayType):
    """`Ref`: `keyId:usagePlanId`."""

    type: ClassVar[str] = "AWS::ApiGateway::UsagePlanKey"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, name: str, properties: Properties) -> None:  # noqa: ARG002
        key, plan = properties["KeyId"], properties["UsagePlanId"]
        self.backend.create_usage_plan_key(plan, {"keyId": key, "keyType": properties["KeyType"]})
        self.physical_resource_id = f"{key}:{plan}"

    def remove(self) -> None:
        key, _, plan = self.physical_resource_id.partition(":")
        self.backend.usage_plan_keys.get(plan, {}).pop(key, None)

    def attributes(self) -> Mapping[str, str]:
        return {"Id": self.physical_resource_id}


TYPES: tuple[type[Taught], ...] = (Key, UsagePlan, UsagePlanKey)
