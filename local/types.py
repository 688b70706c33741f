"""Values that the twin's parts hand to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
ACCESS_KEY_ID: Final = "test"
SECRET_ACCESS_KEY: Final = "test"  # noqa: S105 - the twin's public credentials, as in moto's documentation


@dataclass(frozen=True, kw_only=True)
class FunctionConfig:
    """One published version of a function (or $LATEST), as an execution environment needs it."""

    name: str
    version: str
    handler: str
    code_dir: Path
    """The unpacked deployment package (LAMBDA_TASK_ROOT)."""
    layer_dirs: tuple[Path, ...]
    """The unpacked layers, in order; each is what Lambda merges into /opt."""
    environment: Mapping[str, str]
    memory_mb: int
    timeout_s: float
    reserved_concurrency: int | None = None
    ephemeral_storage_mb: int = 512
    log_group: str
    tracing_active: bool = False


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """The outcome of one synchronous invocation, as Lambda's Invoke API gives it."""

    payload: bytes
    function_error: str | None
    """None, or "Unhandled": the value of the header X-Amz-Function-Error."""
    executed_version: str
    request_id: str
    log_tail: bytes = b""
    """The last 4 KB of the invocation's log."""


class Throttled(Exception):
    """No execution environment may be added: Lambda's TooManyRequestsException (429)."""


class Invoke(Protocol):
    """Invoke a function synchronously. Raises: Throttled, FunctionNotFound, PayloadTooLarge."""

    def __call__(self, function: str, payload: bytes, *, qualifier: str | None = None) -> Invocation:
        """`function` is a name or an ARN, with or without a qualifier."""
        ...


class FunctionNotFound(Exception):
    """No such function, version or alias: Lambda's ResourceNotFoundException (404)."""


class PayloadTooLarge(Exception):
    """A request above 6 MB: Lambda's RequestTooLargeException (413)."""


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """A request as it came over the wire; header names as sent, in order, repeated ones repeated."""

    method: str
    path: str
    """Raw path, percent-encoded, without the query."""
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class HttpResponse:
    """An answer to send."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


LogSink = Callable[[str, str, list[str]], None]
"""Put lines into a log: (log group, log stream, lines)."""


@dataclass(frozen=True, kw_only=True)
class TwinAddress:
    """Where everything is; what the ready file holds, field by field."""

    endpoint: str
    api_key: str
    admin_endpoint: str
    store: str
    aws_endpoint_url: str
    region: str = field(default=REGION)
