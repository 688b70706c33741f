"""The OpenAPI description of the control plane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request

from handlers.control.problems import MEDIA_TYPE

# API Gateway's own way to say "signed with Signature Version 4" in OpenAPI ("x-amazon-apigateway-authtype").
SIGNED: Final = {
    "sigv4": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "awsSigv4",
        "description": "AWS Signature Version 4, service execute-api.",
    }
}
_FASTAPIS: Final = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI, request: Request) -> dict[str, Any]:
    """Return the description, with the address that the caller reached us under."""
    document = dict(app.openapi())
    document["servers"] = [{"url": server_url(request)}]
    schemas = {name: schema for name, schema in document["components"]["schemas"].items() if name not in _FASTAPIS}
    document["components"] = {"schemas": schemas, "securitySchemes": SIGNED}
    document["security"] = [{name: [] for name in SIGNED}]
    document["paths"] = {path: _with_problems(methods) for path, methods in document["paths"].items()}
    return document


def server_url(request: Request) -> str:
    """Return the URL that the paths are relative to: with the stage, unless a custom domain maps it away.

    `requestContext.path` is what the caller asked for, `path` what is left of it behind the stage.
    Source: API Gateway developer guide, "Input format of a Lambda function for proxy integration".
    """
    event = request.scope.get("aws.event", {})
    asked = event.get("requestContext", {}).get("path", "")
    stage = asked.removesuffix(event["path"]) if asked.endswith(event.get("path", "/")) else ""
    return f"{request.url.scheme}://{request.url.netloc}{stage}"


def _with_problems(methods: Mapping[str, Any]) -> dict[str, Any]:
    # FastAPI describes every answer as application/json, and adds one of its own to each route with a parameter.
    return {
        method: {
            **operation,
            "responses": {
                status: response if int(status) < 400 else _as_problem(response)
                for status, response in operation["responses"].items()
                if not _is_fastapis(response)
            },
        }
        for method, operation in methods.items()
    }


def _as_problem(response: Mapping[str, Any]) -> dict[str, Any]:
    return {**response, "content": {MEDIA_TYPE: response["content"]["application/json"]}}


def _is_fastapis(response: Mapping[str, Any]) -> bool:
    schema = response["content"]["application/json"]["schema"]
    return str(schema.get("$ref", "")).endswith("/HTTPValidationError")
