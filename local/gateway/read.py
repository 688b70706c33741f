"""Read a deployed stage of a REST API back through boto3's `apigateway` client.

Everything the gateway enforces comes from here: what the template declared, as API Gateway stores it.
Source: API Gateway API reference (`GetResources`, `GetStage`, `GetUsagePlans`, ...).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from local.gateway.api import (
    DEFAULT_TIMEOUT_MS,
    AccessLog,
    Api,
    Authorization,
    GatewayResponse,
    Integration,
    Key,
    LambdaProxy,
    Method,
    Mock,
    MockResponse,
    Model,
    Period,
    Quota,
    Route,
    StageSettings,
    Throttle,
    Unsupported,
    UsagePlan,
    Validator,
)
from local.types import ACCOUNT, REGION

if TYPE_CHECKING:  # boto3's stubs are for developers; a user's machine has none
    from mypy_boto3_apigateway import APIGatewayClient

_FUNCTION: Final = re.compile(
    r"/functions/(?P<arn>arn:[^:]+:lambda:[^:]*:\d*:function:[^:/]+)(?::(?P<qualifier>[^:/]+))?/"
)
_PAGE: Final = 500

# An answer of boto3 about this API; past this module it is values.
Answer = Mapping[str, Any]


def read_api(apigateway: APIGatewayClient, rest_api_id: str, stage: str, *, account: str = ACCOUNT) -> Api:
    """Read everything that decides how this stage answers.

    Raises: botocore's ClientError (NotFoundException) if there is no such API or stage; ValueError if a method uses
    an authorizer, which the twin does not run.
    """
    api: Answer = cast("Answer", apigateway.get_rest_api(restApiId=rest_api_id))
    models = {model.name: model for model in map(_model, _pages(apigateway.get_models, restApiId=rest_api_id))}
    validators = {
        found["id"]: Validator(
            body=bool(found.get("validateRequestBody")), parameters=bool(found.get("validateRequestParameters"))
        )
        for found in _pages(apigateway.get_request_validators, restApiId=rest_api_id)
    }
    resources = _pages(apigateway.get_resources, restApiId=rest_api_id, embed=["methods"])
    return Api(
        id=rest_api_id,
        name=api.get("name", ""),
        account=account,
        region=apigateway.meta.region_name or REGION,
        stage=_stage(cast("Answer", apigateway.get_stage(restApiId=rest_api_id, stageName=stage))),
        routes=tuple(_route(resource, models, validators) for resource in resources),
        usage_plans=_usage_plans(apigateway, rest_api_id, stage),
        models=tuple(models.values()),
        gateway_responses=_gateway_responses(apigateway, rest_api_id),
        binary_media_types=tuple(api.get("binaryMediaTypes") or ()),
        api_key_source=api.get("apiKeySource") or "HEADER",
    )


def _pages(read: Callable[..., Any], **arguments: Any) -> list[Answer]:
    """Read every page of a listing."""
    items: list[Answer] = []
    position: dict[str, str] = {}
    while True:
        page = read(limit=_PAGE, **arguments, **position)
        items += page.get("items", [])
        if not page.get("position"):
            return items
        position = {"position": page["position"]}


def _model(found: Answer) -> Model:
    schema = found.get("schema") or "{}"
    return Model(
        name=found["name"],
        content_type=found.get("contentType") or "application/json",
        schema=schema if isinstance(schema, str) else json.dumps(schema),
    )


def _route(resource: Answer, models: Mapping[str, Model], validators: Mapping[str, Validator]) -> Route:
    methods = resource.get("resourceMethods") or {}
    return Route(
        resource_id=resource["id"],
        path=resource["path"],
        methods=tuple(_method(name, found, models, validators) for name, found in methods.items()),
    )


def _method(name: str, found: Answer, models: Mapping[str, Model], validators: Mapping[str, Validator]) -> Method:
    authorization = found.get("authorizationType") or "NONE"
    if authorization not in ("NONE", "AWS_IAM"):
        raise ValueError(f"{name}: the twin runs authorization NONE and AWS_IAM, not {authorization}")
    request_models = found.get("requestModels") or {}
    return Method(
        http_method=name,
        integration=_integration(found.get("methodIntegration") or {}),
        authorization=cast("Authorization", authorization),
        api_key_required=_truth(found.get("apiKeyRequired")),
        operation_name=found.get("operationName"),
        validator=validators.get(found.get("requestValidatorId") or "", Validator()),
        models={content_type: models[model] for content_type, model in request_models.items() if model in models},
        required_parameters=tuple(
            parameter for parameter, required in (found.get("requestParameters") or {}).items() if _truth(required)
        ),
    )


def _integration(found: Answer) -> Integration:
    match found.get("type"):
        case "AWS_PROXY" if function := _FUNCTION.search(found.get("uri") or ""):
            return LambdaProxy(
                function_arn=function["arn"],
                qualifier=function["qualifier"],
                timeout_ms=int(found.get("timeoutInMillis") or DEFAULT_TIMEOUT_MS),
            )
        case "MOCK":
            responses = (found.get("integrationResponses") or {}).values()
            return Mock(
                request_templates=found.get("requestTemplates") or {},
                responses=tuple(_mock_response(response) for response in responses),
                passthrough=found.get("passthroughBehavior") or "WHEN_NO_MATCH",
            )
        case kind:
            return Unsupported(type=str(kind or "none"))


def _mock_response(found: Answer) -> MockResponse:
    parameters = found.get("responseParameters") or {}
    return MockResponse(
        status=int(found["statusCode"]),
        selection_pattern=found.get("selectionPattern") or "",
        templates={name: template or "" for name, template in (found.get("responseTemplates") or {}).items()},
        headers={
            name.removeprefix("method.response.header."): value[1:-1]
            for name, value in parameters.items()
            if value.startswith("'") and value.endswith("'")
        },
    )


def _stage(found: Answer) -> StageSettings:
    settings: Mapping[str, Answer] = found.get("methodSettings") or {}
    return StageSettings(
        name=found["stageName"],
        deployment_id=found.get("deploymentId") or "",
        access_log=_access_log(found.get("accessLogSettings") or {}),
        throttles={
            _target(path): throttle
            for path, setting in settings.items()
            if (throttle := _throttle(setting.get("throttlingRateLimit"), setting.get("throttlingBurstLimit")))
        },
        variables=found.get("variables") or {},
        tracing_enabled=_truth(found.get("tracingEnabled")),
    )


def _target(path: str) -> str:
    """Turn a method setting's path into `/path/METHOD`: `~1v2~1models/GET` is `/v2/models/GET`; `*/*` stays."""
    resource, _, method = path.rpartition("/")
    decoded = resource.replace("~1", "/")
    return "*/*" if resource.strip("/") == "*" else f"/{decoded.lstrip('/')}/{method}"


