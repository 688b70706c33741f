"""Lambda's Invoke on the twin: moto resolves what is asked for, real execution environments run it.

Everything that moto itself drives (boto3's `invoke`, Step Functions tasks, SQS mappings, S3 and SNS notifications,
schedules) ends here.
Source: Lambda API reference, "Invoke"; developer guide, "Lambda function aliases" (routing configuration).
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import unquote

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction, LambdaStorage
from moto.awslambda.responses import LambdaResponse
from moto.awslambda_simple.models import LambdaSimpleBackend, lambda_simple_backends
from moto.core.config import default_user_config
from moto.events import notifications as event_notifications

from local.aws.packages import Packages
from local.types import (
    ACCOUNT,
    REGION,
    FunctionConfig,
    FunctionNotFound,
    Invocation,
    PayloadTooLarge,
    Throttled,
)

_LATEST: Final = "$LATEST"
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers, body: what moto's server sends."""


class Runs(Protocol):
    """What runs functions: `local.functions.Functions`."""

    def put(self, config: FunctionConfig) -> None:
        """Add a version, or replace $LATEST. Raises: ValueError if the version exists and differs."""

    def remove(self, name: str) -> None:
        """Forget a function and stop its environments."""

    def invoke(self, function: str, payload: bytes, *, qualifier: str | None = None) -> Invocation:
        """Invoke synchronously. Raises: Throttled, FunctionNotFound, PayloadTooLarge."""

    def invoke_event(self, function: str, payload: bytes, *, qualifier: str | None = None) -> str:
        """Queue an asynchronous invocation. Raises: FunctionNotFound, PayloadTooLarge."""


class Lambda:
    """An `Invoke` over what is deployed to moto. `draw` gives numbers in [0, 1) for weighted aliases."""

    def __init__(self, functions: Runs, packages: Packages, *, draw: Callable[[], float]) -> None:
        self._functions, self._packages, self._draw = functions, packages, draw
        self._known: dict[tuple[str, str], FunctionConfig] = {}
        self._lock = threading.Lock()

    def __call__(self, function: str, payload: bytes, *, qualifier: str | None = None) -> Invocation:
        """Invoke and wait. Raises: Throttled, FunctionNotFound, PayloadTooLarge."""
        name, version = self._ready(function, qualifier)
        return self._functions.invoke(name, payload, qualifier=version)

    def event(self, function: str, payload: bytes, *, qualifier: str | None = None) -> str:
        """Queue an invocation; return its request id. Raises: FunctionNotFound, PayloadTooLarge."""
        name, version = self._ready(function, qualifier)
        return self._functions.invoke_event(name, payload, qualifier=version)

    def version(self, function: str, qualifier: str | None = None) -> str:
        """Return the version that an invocation would run now. Raises: FunctionNotFound."""
        return self._resolve(function, qualifier)[1]

    def synchronize(self) -> None:
        """Unpack what was deployed, and stop the environments of what was deleted."""
        storage = _storage()
        for name in list(storage._functions):
            for function in (storage._functions[name]["latest"], *storage._functions[name]["versions"]):
                if function is not None:
                    self._put(function)
        with self._lock:
            for name in {known for known, _ in self._known} - set(storage._functions):
                self._forget(name)

    def _ready(self, function: str, qualifier: str | None) -> tuple[str, str]:
        name, version = self._resolve(function, qualifier)
        self._put(_storage().get_function_by_name_with_qualifier(name, version))
        return name, version

    def _resolve(self, function: str, qualifier: str | None) -> tuple[str, str]:
        """Return the function's name and version; an alias with weights draws."""
        storage = _storage()
        _, name, own = storage.split_function_arn(function) if ":function:" in function else ("", *_split(function))
        qualifier = own or qualifier
        try:
            found = storage.get_function_by_name_with_qualifier(name, qualifier)
        except UnknownFunctionException as unknown:
            raise FunctionNotFound(unknown.message) from unknown
        version = str(found.version)
        alias = storage._get_function_aliases(name).get(qualifier) if qualifier else None
        routing: Any = alias.routing_config if alias else None
        return name, _drawn(version, (routing or {}).get("AdditionalVersionWeights") or {}, self._draw())

    def _put(self, function: LambdaFunction) -> None:
        config = self._config(function)
        key = (config.name, config.version)
        if self._known.get(key) == config:
            return
        with self._lock:
            known = self._known.get(key)
            if known is not None and known != config and config.version != _LATEST:
                self._forget(config.name)  # deleted and made again, or its concurrency was changed
            self._functions.put(config)
            self._known[key] = config

    def _forget(self, name: str) -> None:
        self._functions.remove(name)
        self._known = {key: config for key, config in self._known.items() if key[0] != name}

    def _config(self, function: LambdaFunction) -> FunctionConfig:
        name, version = function.function_name, str(function.version)
        latest = _storage()._functions[name]["latest"]
        reserved = (latest or function).reserved_concurrency
        return FunctionConfig(
            name=name,
            version=version,
            handler=str(function.handler),
            code_dir=self._packages.unpacked(function.code_sha_256, function.code_bytes),
            layer_dirs=tuple(
                self._packages.unpacked(layer.code_sha_256, layer.code_bytes)
                for layer in map(_backend().layers_versions_by_arn, (layer["Arn"] for layer in function.layers))
                if layer is not None
            ),
            environment=dict(function.environment_vars),
            memory_mb=int(function.memory_size),
            timeout_s=float(function.timeout),
            reserved_concurrency=None if reserved is None else int(reserved),
            ephemeral_storage_mb=int(function.ephemeral_storage),
            log_group=function.logs_group_name,
            tracing_active=function.tracing_config.get("Mode") == "Active",
        )


