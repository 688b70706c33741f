"""The REST API: which path and method goes to which function, and who may call it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.function import retention

PREDICTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "/v2": ("GET",),
    "/v2/{proxy+}": ("GET", "POST"),
    "/predict": ("POST",),
    "/predict/{proxy+}": ("POST",),
    "/v1/{proxy+}": ("GET", "POST"),
    "/invocations": ("POST",),
    "/ping": ("GET",),
    "/health": ("GET",),
    "/version": ("GET",),
    "/endpoints/{proxy+}": ("POST",),
    "/predictions/{proxy+}": ("POST", "PUT"),
    "/models": ("GET",),
    "/models/{proxy+}": ("GET",),
    "/score": ("POST",),
}
"""With the API key, to the inference function: it knows every protocol's routes, and refuses what is none of them in
that protocol's own words. `{proxy+}` is anything: TensorFlow Serving's `/v1/models/{model}:predict` has no other form
here, as a resource's parameter is a whole segment."""
ADMIN: Final = ("/admin", "/admin/{proxy+}")
"""Any method, signed with IAM credentials, to the control function."""

_TLS: Final = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
"""TLS 1.2 and 1.3 with forward secrecy. A regional API without a policy of its own still speaks TLS 1.0
(API Gateway developer guide, "Supported security policies", default security policies)."""

_ACCESS_LOG: Final = {
    "requestId": "$context.requestId",
    "extendedRequestId": "$context.extendedRequestId",
    "time": "$context.requestTime",
    "ip": "$context.identity.sourceIp",
    "caller": "$context.identity.userArn",
    "apiKeyId": "$context.identity.apiKeyId",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "resource": "$context.resourcePath",
    "protocol": "$context.protocol",
    "tls": "$context.tlsVersion",
    "status": "$context.status",
    "responseBytes": "$context.responseLength",
    "latencyMs": "$context.responseLatency",
    "integrationStatus": "$context.integration.status",
    "integrationLatencyMs": "$context.integrationLatency",
    "error": "$context.error.message",
    "errorType": "$context.error.responseType",
    "trace": "$context.xrayTraceId",
}

_ERRORS: Final = {
    "Default4xx": (apigateway.ResponseType.DEFAULT_4_XX, "$context.error.messageString"),
    "Default5xx": (apigateway.ResponseType.DEFAULT_5_XX, "$context.error.messageString"),
    "TooLarge": (apigateway.ResponseType.REQUEST_TOO_LARGE, "$context.error.messageString"),
    "NoKey": (apigateway.ResponseType.INVALID_API_KEY, '"expected the header x-api-key with a key of this endpoint"'),
    "NoRoute": (
        apigateway.ResponseType.MISSING_AUTHENTICATION_TOKEN,
        '"no such path and method; or a path below /admin, and the request is not signed with AWS credentials"',
    ),
}
"""What the gateway answers by itself, in the shape of the Open Inference Protocol's errors: `{"error": "..."}`."""


class InferenceApi(Construct):
    """A regional REST API with one stage, one API key on a usage plan, and IAM before the control plane."""

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name
        *,
        config: StageConfig,
        inference: lambda_.Alias,
        control: lambda_.Alias,
    ) -> None:
        super().__init__(scope, id)
        access_log = logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/warmstart/{config.stage}/gateway",
            retention=retention(config.log_retention_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.api = apigateway.RestApi(
            self,
            "Rest",
            rest_api_name=f"warmstart-{config.stage}",
            description="Predictions below /v2 and /predict, the control plane below /admin",
            # Tensors, images and compressed bodies go through as they are. All media types, as clients of the Open
            # Inference Protocol send tensors without saying what they are (tritonclient has no Content-Type).
            binary_media_types=["*/*"],
            endpoint_configuration=apigateway.EndpointConfiguration(types=[apigateway.EndpointType.REGIONAL]),
            deploy_options=_stage(config, access_log),
            # One role per account and region, which every API there logs with: it outlives this stack.
            cloud_watch_role=True,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN,
        )
        # An output under a name of the CDK's making; the stack has its own.
        self.api.node.try_remove_child("Endpoint")
        _require_tls(self.api)
        self._limit_execution_log(config)
        for name, (kind, message) in _ERRORS.items():
            self.api.add_gateway_response(name, type=kind, templates={"application/json": f'{{"error": {message}}}'})
        self._predictions(inference)
        self._administration(control)
        self.api_key = self._key(config)

    def _limit_execution_log(self, config: StageConfig) -> None:
        # API Gateway would make this log group itself, under this name, and keep it for ever.
        log_group = logs.LogGroup(
            self,
            "ExecutionLog",
            log_group_name=f"API-Gateway-Execution-Logs_{self.api.rest_api_id}/{config.stage}",
            retention=retention(config.log_retention_days),
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.api.deployment_stage.node.add_dependency(log_group)

    def _predictions(self, inference: lambda_.Alias) -> None:
        integration = _proxy(inference)
        for path, methods in PREDICTIONS.items():
            resource = self.api.root.resource_for_path(path)
            for method in methods:
                resource.add_method(method, integration, api_key_required=True)

    def _administration(self, control: lambda_.Alias) -> None:
        integration = _proxy(control)
        for path in ADMIN:
            self.api.root.resource_for_path(path).add_method(
                "ANY", integration, authorization_type=apigateway.AuthorizationType.IAM
            )

    def _key(self, config: StageConfig) -> apigateway.IApiKey:
        plan = self.api.add_usage_plan(
            "Plan",
            throttle=apigateway.ThrottleSettings(rate_limit=config.throttle_rate, burst_limit=config.throttle_burst),
            quota=(
                apigateway.QuotaSettings(limit=config.quota_per_day, period=apigateway.Period.DAY)
                if config.quota_per_day
                else None
            ),
        )
        plan.add_api_stage(stage=self.api.deployment_stage)
        # Without a value: API Gateway makes one, and no template or log ever holds it.
        key = apigateway.ApiKey(self, "Key", description=f"Warmstart predictions, stage {config.stage}")
        plan.add_api_key(key)
        return key


def _stage(config: StageConfig, access_log: logs.ILogGroup) -> apigateway.StageOptions:
    return apigateway.StageOptions(
        stage_name=config.stage,
        throttling_rate_limit=config.throttle_rate,
        throttling_burst_limit=config.throttle_burst,
        access_log_destination=apigateway.LogGroupLogDestination(access_log),
        access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
        # Errors of the gateway's own, never bodies: those are the callers'.
        logging_level=apigateway.MethodLoggingLevel.ERROR,
        data_trace_enabled=False,
        # Per-method metrics are billed as custom ones; those of the whole API are free, and the alarms need no more.
        metrics_enabled=False,
        tracing_enabled=True,
    )


def _require_tls(api: apigateway.RestApi) -> None:
    resource = api.node.default_child
    assert isinstance(resource, apigateway.CfnRestApi)  # noqa: S101 - what a RestApi is made of
    resource.security_policy = _TLS
    resource.endpoint_access_mode = "STRICT"


def _proxy(alias: lambda_.Alias) -> apigateway.LambdaIntegration:
    return apigateway.LambdaIntegration(alias, scope_permission_to_method=False)
