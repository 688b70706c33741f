"""A template's REST APIs, with their resources, methods and stages, kept so that boto3 reads all of them back.

Source: CloudFormation template reference, "Amazon API Gateway resource type reference".
"""
# ruff: noqa: D102 - `Taught` says what create, update, remove and attributes do.

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from moto.apigateway.models import APIGatewayBackend, RestAPI, Stage, apigateway_backends

from local.aws.resource import Properties, Taught, lower_first, tags

_ROOT = "RootResourceId"


class ApiGatewayType(Taught):
    """The base of API Gateway's types."""

    @property
    def backend(self) -> APIGatewayBackend:
        return apigateway_backends[self.account_id][self.region_name]

    def api(self, properties: Properties | None = None) -> RestAPI:
        return self.backend.get_rest_api((properties or self.properties)["RestApiId"])


class RestApi(ApiGatewayType):
    """`Ref`: the API's id."""

    type: ClassVar[str] = "AWS::ApiGateway::RestApi"
    name_property: ClassVar[str] = "Name"
    attribute_names: ClassVar[frozenset[str]] = frozenset({_ROOT, "RestApiId"})

    def create(self, name: str, properties: Properties) -> None:
        api = self.backend.create_rest_api(name=name, description="")
        self.physical_resource_id = api.id
        self._set(api, name, properties)

    def update(self, name: str, properties: Properties) -> RestApi:
        self._set(self.backend.get_rest_api(self.physical_resource_id), name, properties)
        return self

    def _set(self, api: RestAPI, name: str, properties: Properties) -> None:
        policy = properties.get("Policy")
        api.name = name
        api.description = properties.get("Description", "")
        api.binaryMediaTypes = list(properties.get("BinaryMediaTypes", []))
        api.api_key_source = properties.get("ApiKeySourceType", "HEADER")
        api.policy = json.dumps(policy) if policy else None
        api.endpoint_configuration = lower_first(properties.get("EndpointConfiguration", {"Types": ["EDGE"]}))
        api.minimum_compression_size = properties.get("MinimumCompressionSize")
        api.disableExecuteApiEndpoint = properties.get("DisableExecuteApiEndpoint", False)
        api.tags = tags(properties)

    def remove(self) -> None:
        self.backend.delete_rest_api(self.physical_resource_id)

    def attributes(self) -> Mapping[str, str]:
        api = self.backend.get_rest_api(self.physical_resource_id)
        return {_ROOT: api.root_resource_id, "RestApiId": api.id}


class Resource(ApiGatewayType):
    """`Ref`: the resource's id."""

    type: ClassVar[str] = "AWS::ApiGateway::Resource"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"ResourceId"})

    def create(self, name: str, properties: Properties) -> None:  # noqa: ARG002
        api_id = properties["RestApiId"]
        made = self.backend.create_resource(api_id, properties["ParentId"], properties["PathPart"])
        self.physical_resource_id = made.id

    def remove(self) -> None:
        self.api().resources.pop(self.physical_resource_id, None)

    def attributes(self) -> Mapping[str, str]:
        return {"ResourceId": self.physical_resource_id}


class Method(ApiGatewayType):
    """A method with its integration and responses. `Ref`: a generated name."""

    type: ClassVar[str] = "AWS::ApiGateway::Method"

    def create(self, name: str, properties: Properties) -> None:
        self.physical_resource_id = name
        self._put(properties)

    def update(self, name: str, properties: Properties) -> Method:  # noqa: ARG002
        place = ("RestApiId", "ResourceId", "HttpMethod")
        if any(properties[key] != self.properties[key] for key in place):
            self.remove()
        self._put(properties)
        return self

    def _put(self, properties: Properties) -> None:
        where = (properties["RestApiId"], properties["ResourceId"], properties["HttpMethod"])
        self.backend.put_method(
            *where,
            properties.get("AuthorizationType", "NONE"),
            api_key_required=properties.get("ApiKeyRequired", False),
            request_parameters=properties.get("RequestParameters"),
            request_models=properties.get("RequestModels"),
            operation_name=properties.get("OperationName"),
            authorizer_id=properties.get("AuthorizerId"),
            authorization_scopes=properties.get("AuthorizationScopes"),
            request_validator_id=properties.get("RequestValidatorId"),
        )
        for response in properties.get("MethodResponses", []):
            models, parameters = response.get("ResponseModels", {}), response.get("ResponseParameters", {})
            self.backend.put_method_response(*where, str(response["StatusCode"]), models, parameters)
        if integration := properties.get("Integration"):
            self._put_integration(where, integration)

    def _put_integration(self, where: tuple[str, str, str], integration: Properties) -> None:
        self.backend.put_integration(
            *where,
            integration_type=integration["Type"],
            uri=integration.get("Uri", ""),
            integration_method=integration.get("IntegrationHttpMethod", ""),
            credentials=integration.get("Credentials"),
            request_templates=integration.get("RequestTemplates"),
            passthrough_behavior=integration.get("PassthroughBehavior", "WHEN_NO_MATCH"),
            timeout_in_millis=integration.get("TimeoutInMillis"),
            request_parameters=integration.get("RequestParameters"),
            content_handling=integration.get("ContentHandling"),
        )
        for response in integration.get("IntegrationResponses", []):
            self.backend.put_integration_response(
                *where,
                status_code=str(response["StatusCode"]),
                selection_pattern=response.get("SelectionPattern", ""),
                response_templates=response.get("ResponseTemplates", {}),
                response_parameters=response.get("ResponseParameters", {}),
                content_handling=response.get("ContentHandling"),
            )

    def remove(self) -> None:
        resource = self.api().resources.get(self.properties["ResourceId"])
        if resource is not None:
            resource.delete_method(self.properties["HttpMethod"])


