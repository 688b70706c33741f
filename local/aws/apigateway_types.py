"""The API Gateway types of a template, kept so that boto3 reads all of them back.

Source: CloudFormation template reference, "Amazon API Gateway resource type reference".
"""
# ruff: noqa: D102 - `Taught` says what create, update, remove and attributes do.

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from moto.apigateway.models import APIGatewayBackend, ApiKey, RestAPI, Stage, apigateway_backends

from local.aws.identity import identifier, secret
from local.aws.resource import Properties, Taught, lower_first, tags

_ROOT = "RootResourceId"


class _ApiGateway(Taught):
    @property
    def backend(self) -> APIGatewayBackend:
        return apigateway_backends[self.account_id][self.region_name]

    def api(self, properties: Properties | None = None) -> RestAPI:
        return self.backend.get_rest_api((properties or self.properties)["RestApiId"])


class RestApi(_ApiGateway):
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


class Resource(_ApiGateway):
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


class Method(_ApiGateway):
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


class Deployment(_ApiGateway):
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


class ApiStage(_ApiGateway):
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


class Key(_ApiGateway):
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


class UsagePlan(_ApiGateway):
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


class UsagePlanKey(_ApiGateway):
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


class Model(_ApiGateway):
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


class RequestValidator(_ApiGateway):
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


class GatewayResponse(_ApiGateway):
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


class Account(_ApiGateway):
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


TYPES: tuple[type[Taught], ...] = (
    RestApi,
    Resource,
    Method,
    Deployment,
    ApiStage,
    Key,
    UsagePlan,
    UsagePlanKey,
    Model,
    RequestValidator,
    GatewayResponse,
    Account,
)
