"""A deployed stage of a REST API, as values: what `read_api` reads and `Gateway` obeys.

The words are API Gateway's own (API reference, `Resource`, `Method`, `Integration`, `Stage`, `UsagePlan`, ...).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

DEFAULT_TIMEOUT_MS: Final = 29_000
"""Developer guide, "Quotas for configuring and running a REST API": integration timeout 50 ms to 29 s."""

Authorization = Literal["NONE", "AWS_IAM"]
Period = Literal["DAY", "WEEK", "MONTH"]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A JSON Schema (draft 4) that a body must fit, as its text."""

    name: str
    content_type: str = "application/json"
    schema: str


@dataclass(frozen=True, kw_only=True)
class Validator:
    """What is checked before the integration is called."""

    body: bool = False
    parameters: bool = False


@dataclass(frozen=True, kw_only=True)
class LambdaProxy:
    """AWS_PROXY: the request goes to a function as an event, its answer comes back as a response."""

    function_arn: str
    """Without its qualifier."""
    qualifier: str | None = None
    """The alias or version that is called; None is $LATEST."""
    timeout_ms: int = DEFAULT_TIMEOUT_MS


@dataclass(frozen=True, kw_only=True)
class MockResponse:
    """An integration response of a MOCK: fixed body, fixed headers."""

    status: int
    selection_pattern: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Mock:
    """MOCK: the request template says `{"statusCode": n}`, and the response of that status answers."""

    request_templates: Mapping[str, str] = field(default_factory=dict)
    responses: tuple[MockResponse, ...] = ()
    passthrough: str = "WHEN_NO_MATCH"


@dataclass(frozen=True, kw_only=True)
class Unsupported:
    """An integration of a type that the twin does not run (AWS, HTTP, HTTP_PROXY)."""

    type: str


Integration = LambdaProxy | Mock | Unsupported


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method of a resource. `http_method` may be ANY."""

    http_method: str
    integration: Integration
    authorization: Authorization = "NONE"
    api_key_required: bool = False
    operation_name: str | None = None
    validator: Validator = Validator()
    models: Mapping[str, Model] = field(default_factory=dict)
    """By content type."""
    required_parameters: tuple[str, ...] = ()
    """`method.request.{path|querystring|header}.{name}`, those marked as required."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """A resource with its methods. `path` is its template: `/models/{model}`, `/admin/{proxy+}`."""

    resource_id: str
    path: str
    methods: tuple[Method, ...]


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """A token bucket: `rate` tokens a second, `burst` at most."""

    rate: float
    burst: int


@dataclass(frozen=True, kw_only=True)
class Quota:
    """Requests per calendar period (UTC). `offset`: requests already counted in the first period."""

    limit: int
    period: Period
    offset: int = 0


@dataclass(frozen=True, kw_only=True)
class Key:
    """An API key."""

    id: str
    value: str
    enabled: bool = True


@dataclass(frozen=True, kw_only=True)
class UsagePlan:
    """A usage plan that holds this stage; `keys` are its members."""

    id: str
    keys: tuple[Key, ...] = ()
    throttle: Throttle | None = None
    quota: Quota | None = None
    method_throttles: Mapping[str, Throttle] = field(default_factory=dict)
    """By `/path/METHOD`, for this stage."""


@dataclass(frozen=True, kw_only=True)
class GatewayResponse:
    """How an error of one response type looks: DEFAULT_4XX, INVALID_API_KEY, ..."""

    status: int | None = None
    """None keeps the error's own status."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """Body templates with $context variables, by content type."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header name to mapping expression: `'literal'`, `context.name`, `method.request.header.name`."""


@dataclass(frozen=True, kw_only=True)
class AccessLog:
    """Where a line per request goes, and its format with $context variables."""

    group: str
    format: str


@dataclass(frozen=True, kw_only=True)
class StageSettings:
    """The stage's own settings. `throttles` is by `/path/METHOD`, with `*/*` for all others."""

    name: str
    deployment_id: str
    access_log: AccessLog | None = None
    throttles: Mapping[str, Throttle] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    """Handed to functions as `stageVariables`; not substituted anywhere."""
    tracing_enabled: bool = False


@dataclass(frozen=True, kw_only=True)
class Api:
    """One deployed stage of one REST API."""

    id: str
    name: str
    account: str
    region: str
    stage: StageSettings
    routes: tuple[Route, ...]
    usage_plans: tuple[UsagePlan, ...] = ()
    models: tuple[Model, ...] = ()
    """All of the API's: a model may refer to another by `.../restapis/{id}/models/{name}`."""
    gateway_responses: Mapping[str, GatewayResponse] = field(default_factory=dict)
    """By response type."""
    binary_media_types: tuple[str, ...] = ()
    api_key_source: Literal["HEADER", "AUTHORIZER"] = "HEADER"
