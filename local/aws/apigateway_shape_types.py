"""What a template says of the shape of requests and answers: models, validators, gateway responses.

Source: CloudFormation template reference, "Amazon API Gateway resource type reference".
"""
# ruff: noqa: D102 - `Taught` says what create, update, remove and attributes do.

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar

from local.aws.apigateway_types import ApiGatewayType
from local.aws.resource import Properties, Taught


class Model(ApiGatewayType):
    """`Ref`: the model's name."""

    type: ClassVar[str] = "AWS::ApiGateway::Model"
    name_property: ClassVar[str] = "Name"

    def create(self, name: str, properties: Properties) -> None:
        schema = properties.get("Schema", {})
        self.backend.create_model(
            properties["RestApiId"],
            name,
            properties.get("ContentType", "application/json"),
            properties.get("Description", ""),
            schema if isinstance(schema, str) else json.dumps(schema),
        )
        self.physical_resource_id = name

    def update(self, name: str, properties: Properties) -> Model:
        self.remove()
        self.create(name, properties)
        return self

    def remove(self) -> None:
        self.api().models.pop(self.physical_resource_id, None)


class RequestValidator(ApiGatewayType):
    """`Ref`: the validator's id."""

    type: ClassVar[str] = "AWS::ApiGateway::RequestValidator"
    name_property: ClassVar[str] = "Name"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"RequestValidatorId"})

    def create(self, name: str, properties: Properties) -> None:
        body, parameters = (properties.get(f"ValidateRequest{what}", False) for what in ("Body", "Parameters"))
        made = self.backend.create_request_validator(properties["RestApiId"], name, body, parameters)
        self.physical_resource_id = made.id

    def update(self, name: str, properties: Properties) -> RequestValidator:
        if properties["RestApiId"] != self.properties["RestApiId"]:
            return super().update(name, properties)
        validator = self.api().get_request_validator(self.physical_resource_id)
        validator.name = name
        validator.validate_request_body = properties.get("ValidateRequestBody", False)
        validator.validate_request_parameters = properties.get("ValidateRequestParameters", False)
        return self

    def remove(self) -> None:
        self.api().request_validators.pop(self.physical_resource_id, None)

    def attributes(self) -> Mapping[str, str]:
        return {"RequestValidatorId": self.physical_resource_id}


class GatewayResponse(ApiGatewayType):
    """`Ref`: a generated name."""

    type: ClassVar[str] = "AWS::ApiGateway::GatewayResponse"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, name: str, properties: Properties) -> None:
        self.physical_resource_id = name
        self._put(properties)

    def update(self, name: str, properties: Properties) -> GatewayResponse:  # noqa: ARG002
        self.remove()
        self._put(properties)
        return self

    def _put(self, properties: Properties) -> None:
        self.backend.put_gateway_response(
            properties["RestApiId"],
            properties["ResponseType"],
            properties.get("StatusCode"),  # type: ignore[arg-type]  # moto keeps None as "the default status"
            properties.get("ResponseParameters", {}),
            properties.get("ResponseTemplates", {}),
        )

    def remove(self) -> None:
        self.api().delete_gateway_response(self.properties["ResponseType"])

    def attributes(self) -> Mapping[str, str]:
        return {"Id": self.physical_resource_id}


TYPES: tuple[type[Taught], ...] = (Model, RequestValidator, GatewayResponse)
