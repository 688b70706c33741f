"""A client for the data plane, on the standard library alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from warmstart.errors import Unreachable, WarmstartError
from warmstart.refs import ModelRef

Json = Any
"""What `json` reads and writes; its shape is the model's business."""


class RequestRefused(WarmstartError):
    """The endpoint answered with an error; `status` is HTTP's, the message the endpoint's own."""

    code = "request_refused"

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Answer(NamedTuple):
    """A JSON answer, with the version that gave it (None if no model was asked) and Lambda's request id."""

    body: Json
    model_version: int | None
    request_id: str


class Client:
    """Calls an endpoint such as `https://{id}.execute-api.{region}.amazonaws.com/prod`.

    Every method raises Unreachable if no answer came, RequestRefused if the answer is an error.
    """

    def __init__(self, endpoint: str, *, api_key: str, timeout_s: float = 60.0) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unreachable(f"endpoint: expected http(s)://host[:port]/stage, got {endpoint!r}")
        connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = connect(parts.hostname, parts.port, timeout=timeout_s)
        self._endpoint = endpoint
        self._base = parts.path.rstrip("/")
        self._headers = {"x-api-key": api_key, "content-type": "application/json", "accept": "application/json"}

    def predict(self, ref: ModelRef, records: Json) -> Answer:
        """Send one record, or a list of them: `{"age": 3, ...}`, matched to the model's inputs by name."""
        return self._call("POST", f"/predict/{quote(str(ref))}", records)

    def infer(self, ref: ModelRef, request: Mapping[str, Json]) -> Answer:
        """Send an inference request of the Open Inference Protocol V2."""
        return self._call("POST", f"{_v2(ref)}/infer", request)

    def metadata(self, ref: ModelRef) -> Answer:
        """Read a model's inputs and outputs."""
        return self._call("GET", _v2(ref), None)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _call(self, method: str, path: str, body: Json) -> Answer:
        payload = None if body is None else json.dumps(body, allow_nan=False).encode()
        try:
            self._connection.request(method, self._base + path, payload, self._headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise Unreachable(f"{self._endpoint}: no answer: {type(error).__name__}: {error}") from error
        if response.status >= 400:
            raise RequestRefused(f"HTTP {response.status}: {_message(content)}", status=response.status)
        version = response.getheader("x-model-version")
        return Answer(
            json.loads(content) if content else None,
            int(version) if version else None,
            response.getheader("x-request-id") or "",
        )


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
