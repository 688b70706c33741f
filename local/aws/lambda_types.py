"""The Lambda types of a template: functions keep all that is declared, versions and aliases have their ARNs.

Source: CloudFormation template reference, "AWS Lambda resource type reference".
"""
# ruff: noqa: D102 - `Taught` says what create, update, remove and attributes do.

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from moto.awslambda.models import LambdaBackend, LambdaFunction, LambdaStorage
from moto.awslambda.utils import get_backend

from local.aws.resource import Properties, Taught, tags

ARN: Final = "Arn"
_SPEC: Final = (
    "Handler",
    "Role",
    "Runtime",
    "Description",
    "MemorySize",
    "Timeout",
    "VpcConfig",
    "Environment",
    "Layers",
    "TracingConfig",
    "Architectures",
    "EphemeralStorage",
    "PackageType",
    "ImageConfig",
)


class _Lambda(Taught):
    @property
    def backend(self) -> LambdaBackend:
        return get_backend(self.account_id, self.region_name)

    def function(self, name_or_arn: str) -> LambdaFunction:
        return self.backend.get_function(name_or_arn)


class Function(_Lambda):
    """`Ref`: the function's name."""

    type: ClassVar[str] = "AWS::Lambda::Function"
    name_property: ClassVar[str] = "FunctionName"
    attribute_names: ClassVar[frozenset[str]] = frozenset({ARN})

    def create(self, name: str, properties: Properties) -> None:
        spec = {key: properties[key] for key in _SPEC if key in properties}
        code = _code(properties)
        self._keep(self.backend.create_function({**spec, "Code": code, "FunctionName": name}), properties)
        self.physical_resource_id = name

    def update(self, name: str, properties: Properties) -> Function:
        if name != self.physical_resource_id:
            return super().update(name, properties)
        function = self.function(name)
        function.update_configuration({key: properties[key] for key in _SPEC if key in properties})
        function.environment_vars = properties.get("Environment", {}).get("Variables", {})
        function.memory_size = properties.get("MemorySize", 128)
        function.timeout = properties.get("Timeout", 3)
        function.architectures = properties.get("Architectures", ["x86_64"])
        function.tracing_config = properties.get("TracingConfig") or {"Mode": "PassThrough"}
        function.ephemeral_storage = properties.get("EphemeralStorage", {}).get("Size", 512)
        function.layers = function._get_layers_data(properties.get("Layers", []))
        function.update_function_code(_code(properties))
        self._keep(function, properties)
        return self

    def _keep(self, function: LambdaFunction, properties: Properties) -> None:
        """Keep what moto's constructor drops."""
        function.reserved_concurrency = properties.get("ReservedConcurrentExecutions")
        function.tags = tags(properties)
        group = properties.get("LoggingConfig", {}).get("LogGroup")
        if group:
            function.logs_group_name = group

    def remove(self) -> None:
        self.backend.delete_function(self.physical_resource_id)

    def attributes(self) -> Mapping[str, str]:
        return {ARN: self.function(self.physical_resource_id).function_arn}


def _code(properties: Properties) -> dict[str, Any]:
    """Return the code's place; inline code becomes the zip that CloudFormation would make of it."""
    code = dict(properties["Code"])
    if "ZipFile" in code:
        code["ZipFile"] = base64.b64encode(LambdaFunction._create_zipfile_from_plaintext_code(code["ZipFile"]))
    return code


class LayerVersion(_Lambda):
    """`Ref`: the ARN with the version. Any change makes a new version."""

    type: ClassVar[str] = "AWS::Lambda::LayerVersion"
    name_property: ClassVar[str] = "LayerName"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"LayerVersionArn"})

    def create(self, name: str, properties: Properties) -> None:
        optional = ("Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo")
        spec = {key: properties[key] for key in optional if key in properties}
        made = self.backend.publish_layer_version({**spec, "Content": properties["Content"], "LayerName": name})
        self.physical_resource_id = made.arn

    def remove(self) -> None:
        name, version = self.physical_resource_id.rsplit(":", 2)[1:]
        self.backend.delete_layer_version(name, version)

    def attributes(self) -> Mapping[str, str]:
        return {"LayerVersionArn": self.physical_resource_id}


class Version(_Lambda):
    """`Ref`: the function's ARN with the version's number."""

    type: ClassVar[str] = "AWS::Lambda::Version"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Version", "FunctionArn"})

    def create(self, name: str, properties: Properties) -> None:  # noqa: ARG002
        made = self.backend.publish_version(properties["FunctionName"], properties.get("Description", ""))
        if made is None:
            raise ValueError(f"function not found: {properties['FunctionName']}")
        self.physical_resource_id = made.function_arn

    def update(self, name: str, properties: Properties) -> Version:
        if properties["FunctionName"] != self.properties["FunctionName"]:
            return super().update(name, properties)
        return self

    def remove(self) -> None:
        self.backend.delete_function(self.physical_resource_id)

    def attributes(self) -> Mapping[str, str]:
        return {"Version": self.physical_resource_id.rpartition(":")[2], "FunctionArn": self.physical_resource_id}


class Alias(_Lambda):
    """`Ref`: the function's ARN with the alias's name."""

    type: ClassVar[str] = "AWS::Lambda::Alias"
    name_property: ClassVar[str] = "Name"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"AliasArn"})

    def create(self, name: str, properties: Properties) -> None:
        made = self.backend.create_alias(
            name,
            properties["FunctionName"],
            properties["FunctionVersion"],
            properties.get("Description", ""),
            properties.get("RoutingConfig", ""),
        )
        self.physical_resource_id = made.arn

    def update(self, name: str, properties: Properties) -> Alias:
        if (name, properties["FunctionName"]) != (self.properties["Name"], self.properties["FunctionName"]):
            return super().update(name, properties)
        self.backend.update_alias(
            name,
            properties["FunctionName"],
            properties["FunctionVersion"],
            properties.get("Description", ""),
            properties.get("RoutingConfig", ""),
        )
        return self

    def remove(self) -> None:
        self.backend.delete_alias(self.properties["Name"], self.properties["FunctionName"])

    def attributes(self) -> Mapping[str, str]:
        return {"AliasArn": self.physical_resource_id}


class Permission(_Lambda):
    """A statement of a function's policy, also on an alias or a version. `Ref`: its id."""

    type: ClassVar[str] = "AWS::Lambda::Permission"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, name: str, properties: Properties) -> None:
        statement = {**properties, "StatementId": name}
        _, _, qualifier = self.backend._lambdas.split_function_arn(properties["FunctionName"])
        self.function(properties["FunctionName"]).policy.add_statement(json.dumps(statement), qualifier)
        self.physical_resource_id = name

    def remove(self) -> None:
        self.function(self.properties["FunctionName"]).policy.del_statement(self.physical_resource_id)

    def attributes(self) -> Mapping[str, str]:
        return {"Id": self.physical_resource_id}


_PUBLISH: Final = LambdaStorage.publish_version


def publish(storage: LambdaStorage, name_or_arn: str, description: str = "") -> LambdaFunction | None:
    """Publish under a number that was never used: moto counts the versions that are left."""
    group = storage._functions[storage.get_function_by_name_or_arn_forbid_qualifier(name_or_arn).function_name]
    before = list(group["versions"])
    made = _PUBLISH(storage, name_or_arn, description)
    if made is not None and not any(made is version for version in before):
        group["published"] = group.get("published", 0) + 1
        made.set_version(group["published"])
        storage._arns[made.function_arn] = made
    return made


TYPES: tuple[type[Taught], ...] = (Function, LayerVersion, Version, Alias, Permission)
