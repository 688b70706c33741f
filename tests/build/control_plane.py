"""A control plane over the in-memory store, and the events that API Gateway would send it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.control.adapter import lambda_adapter
from handlers.control.app import create_app
from handlers.control.service import ControlService
from model_store import keys
from model_store.manifest import Manifest, ModelFile, render_manifest
from model_store.memory import MemoryObjects
from model_store.objects import ObjectStore
from model_store.registry import Alias, Registry
from warmstart.tensors import Signature, TensorSpec

CALLER = "arn:aws:sts::123456789012:assumed-role/releaser/anna"
NOON = 1_769_860_800.0
"""2026-01-31T12:00:00Z, when everything in these tests happens."""


class Context(LambdaContext):
    """What Lambda's runtime hands to a handler."""

    _aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    _function_name = "warmstart-prod-control"
    _memory_limit_in_mb = 512
    _invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:warmstart-prod-control:live"


@dataclass(frozen=True)
class Response:
    """What API Gateway would send to the caller."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass
class Heard:
    """A `Telemetry` that remembers."""

    moves: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def moved(self, model: str, alias: Alias) -> None:
        """Remember a move."""
        self.moves.append(f"{model}@{alias.name} -> {alias.version} by {alias.change.changed_by}")

    def failed(self, error: Exception, *, method: str, path: str) -> None:
        """Remember a failure."""
        del method, path
        self.failures.append(error)


class ControlPlane:
    """The control plane as API Gateway sees it."""

    def __init__(self, objects: ObjectStore, *, loop: asyncio.AbstractEventLoop) -> None:
        ids = (f"{number:04d}" for number in itertools.count(1))
        self.objects = objects
        self.registry = Registry(objects, clock=lambda: NOON, new_id=lambda: next(ids))
        self.heard = Heard()
        self.app = create_app(ControlService(registry=self.registry), self.heard)
        self.loop = loop
        self.handler = lambda_adapter(self.app, loop=loop)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        caller: str | None = CALLER,
    ) -> Response:
        """Send one request through the adapter."""
        return self.send(rest_event(method, path, body=body, headers=headers or {}, caller=caller))

    def send(self, event: dict[str, Any]) -> Response:
        """Send one event."""
        answer = self.handler(event, Context())
        assert answer["isBase64Encoded"] is False
        return Response(answer["statusCode"], answer["headers"], answer["body"])

    def put_alias(self, alias: str, version: Any, **headers: str) -> Response:
        """PUT an alias of `iris`; `if_match="..."` becomes the header If-Match."""
        sent = {name.replace("_", "-").title(): value for name, value in headers.items()}
        body = json.dumps({"version": version})
        return self.call("PUT", f"/admin/models/iris/aliases/{alias}", body=body, headers=JSON | sent)


JSON = {"Content-Type": "application/json"}


@contextmanager
def control_plane(objects: ObjectStore | None = None, *, published: bool = True) -> Iterator[ControlPlane]:
    """Build a control plane, with `iris` if it is `published`, on an event loop of its own."""
    loop = asyncio.new_event_loop()
    try:
        plane = ControlPlane(MemoryObjects() if objects is None else objects, loop=loop)
        if published:
            publish_iris(plane)
        yield plane
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def publish_iris(plane: ControlPlane) -> None:
    """Put the model `iris` into the store: versions 1, 2 and 3, `live` at the first."""
    for version in (1, 2, 3):
        plane.objects.put(keys.manifest("iris", version), render_manifest(iris_manifest(version)))
    plane.registry.move_alias("iris", "live", 1, by="publisher")


def iris_manifest(version: int) -> Manifest:
    """Describe a version of `iris`."""
    return Manifest(
        name="iris",
        version=version,
        created_at="2026-01-31T11:58:00.000Z",
        signature=Signature((TensorSpec("input", "FP32", (-1, 4)),), (TensorSpec("label", "INT64", (-1,)),)),
        files=(ModelFile("model.onnx", 1024, "ab" * 32),),
        labels=("setosa", "versicolor", "virginica"),
        provenance={"framework": "scikit-learn 1.8.0"},
        extra={"drift_baseline": "baseline.json"},
    )


def rest_event(
    method: str, path: str, *, body: str | None, headers: dict[str, str], caller: str | None = CALLER
) -> dict[str, Any]:
    """Write the event of a REST API's proxy integration.

    Source: API Gateway developer guide, "Input format of a Lambda function for proxy integration".
    """
    sent = {
        "Accept": "*/*",
        "Host": "abc123.execute-api.us-east-1.amazonaws.com",
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        **headers,
    }
    return {
        "resource": "/admin/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.removeprefix("/admin/")},
        "stageVariables": None,
        "requestContext": {
            "resourceId": "a1b2c3",
            "resourcePath": "/admin/{proxy+}",
            "httpMethod": method,
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "requestTime": "31/Jan/2026:12:00:00 +0000",
            "path": f"/prod{path}",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainPrefix": "abc123",
            "requestTimeEpoch": 1769860800000,
            "requestId": "5f1c1e9a-0000-4000-8000-000000000000",
            "identity": {
                "cognitoIdentityPoolId": None,
                "accountId": "123456789012",
                "cognitoIdentityId": None,
                "caller": "AROAEXAMPLE:anna",
                "sourceIp": "203.0.113.7",
                "principalOrgId": None,
                "accessKey": "ASIAEXAMPLE",
                "cognitoAuthenticationType": None,
                "cognitoAuthenticationProvider": None,
                "userArn": caller,
                "userAgent": "curl/8.5.0",
                "user": "AROAEXAMPLE:anna",
            },
            "domainName": "abc123.execute-api.us-east-1.amazonaws.com",
            "apiId": "abc123",
        },
        "body": body,
        "isBase64Encoded": False,
    }
