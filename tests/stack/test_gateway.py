"""The gateway as the twin runs it: an API made through boto3, read back from moto, asked over HTTP."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import boto3
import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from moto import mock_aws

from local.gateway.api import (
    AccessLog,
    Api,
    GatewayResponse,
    Key,
    LambdaProxy,
    Method,
    Mock,
    MockResponse,
    Model,
    Quota,
    Route,
    StageSettings,
    Throttle,
    Unsupported,
    UsagePlan,
    Validator,
)
from local.gateway.gateway import Gateway
from local.gateway.read import read_api
from local.gateway.server import serve
from tests.build.gateway import FUNCTION, FakeLambda, Log

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient

SCHEMA = '{"type":"object","required":["inputs"],"properties":{"inputs":{"type":"array","minItems":1}}}'
KEY = "0123456789abcdefghij"


@dataclass(frozen=True)
class Made:
    """An API in moto, with the ids that moto gave."""

    client: "APIGatewayClient"
    id: str
    resources: Mapping[str, str]
    deployment: str
    key: str
    plan: str


def function_uri(qualifier: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}{qualifier}/invocations"


def make_resources(client: "APIGatewayClient", api_id: str) -> dict[str, str]:
    resources = {"/": client.get_resources(restApiId=api_id)["items"][0]["id"]}
    for path in ("/v2", "/v2/models", "/v2/models/{model}", "/v2/models/{model}/infer", "/admin", "/admin/{proxy+}"):
        parent, _, part = path.rpartition("/")
        made = client.create_resource(restApiId=api_id, parentId=resources[parent or "/"], pathPart=part)
        resources[path] = made["id"]
    return resources


def put_proxy(client: "APIGatewayClient", api_id: str, resource: str, method: str, uri: str, **settings: Any) -> None:
    client.put_method(
        restApiId=api_id, resourceId=resource, httpMethod=method, **({"authorizationType": "NONE"} | settings)
    )
    client.put_integration(
        restApiId=api_id,
        resourceId=resource,
        httpMethod=method,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=uri,
    )


def make_methods(client: "APIGatewayClient", api_id: str, resources: Mapping[str, str]) -> None:
    client.create_model(restApiId=api_id, name="Infer", contentType="application/json", schema=SCHEMA)
    validator = client.create_request_validator(
        restApiId=api_id, name="body", validateRequestBody=True, validateRequestParameters=False
    )["id"]
    put_proxy(
        client, api_id, resources["/v2/models/{model}"], "GET", function_uri(":live"), apiKeyRequired=True,
        requestParameters={"method.request.path.model": True, "method.request.querystring.verbose": False},
    )  # fmt: skip
    put_proxy(
        client, api_id, resources["/v2/models/{model}/infer"], "POST", function_uri(":live"), apiKeyRequired=True,
        requestValidatorId=validator, requestModels={"application/json": "Infer"}, operationName="Infer",
    )  # fmt: skip
    put_proxy(client, api_id, resources["/admin/{proxy+}"], "ANY", function_uri(""), authorizationType="AWS_IAM")
    make_preflight(client, api_id, resources["/v2"])
    client.put_method(restApiId=api_id, resourceId=resources["/admin"], httpMethod="GET", authorizationType="NONE")
    client.put_integration(
        restApiId=api_id, resourceId=resources["/admin"], httpMethod="GET", type="HTTP_PROXY",
        integrationHttpMethod="GET", uri="http://example.org/",
    )  # fmt: skip


def make_preflight(client: "APIGatewayClient", api_id: str, resource: str) -> None:
    client.put_method(restApiId=api_id, resourceId=resource, httpMethod="OPTIONS", authorizationType="NONE")
    client.put_integration(
        restApiId=api_id, resourceId=resource, httpMethod="OPTIONS", type="MOCK",
        requestTemplates={"application/json": "{ statusCode: 204 }"},
    )  # fmt: skip
    client.put_method_response(restApiId=api_id, resourceId=resource, httpMethod="OPTIONS", statusCode="204")
    client.put_integration_response(
        restApiId=api_id, resourceId=resource, httpMethod="OPTIONS", statusCode="204",
        responseParameters={"method.response.header.Access-Control-Allow-Origin": "'*'"},
    )  # fmt: skip


def make_stage(client: "APIGatewayClient", api_id: str) -> str:
    deployment = client.create_deployment(restApiId=api_id)["id"]
    client.create_stage(restApiId=api_id, stageName="prod", deploymentId=deployment, tracingEnabled=True)
    client.update_stage(
        restApiId=api_id,
        stageName="prod",
        patchOperations=[
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "50"},
            {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "20"},
            {"op": "replace", "path": "/accessLogSettings/format", "value": "$context.httpMethod $context.status"},
            {
                "op": "replace",
                "path": "/accessLogSettings/destinationArn",
                "value": "arn:aws:logs:us-east-1:123456789012:log-group:/warmstart/prod/access",
            },
        ],
    )
    return deployment


def make_key(client: "APIGatewayClient", api_id: str) -> tuple[str, str]:
    key = client.create_api_key(name="first", value=KEY, enabled=True)["id"]
    plan = client.create_usage_plan(
        name="plan",
        apiStages=[{"apiId": api_id, "stage": "prod"}],
        throttle={"rateLimit": 100.0, "burstLimit": 50},
        quota={"limit": 1000, "period": "DAY"},
    )["id"]
    client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    client.create_usage_plan(name="another stage's", apiStages=[{"apiId": api_id, "stage": "dev"}])
    return key, plan


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    with mock_aws():
        client = boto3.client(
            "apigateway", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        api_id = client.create_rest_api(name="warmstart")["id"]
        client.update_rest_api(  # moto drops them at the creation
            restApiId=api_id,
            patchOperations=[{"op": "add", "path": "/binaryMediaTypes", "value": "application/octet-stream"}],
        )
        resources = make_resources(client, api_id)
        make_methods(client, api_id, resources)
        client.put_gateway_response(
            restApiId=api_id, responseType="DEFAULT_4XX",
            responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
            responseTemplates={"application/json": '{"error": $context.error.messageString}'},
        )  # fmt: skip
        client.put_gateway_response(
            restApiId=api_id, responseType="BAD_REQUEST_BODY", statusCode="400",
            responseTemplates={"application/json": '{"error": "$context.error.validationErrorString"}'},
        )  # fmt: skip
        deployment = make_stage(client, api_id)
        key, plan = make_key(client, api_id)
        yield Made(client, api_id, resources, deployment, key, plan)


@pytest.fixture(scope="module")
def deployed(made: Made) -> Api:
    return read_api(made.client, made.id, "prod")


def only_method(deployed: Api, path: str) -> Method:
    (method,) = next(route for route in deployed.routes if route.path == path).methods
    return method


def test_the_api_is_read_back(deployed: Api, made: Made) -> None:
    assert (deployed.id, deployed.name, deployed.account, deployed.region) == (
        made.id,
        "warmstart",
        "123456789012",
        "us-east-1",
    )
    assert deployed.binary_media_types == ("application/octet-stream",)


def test_the_stage_is_read_back(deployed: Api, made: Made) -> None:
    assert deployed.stage == StageSettings(
        name="prod",
        deployment_id=made.deployment,
        access_log=AccessLog(group="/warmstart/prod/access", format="$context.httpMethod $context.status"),
        throttles={"*/*": Throttle(rate=50.0, burst=20)},
        tracing_enabled=True,
    )


def test_every_resource_is_read_back_those_without_methods_too(deployed: Api, made: Made) -> None:
    assert {route.path: route.resource_id for route in deployed.routes} == made.resources
    assert Route(resource_id=made.resources["/v2/models"], path="/v2/models", methods=()) in deployed.routes


def test_a_method_is_read_back_with_its_alias_key_validator_and_model(deployed: Api) -> None:
    model = Model(name="Infer", content_type="application/json", schema=SCHEMA)
    assert only_method(deployed, "/v2/models/{model}/infer") == Method(
        http_method="POST",
        integration=LambdaProxy(function_arn=FUNCTION, qualifier="live", timeout_ms=29_000),
        api_key_required=True,
        operation_name="Infer",
        validator=Validator(body=True, parameters=False),
        models={"application/json": model},
    )
    assert model in deployed.models


def test_only_required_parameters_are_required(deployed: Api) -> None:
    assert only_method(deployed, "/v2/models/{model}").required_parameters == ("method.request.path.model",)


def test_a_method_with_iam_calls_the_unqualified_function(deployed: Api) -> None:
    method = only_method(deployed, "/admin/{proxy+}")
    assert (method.http_method, method.authorization) == ("ANY", "AWS_IAM")
    assert method.integration == LambdaProxy(function_arn=FUNCTION, qualifier=None)


def test_a_mock_is_read_back(deployed: Api) -> None:
    assert only_method(deployed, "/v2").integration == Mock(
        request_templates={"application/json": "{ statusCode: 204 }"},
        responses=(MockResponse(status=204, headers={"Access-Control-Allow-Origin": "*"}),),
    )


def test_an_integration_of_another_type_is_kept_by_its_name(deployed: Api) -> None:
    assert only_method(deployed, "/admin").integration == Unsupported(type="HTTP_PROXY")


def test_the_plans_of_this_stage_alone_are_read_back(deployed: Api, made: Made) -> None:
    assert deployed.usage_plans == (
        UsagePlan(
            id=made.plan,
            keys=(Key(id=made.key, value=KEY, enabled=True),),
            throttle=Throttle(rate=100.0, burst=50),
            quota=Quota(limit=1000, period="DAY"),
        ),
    )


def test_gateway_responses_are_read_back(deployed: Api) -> None:
    assert deployed.gateway_responses == {
        "DEFAULT_4XX": GatewayResponse(
            templates={"application/json": '{"error": $context.error.messageString}'},
            headers={"Access-Control-Allow-Origin": "'*'"},
        ),
        "BAD_REQUEST_BODY": GatewayResponse(
            status=400, templates={"application/json": '{"error": "$context.error.validationErrorString"}'}
        ),
    }


def test_an_unknown_api_or_stage_is_an_error_of_the_client(made: Made) -> None:
    with pytest.raises(ClientError, match="NotFoundException"):
        read_api(made.client, "none", "prod")
    with pytest.raises(ClientError, match="NotFoundException"):
        read_api(made.client, made.id, "none")


@dataclass(frozen=True)
class Serving:
    """The gateway on a port, over an in-memory Lambda."""

    connection: HTTPConnection
    function: FakeLambda
    log: Log
    port: int

    def ask(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, Any]:
        self.connection.request(method, target, body, dict(headers or {}))
        response = self.connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None


@pytest.fixture
def serving(deployed: Api) -> Iterator[Serving]:
    function, log = FakeLambda(), Log()
    server = serve(Gateway((deployed,), invoke=function, log=log))
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield Serving(connection, function, log, server.port)
    connection.close()
    server.close()


KEYED = {"x-api-key": KEY, "content-type": "application/json"}


def test_an_inference_goes_through_to_the_function(serving: Serving) -> None:
    assert serving.ask("POST", "/prod/v2/models/iris/infer", KEYED, b'{"inputs":[1]}') == (200, {"ok": True})
    assert serving.function.calls == [(FUNCTION, "live")]
    event = serving.function.event
    assert (event["resource"], event["pathParameters"], event["body"]) == (
        "/v2/models/{model}/infer",
        {"model": "iris"},
        '{"inputs":[1]}',
    )
    assert event["headers"]["Host"] == event["requestContext"]["domainName"] == f"127.0.0.1:{serving.port}"


def test_the_declared_shape_holds_for_every_refusal(serving: Serving) -> None:
    path = "/prod/v2/models/iris/infer"
    assert serving.ask("POST", path, {}, b"{}") == (403, {"error": "Forbidden"})
    assert serving.ask("POST", path, KEYED, b"{}") == (
        400,
        {"error": '[object has missing required properties (["inputs"])]'},
    )
    assert serving.ask("PUT", path, KEYED, b"{}") == (403, {"error": "Missing Authentication Token"})
    assert serving.ask("GET", "/prod/admin/models") == (403, {"error": "Missing Authentication Token"})
    assert serving.function.calls == []


def test_a_signed_request_goes_through_to_the_control_plane(serving: Serving) -> None:
    url = f"http://127.0.0.1:{serving.port}/prod/admin/models"
    signed = AWSRequest(method="GET", url=url)
    botocore.auth.SigV4Auth(Credentials("test", "test"), "execute-api", "us-east-1").add_auth(signed)
    assert serving.ask("GET", "/prod/admin/models", dict(signed.headers.items())) == (200, {"ok": True})
    assert serving.function.event["requestContext"]["identity"]["userArn"] == "arn:aws:iam::123456789012:root"


def test_a_presigned_link_works_without_any_header(serving: Serving) -> None:
    unsigned = AWSRequest(method="GET", url=f"http://127.0.0.1:{serving.port}/prod/admin/docs")
    botocore.auth.SigV4QueryAuth(Credentials("test", "test"), "execute-api", "us-east-1").add_auth(unsigned)
    target = str(unsigned.url).removeprefix(f"http://127.0.0.1:{serving.port}")
    assert serving.ask("GET", target) == (200, {"ok": True})


def test_a_preflight_is_answered_by_the_gateway_alone(serving: Serving) -> None:
    assert serving.ask("OPTIONS", "/prod/v2") == (204, None)
    assert serving.function.calls == []


def test_each_request_leaves_its_line_in_the_access_log(serving: Serving) -> None:
    serving.ask("GET", "/prod/v2/models/iris", KEYED)
    serving.ask("GET", "/prod/none")
    assert [line for _, _, line in serving.log.lines] == ["GET 200", "GET 403"]
