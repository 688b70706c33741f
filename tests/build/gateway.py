"""A gateway over literal APIs and an in-memory Lambda, with a clock and ids that are set by hand."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

from local.gateway.api import Api, Key, LambdaProxy, Method, Route, StageSettings, UsagePlan
from local.gateway.gateway import Gateway
from local.types import HttpRequest, HttpResponse, Invocation, Invoke

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:warmstart-prod-inference"
NOON = 1_769_860_800.0
"""2026-01-31T12:00:00Z."""
KEY = Key(id="k1", value="0123456789abcdefghij")
OK: Mapping[str, Any] = {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": '{"ok":true}'}


class FakeLambda:
    """Returns what it was built with, and keeps what it was asked."""

    def __init__(self, result: Any = OK, *, function_error: str | None = None, raises: Exception | None = None) -> None:
        self._payload = result if isinstance(result, bytes) else json.dumps(result).encode()
        self._function_error = function_error
        self._raises = raises
        self.calls: list[tuple[str, str | None]] = []
        self.payloads: list[bytes] = []

    def __call__(self, function: str, payload: bytes, *, qualifier: str | None = None) -> Invocation:
        self.calls.append((function, qualifier))
        self.payloads.append(payload)
        if self._raises:
            raise self._raises
        return Invocation(
            payload=self._payload,
            function_error=self._function_error,
            executed_version="7",
            request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        )

    @property
    def event(self) -> Any:
        """The last event."""
        return json.loads(self.payloads[-1])


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Log:
    """A log sink that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []

    def __call__(self, group: str, stream: str, lines: list[str]) -> None:
        self.lines += [(group, stream, line) for line in lines]


def numbered_ids() -> Callable[[], str]:
    """Ids that count: 00000000-0000-4000-8000-000000000001, ..."""
    numbers = itertools.count(1)
    return lambda: f"00000000-0000-4000-8000-{next(numbers):012x}"


def proxy(http_method: str = "ANY", **settings: Any) -> Method:
    """A method that calls the function's alias `live`."""
    integration = settings.pop("integration", LambdaProxy(function_arn=FUNCTION, qualifier="live"))
    return Method(http_method=http_method, integration=integration, **settings)


def route(path: str, *methods: Method) -> Route:
    """A resource, with an id made of its path."""
    return Route(resource_id=f"id:{path}", path=path, methods=methods or (proxy(),))


def plan(**settings: Any) -> UsagePlan:
    """A usage plan with one key."""
    return UsagePlan(**({"id": "plan1", "keys": (KEY,)} | settings))


def api(*routes: Route, stage: Mapping[str, Any] | None = None, **settings: Any) -> Api:
    """A stage `prod` of an API."""
    return Api(
        id="a1b2c3d4e5",
        name="warmstart",
        account="123456789012",
        region="us-east-1",
        stage=StageSettings(**({"name": "prod", "deployment_id": "d1"} | dict(stage or {}))),
        routes=routes or (route("/{proxy+}"),),
        **settings,
    )


def gateway(deployed: Api, invoke: Invoke | None = None, **settings: Any) -> Gateway:
    """A gateway with one stage, at noon."""
    arguments: dict[str, Any] = {"clock": Clock(), "new_id": numbered_ids()} | settings
    return Gateway((deployed,), invoke=invoke or FakeLambda(), **arguments)


def request(
    method: str = "GET",
    target: str = "/prod/",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes | str = b"",
) -> HttpRequest:
    """A request to 127.0.0.1:4500; `target` is path and query."""
    path, _, query = target.partition("?")
    return HttpRequest(
        method=method,
        path=path,
        query=query,
        headers=(("Host", "127.0.0.1:4500"), *headers),
        body=body.encode() if isinstance(body, str) else body,
    )


def header(response: HttpResponse, name: str) -> str | None:
    """One header of a response, by its name in any case."""
    return next((value for sent, value in response.headers if sent.lower() == name.lower()), None)