class Deployment(ApiGatewayType):
    """`Ref`: the deployment's id. The twin serves the API's methods as they are now, not a frozen copy."""

    type: ClassVar[str] = "AWS::ApiGateway::Deployment"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"DeploymentId"})

    def create(self, name: str, properties: Properties) -> None:  # noqa: ARG002
        made = self.backend.create_deployment(
            properties["RestApiId"], properties.get("StageName", ""), properties.get("Description", "")
        )
        self.physical_resource_id = made.id

    def update(self, name: str, properties: Properties) -> Deployment:
        if properties["RestApiId"] != self.properties["RestApiId"]:
            return super().update(name, properties)
        deployment = self.backend.get_deployment(properties["RestApiId"], self.physical_resource_id)
        deployment.description = properties.get("Description", "")
        return self

    def remove(self) -> None:
        self.api().deployments.pop(self.physical_resource_id, None)

    def attributes(self) -> Mapping[str, str]:
        return {"DeploymentId": self.physical_resource_id}


class ApiStage(ApiGatewayType):
    """`Ref`: the stage's name."""

    type: ClassVar[str] = "AWS::ApiGateway::Stage"
    name_property: ClassVar[str] = "StageName"

    def create(self, name: str, properties: Properties) -> None:
        stage = self.backend.create_stage(properties["RestApiId"], name, properties["DeploymentId"])
        self.physical_resource_id = name
        _set_stage(stage, properties)

    def update(self, name: str, properties: Properties) -> ApiStage:
        if properties["RestApiId"] != self.properties["RestApiId"] or name != self.physical_resource_id:
            return super().update(name, properties)
        _set_stage(self.api(properties).stages[name], properties)
        return self

    def remove(self) -> None:
        self.api().stages.pop(self.physical_resource_id, None)


def _set_stage(stage: Stage, properties: Properties) -> None:
    stage.deployment_id = properties["DeploymentId"]
    stage.description = properties.get("Description", "")
    stage.variables = dict(properties.get("Variables", {}))
    stage.tracing_enabled = properties.get("TracingEnabled", False)
    stage.tags = tags(properties)
    log = properties.get("AccessLogSetting")
    stage.access_log_settings = lower_first(log) if log else None
    stage.method_settings = {_method_key(s): _method_setting(s) for s in properties.get("MethodSettings", [])}


def _method_key(setting: Properties) -> str:
    """Return the API's key of a method setting: `*/*`, or `~1path/GET` as API Gateway escapes it."""
    path = str(setting.get("ResourcePath", "/*"))
    path = "*" if path == "/*" else path.lstrip("/").replace("/", "~1")
    return f"{path}/{setting.get('HttpMethod', '*')}"


def _method_setting(setting: Properties) -> dict[str, Any]:
    kept = {key: value for key, value in setting.items() if key not in ("ResourcePath", "HttpMethod")}
    return dict(lower_first(kept))


class Account(ApiGatewayType):
    """The role with which API Gateway writes to CloudWatch. `Ref`: a generated name."""

    type: ClassVar[str] = "AWS::ApiGateway::Account"
    attribute_names: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, name: str, properties: Properties) -> None:
        self.physical_resource_id = name
        self.backend.account.cloudwatch_role_arn = properties.get("CloudWatchRoleArn")

    def update(self, name: str, properties: Properties) -> Account:  # noqa: ARG002
        self.backend.account.cloudwatch_role_arn = properties.get("CloudWatchRoleArn")
        return self

    def remove(self) -> None:
        self.backend.account.cloudwatch_role_arn = None

    def attributes(self) -> Mapping[str, str]:
        return {"Id": self.physical_resource_id}


TYPES: tuple[type[Taught], ...] = (RestApi, Resource, Method, Deployment, ApiStage, Account)