def _throttle(rate: object, burst: object) -> Throttle | None:
    """Make a throttle of both limits; AWS says -1, or nothing, for none."""
    if rate is None or burst is None or float(str(rate)) < 0 or int(str(burst)) < 0:
        return None
    return Throttle(rate=float(str(rate)), burst=int(str(burst)))


def _access_log(found: Answer) -> AccessLog | None:
    destination, line = found.get("destinationArn"), found.get("format")
    if not destination or not line:
        return None
    group = destination.partition(":log-group:")[2] or destination
    return AccessLog(group=group.removesuffix(":*"), format=line)


def _usage_plans(apigateway: APIGatewayClient, rest_api_id: str, stage: str) -> tuple[UsagePlan, ...]:
    """Read the plans that hold this stage, with their keys."""
    plans = []
    for plan in _pages(apigateway.get_usage_plans):
        held = [on for on in plan.get("apiStages") or () if (on.get("apiId"), on.get("stage")) == (rest_api_id, stage)]
        if not held:
            continue
        throttle, quota = plan.get("throttle") or {}, plan.get("quota") or {}
        members = _pages(apigateway.get_usage_plan_keys, usagePlanId=plan["id"])
        plans.append(
            UsagePlan(
                id=plan["id"],
                keys=tuple(_key(apigateway, member["id"]) for member in members),
                throttle=_throttle(throttle.get("rateLimit"), throttle.get("burstLimit")),
                quota=_quota(quota) if quota.get("limit") else None,
                method_throttles=_method_throttles(held[0]),
            )
        )
    return tuple(plans)


def _method_throttles(held: Answer) -> dict[str, Throttle]:
    declared: Mapping[str, Answer] = held.get("throttle") or {}
    throttles = {
        f"/{path.lstrip('/')}": _throttle(limit.get("rateLimit"), limit.get("burstLimit"))
        for path, limit in declared.items()
    }
    return {path: throttle for path, throttle in throttles.items() if throttle}


def _quota(found: Answer) -> Quota:
    return Quota(
        limit=int(found["limit"]), period=cast("Period", found["period"]), offset=int(found.get("offset") or 0)
    )


def _key(apigateway: APIGatewayClient, key_id: str) -> Key:
    found: Answer = cast("Answer", apigateway.get_api_key(apiKey=key_id, includeValue=True))
    return Key(id=found["id"], value=found["value"], enabled=_truth(found.get("enabled")))


def _gateway_responses(apigateway: APIGatewayClient, rest_api_id: str) -> dict[str, GatewayResponse]:
    """Read the declared responses; API Gateway lists its own defaults too, marked as such."""
    found = _pages(apigateway.get_gateway_responses, restApiId=rest_api_id)
    return {each["responseType"]: _gateway_response(each) for each in found if not _truth(each.get("defaultResponse"))}


def _gateway_response(found: Answer) -> GatewayResponse:
    status = found.get("statusCode")
    parameters = found.get("responseParameters") or {}
    return GatewayResponse(
        status=int(status) if status else None,
        templates=found.get("responseTemplates") or {},
        headers={name.removeprefix("gatewayresponse.header."): value for name, value in parameters.items()},
    )


def _truth(value: object) -> bool:
    """Read a flag: a template may give it as text, and moto keeps it so."""
    return value is True or str(value).lower() == "true"
