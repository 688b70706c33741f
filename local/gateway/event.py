"""Build the event of a Lambda proxy integration (REST API, payload format 1.0).

Source: API Gateway developer guide, "Lambda proxy integrations in API Gateway", "Input format of a Lambda function for
proxy integration"; headers that do not pass: "Amazon API Gateway important notes", for REST APIs.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

from local.gateway.api import Api
from local.gateway.context import Context
from local.gateway.headers import every, last, media_type
from local.gateway.limits import MAX_BODY_BYTES
from warmstart.errors import WarmstartError
from warmstart.protocols.coding import decode

_DROPPED: Final = frozenset(
    {
        "connection",
        "content-length",
        "content-md5",
        "expect",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "www-authenticate",
    }
)
_ADDED: Final = frozenset({"x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"})

Json = str | int | bool | None | Sequence[str] | Mapping[str, "Json"]
Event = Mapping[str, Json]


def payload(context: Context) -> bytes:
    """Return the event, as the JSON that Lambda receives."""
    return json.dumps(proxy_event(context), ensure_ascii=False, separators=(",", ":")).encode()


def proxy_event(context: Context) -> Event:
    """Return the event; `context.match` is set."""
    request, match = context.request, context.match
    if match is None:
        raise ValueError("proxy_event: expected a matched request")
    headers = _headers(context)
    query = _query(request.query)
    body, encoded = _body(context)
    return {
        "resource": match.route.path,
        "path": f"/{context.path.lstrip('/')}",
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": match.parameters or None,
        "stageVariables": context.api.stage.variables or None,
        "requestContext": _request_context(context),
        "body": body,
        "isBase64Encoded": encoded,
    }


def is_binary(api: Api, content_type: str) -> bool:
    """Say whether the API treats a media type as binary: listed as such, or `*/*` is."""
    return "*/*" in api.binary_media_types or content_type in api.binary_media_types


def _request_context(context: Context) -> dict[str, Json]:
    match = context.match
    if match is None:
        raise ValueError("_request_context: expected a matched request")
    values: dict[str, Json] = {
        "resourceId": match.route.resource_id,
        "resourcePath": match.route.path,
        "httpMethod": context.request.method,
        "extendedRequestId": context.extended_request_id,
        "requestTime": context.request_time,
        "path": f"/{context.api.stage.name}{context.path}",
        "accountId": context.api.account,
        "protocol": "HTTP/1.1",
        "stage": context.api.stage.name,
        "domainPrefix": context.api.id,
        "requestTimeEpoch": int(context.at * 1000),
        "requestId": context.request_id,
        "identity": _identity(context),
        "domainName": context.domain_name,
        "deploymentId": context.api.stage.deployment_id,
        "apiId": context.api.id,
    }
    if match.method.operation_name:
        values["operationName"] = match.method.operation_name
    return values


def _identity(context: Context) -> dict[str, Json]:
    signer = context.signer
    identity: dict[str, Json] = {
        "cognitoIdentityPoolId": None,
        "accountId": signer.account if signer else None,
        "cognitoIdentityId": None,
        "caller": signer.account if signer else None,
        "sourceIp": context.request.source_ip,
        "principalOrgId": None,
        "accessKey": signer.access_key if signer else None,
        "cognitoAuthenticationType": None,
        "cognitoAuthenticationProvider": None,
        "userArn": signer.arn if signer else None,
        "userAgent": last(context.request.headers, "user-agent"),
        "user": signer.account if signer else None,
    }
    if context.key:
        identity |= {"apiKey": context.key.value, "apiKeyId": context.key.id}
    return identity


def _headers(context: Context) -> dict[str, list[str]]:
    """Group the headers by name, as first sent, and add those of the gateway."""
    request = context.request
    passed = [(name, value) for name, value in request.headers if name.lower() not in _DROPPED | _ADDED]
    host, _, port = context.domain_name.rpartition(":")
    forwarded = ", ".join([*every(request.headers, "x-forwarded-for"), request.source_ip])
    added = [
        ("X-Amzn-Trace-Id", str(context.trace) if context.api.stage.tracing_enabled else f"Root={context.trace.root}"),
        ("X-Forwarded-For", forwarded),
        ("X-Forwarded-Port", port if host and port.isdecimal() else "80"),
        ("X-Forwarded-Proto", "http"),
    ]
    return _grouped([*passed, *added])


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    names: dict[str, str] = {}
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(names.setdefault(name.lower(), name), []).append(value)
    return grouped


def _query(query: str) -> dict[str, list[str]]:
    """Group the decoded parameters by name. A plain semicolon splits like an ampersand ("Important notes")."""
    grouped: dict[str, list[str]] = {}
    for name, value in parse_qsl(query.replace(";", "&"), keep_blank_values=True):
        grouped.setdefault(name, []).append(value)
    return grouped


def _body(context: Context) -> tuple[str | None, bool]:
    request = context.request
    if not request.body:
        return None, False
    body = _decompressed(request.body, last(request.headers, "content-encoding") or "")
    if is_binary(context.api, media_type(request.headers)):
        return base64.b64encode(body).decode(), True
    return body.decode(errors="replace"), False


def _decompressed(body: bytes, coding: str) -> bytes:
    """Take gzip or deflate off, as the gateway does by itself ("Payload compression for REST APIs")."""
    if coding.strip().lower() not in ("gzip", "deflate"):
        return body
    try:
        return decode(body, coding, MAX_BODY_BYTES)
    except WarmstartError:
        return body