def _backend() -> LambdaSimpleBackend:
    return lambda_simple_backends[ACCOUNT][REGION]


def _storage() -> LambdaStorage:
    return _backend()._lambdas


def _split(name: str) -> tuple[str, str | None]:
    name, separator, qualifier = name.partition(":")
    return name, qualifier if separator else None


def _drawn(version: str, weights: Mapping[str, float], drawn: float) -> str:
    """Return the version that a number in [0, 1) picks: the alias's own gets what the weights leave."""
    for other, weight in weights.items():
        if drawn < weight:
            return other
        drawn -= weight
    return version


def install(lambda_: Lambda) -> None:
    """Put real invocations behind moto's API, in this process."""
    default_user_config["lambda"] = {"use_docker": False}

    def backend_invoke(
        _: Any, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> bytes:
        """Serve the callers inside moto that look at the outcome: SQS mappings, Secrets Manager."""
        status, answer_headers, payload = answer(lambda_, function_name, qualifier, _bytes(body), headers)
        response_headers.update(answer_headers)
        if status >= 400:
            response_headers["x-amz-function-error"] = "Unhandled"
        return payload

    def api_invoke(response: LambdaResponse) -> Answer:
        name = response.path.rsplit("/", 2)[-2]
        qualifier = response.querystring.get("Qualifier", [None])[0]
        status, headers, body = answer(lambda_, unquote(name), qualifier, _bytes(response.body), response.headers)
        return status, {**headers, "status": str(status)}, body  # moto reads the status from this header

    def push(function: LambdaFunction, body: Any, *_: Any) -> bytes:
        """Serve the callers inside moto that don't wait: S3, SNS and log notifications, InvokeAsync."""
        lambda_.event(function.function_arn, _bytes(body))
        return b""

    def event(account_id: str, fn_arn: str, event: Any) -> None:  # noqa: ARG001 - moto's signature
        lambda_.event(fn_arn, json.dumps(event).encode())

    setattr(LambdaSimpleBackend, "invoke", backend_invoke)  # noqa: B010
    setattr(LambdaResponse, "invoke", api_invoke)  # noqa: B010
    setattr(LambdaFunction, "invoke", push)  # noqa: B010
    setattr(event_notifications, "_invoke_lambda", event)  # noqa: B010


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def answer(lambda_: Lambda, name: str, qualifier: str | None, payload: bytes, headers: Mapping[str, str]) -> Answer:
    """Answer one Invoke call as Lambda does."""
    kind = headers.get("X-Amz-Invocation-Type", "RequestResponse")
    try:
        if kind == "DryRun":
            return 204, {"X-Amz-Executed-Version": lambda_.version(name, qualifier)}, b""
        if kind == "Event":
            return 202, {"x-amzn-RequestId": lambda_.event(name, payload, qualifier=qualifier)}, b""
        return _outcome(lambda_(name, payload, qualifier=qualifier), tail=headers.get("X-Amz-Log-Type") == "Tail")
    except FunctionNotFound as unknown:
        return _error(404, "ResourceNotFoundException", str(unknown), {"Type": "User"})
    except Throttled as throttled:
        reason = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "retryAfterSeconds": "1"}
        return _error(429, "TooManyRequestsException", str(throttled) or "Rate Exceeded.", reason)
    except PayloadTooLarge as large:
        return _error(413, "RequestTooLargeException", str(large), {"Type": "User"})


def _outcome(invocation: Invocation, *, tail: bool) -> Answer:
    headers = {
        "Content-Type": "application/json",
        "X-Amz-Executed-Version": invocation.executed_version,
        "x-amzn-RequestId": invocation.request_id,
    }
    if invocation.function_error:
        headers["X-Amz-Function-Error"] = invocation.function_error
    if tail:
        headers["X-Amz-Log-Result"] = base64.b64encode(invocation.log_tail).decode()
    return 200, headers, invocation.payload


def _error(status: int, code: str, message: str, extra: Mapping[str, str]) -> Answer:
    return status, {"x-amzn-ErrorType": code}, json.dumps({**extra, "Message": message}).encode()
