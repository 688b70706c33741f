"""A client for the data plane, on the standard library alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

from warmstart.errors import InvalidSetting, MalformedBody, Unreachable, WarmstartError
from warmstart.refs import ModelRef

Json = Any
"""What `json` reads and writes; its shape is the model's business."""


class RequestRefused(WarmstartError):
    """The endpoint answered with an error; `status` is HTTP's, the message the endpoint's own.

    The function's log has the request under `request_id`; it is empty where the gateway itself refused.
    """

    code = "request_refused"

    def __init__(self, message: str, *, status: int, request_id: str) -> None:
        super().__init__(message)
        self.status, self.request_id = status, request_id


class Answer(NamedTuple):
    """A JSON answer, with the version that gave it (None if no model was asked) and Lambda's request id."""

    body: Json
    model_version: int | None
    request_id: str


class Client:
    """Calls an endpoint such as `https://{id}.execute-api.{region}.amazonaws.com/prod`, on one kept connection.

    Every method raises Unreachable if no answer came, RequestRefused if the answer is an error, MalformedBody if the
    request cannot be written as JSON (NaN, a type that JSON does not have). Not for several threads at once.
    """

    def __init__(self, endpoint: str, *, api_key: str, timeout_s: float = 60.0) -> None:
        self._endpoint = endpoint
        self._connection, self._base = _connection(endpoint, timeout_s)
        if not api_key.isascii() or not api_key.isprintable():
            raise InvalidSetting(
                "api_key: expected printable ASCII, got other characters, or a line's end", name="api_key"
            )
        self._headers = {"x-api-key": api_key, "content-type": "application/json", "accept": "application/json"}

    def predict(self, ref: ModelRef, records: Json) -> Answer:
        """Send one record, or a list of them: `{"age": 3, ...}`, matched to the model's inputs by name."""
        return self._call("POST", f"/predict/{quote(str(ref))}", _body(records))

    def infer(self, ref: ModelRef, request: Mapping[str, Json]) -> Answer:
        """Send an inference request of the Open Inference Protocol V2."""
        return self._call("POST", f"{_v2(ref)}/infer", _body(request))

    def metadata(self, ref: ModelRef) -> Answer:
        """Read a model's inputs and outputs."""
        return self._call("GET", _v2(ref), None)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: str, path: str, body: bytes | None) -> Answer:
        try:
            response, content = self._exchange(method, self._base + path, body)
        except (OSError, HTTPException) as error:
            self.close()
            raise Unreachable(f"{self._endpoint}: no answer: {type(error).__name__}: {error}") from error
        request_id = response.getheader("x-request-id") or ""
        if response.status >= 400:
            where = f" (request {request_id})" if request_id else ""
            message = f"HTTP {response.status}: {_message(content)}{where}"
            raise RequestRefused(message, status=response.status, request_id=request_id)
        version = response.getheader("x-model-version") or ""
        return Answer(self._parse(content), int(version) if version.isdecimal() else None, request_id)

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[HTTPResponse, bytes]:
        """Send and receive. A kept connection that was closed meanwhile is opened anew, once: nothing came on it."""
        kept = self._connection.sock is not None
        try:
            return self._send(method, path, body)
        except ConnectionError:  # RemoteDisconnected is one
            self.close()
            if not kept:
                raise
            return self._send(method, path, body)

    def _send(self, method: str, path: str, body: bytes | None) -> tuple[HTTPResponse, bytes]:
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        return response, response.read()

    def _parse(self, content: bytes) -> Json:
        try:
            return json.loads(content) if content else None
        except ValueError as error:
            raise Unreachable(
                f"{self._endpoint}: expected JSON, got {content[:80].decode(errors='replace')!r}; "
                "is it a Warmstart endpoint, with its stage?"
            ) from error


def _connection(endpoint: str, timeout_s: float) -> tuple[HTTPConnection, str]:
    """Return an unopened connection, and the path that all requests begin with. Raises: Unreachable."""
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError as error:
        raise Unreachable(f"endpoint: expected http(s)://host[:port]/stage, got {endpoint!r}: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreachable(f"endpoint: expected http(s)://host[:port]/stage, got {endpoint!r}")
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return connect(parts.hostname, port, timeout=timeout_s), parts.path.rstrip("/")


def _body(document: Json) -> bytes:
    try:
        return json.dumps(document, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise MalformedBody(f"request: expected what JSON can hold, a missing value being None: {error}") from error


def _v2(ref: ModelRef) -> str:
    if ref.version is not None:
        return f"/v2/models/{ref.name}/versions/{ref.version}"
    return f"/v2/models/{quote(str(ref))}"


def _message(content: bytes) -> str:
    """Dig the message out of an error in any shape that the endpoint may use."""
    try:
        document = json.loads(content)
    except ValueError:
        return content[:200].decode(errors="replace") or "(empty answer)"
    error = document.get("error", document) if isinstance(document, dict) else document
    if isinstance(error, dict):
        error = error.get("message", error.get("detail", error))
    return str(error)
