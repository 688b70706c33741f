"""What is known of a request on its way, and its $context variables.

Sources: API Gateway developer guide, "Variables for data transformations", "Variables for access logging".
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from local.gateway.api import Api, Key
from local.gateway.failures import Failure
from local.gateway.headers import last
from local.gateway.routes import Match
from local.gateway.trace import Trace
from local.types import HttpRequest

_VARIABLE: Final = re.compile(r"\$context\.([A-Za-z0-9_]+(?:\.[A-Za-z0-9_-]+)*)|\$stageVariables\.([A-Za-z0-9_]+)")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who signed the request, as IAM names it."""

    access_key: str
    account: str

    @property
    def arn(self) -> str:
        """The account's root: the twin's credentials may do everything."""
        return f"arn:aws:iam::{self.account}:root"


@dataclass(kw_only=True)
class Context:
    """One request on its way: each step adds what it found out."""

    api: Api
    request: HttpRequest
    path: str
    """Without the stage, as sent."""
    request_id: str
    at: float
    """Seconds since the epoch."""
    trace: Trace
    match: Match | None = None
    key: Key | None = None
    signer: Signer | None = None
    failure: Failure | None = None
    status: int = 0
    response_bytes: int = 0
    response_latency_ms: int = 0
    integration_latency_ms: int | None = None
    integration_status: int | None = None
    """What Lambda's API answered."""
    integration_request_id: str | None = None
    function_status: int | None = None
    """The status that the function returned."""

    @property
    def extended_request_id(self) -> str:
        """Sixteen characters, as in the header x-amz-apigw-id."""
        return base64.b64encode(hashlib.sha256(self.request_id.encode()).digest()[:11]).decode()

    @property
    def domain_name(self) -> str:
        """The Host that was asked for; with its port, since a URL made of it must work here."""
        return last(self.request.headers, "host") or ""

    @property
    def request_time(self) -> str:
        """Formatted as CLF: dd/MMM/yyyy:HH:mm:ss +0000."""
        time = datetime.fromtimestamp(self.at, UTC)
        return f"{time:%d}/{_MONTHS[time.month - 1]}/{time:%Y:%H:%M:%S} +0000"


Value = str | int | None

# Each variable by its name after `$context.`.
_VARIABLES: Final[dict[str, Callable[[Context], Value]]] = {
    "accountId": lambda c: c.api.account,
    "apiId": lambda c: c.api.id,
    "deploymentId": lambda c: c.api.stage.deployment_id,
    "domainName": lambda c: c.domain_name,
    "domainPrefix": lambda c: c.api.id,
    "error.message": lambda c: c.failure.message if c.failure else None,
    "error.messageString": lambda c: json.dumps(c.failure.message) if c.failure else None,
    "error.responseType": lambda c: c.failure.type.value if c.failure else None,
    "error.validationErrorString": lambda c: (c.failure.validation or None) if c.failure else None,
    "extendedRequestId": lambda c: c.extended_request_id,
    "httpMethod": lambda c: c.request.method,
    "identity.accessKey": lambda c: c.signer.access_key if c.signer else None,
    "identity.accountId": lambda c: c.signer.account if c.signer else None,
    "identity.apiKey": lambda c: c.key.value if c.key else None,
    "identity.apiKeyId": lambda c: c.key.id if c.key else None,
    "identity.caller": lambda c: c.signer.account if c.signer else None,
    "identity.sourceIp": lambda c: c.request.source_ip,
    "identity.user": lambda c: c.signer.account if c.signer else None,
    "identity.userAgent": lambda c: last(c.request.headers, "user-agent"),
    "identity.userArn": lambda c: c.signer.arn if c.signer else None,
    "integration.error": lambda c: (c.failure.detail or None) if c.failure else None,
    "integration.integrationStatus": lambda c: c.integration_status,
    "integration.latency": lambda c: c.integration_latency_ms,
    "integration.requestId": lambda c: c.integration_request_id,
    "integration.status": lambda c: c.function_status,
    "integrationErrorMessage": lambda c: (c.failure.detail or None) if c.failure else None,
    "integrationLatency": lambda c: c.integration_latency_ms,
    "integrationStatus": lambda c: c.integration_status,
    "awsEndpointRequestId": lambda c: c.integration_request_id,
    "operationName": lambda c: c.match.method.operation_name if c.match else None,
    "path": lambda c: f"/{c.api.stage.name}{c.path}",
    "protocol": lambda c: "HTTP/1.1",  # noqa: ARG005
    "requestId": lambda c: c.request_id,
    "requestTime": lambda c: c.request_time,
    "requestTimeEpoch": lambda c: int(c.at * 1000),
    "resourceId": lambda c: c.match.route.resource_id if c.match else None,
    "resourcePath": lambda c: c.match.route.path if c.match else None,
    "responseLatency": lambda c: c.response_latency_ms,
    "responseLength": lambda c: c.response_bytes,
    "stage": lambda c: c.api.stage.name,
    "status": lambda c: c.status or None,
    "xrayTraceId": lambda c: c.trace.root if c.api.stage.tracing_enabled else None,
}

# Already JSON text, quotes included: the only variable that is not escaped inside a JSON template.
_QUOTED: Final = frozenset({"error.messageString"})

Style = Literal["plain", "json"]


def variable(context: Context, name: str) -> str | None:
    """Return a $context variable as text; None where AWS has no value for it, or the twin does not know it."""
    read = _VARIABLES.get(name)
    value = read(context) if read else None
    return None if value is None else str(value)


def substitute(template: str, context: Context, *, missing: str, style: Style) -> str:
    """Replace the variables of a template. With style "json", values are escaped as inside a JSON string."""

    def replace(found: re.Match[str]) -> str:
        name, stage_variable = found.groups()
        value = context.api.stage.variables.get(stage_variable) if stage_variable else variable(context, name)
        if value is None:
            return missing
        return json.dumps(value)[1:-1] if style == "json" and name not in _QUOTED else value

    return _VARIABLE.sub(replace, template)
