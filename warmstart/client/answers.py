"""What comes back from an endpoint: answers, refusals, or nothing at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from warmstart.errors import Unreachable, WarmstartError

Json = Any
"""What `json` reads and writes; its shape is the model's business."""

_NOT_OURS: Final = "is it a Warmstart endpoint, with its stage?"


class Reply(NamedTuple):
    """An HTTP response, read whole; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def request_id(self) -> str:
        """The id under which the log has the request; "" where the gateway itself answered."""
        return self.headers.get("x-request-id", "")

    @property
    def model_version(self) -> int | None:
        """The version that was asked, None if no model was."""
        version = self.headers.get("x-model-version", "")
        return int(version) if version.isdecimal() else None


class RequestRefused(WarmstartError):
    """The endpoint answered with an error; `status` is HTTP's, the message the endpoint's own.

    The function's log has the request under `request_id`; it is empty where the gateway itself refused.
    `model_version` is the version that refused, None if none was asked.
    """

    code = "request_refused"

    def __init__(self, message: str, *, status: int, request_id: str, model_version: int | None = None) -> None:
        super().__init__(message)
        self.status, self.request_id, self.model_version = status, request_id, model_version


class ConnectionLost(Unreachable):
    """The connection could not be made, or ended before a whole answer had come: asking again may help."""

    code = "connection_lost"


class Answer(NamedTuple):
    """A JSON answer, with the version that gave it (None if no model was asked) and Lambda's request id.

    Where arrays were sent, the `data` of each of the body's outputs is an array too, in the output's shape.
    """

    body: Json
    model_version: int | None
    request_id: str

    @property
    def outputs(self) -> dict[str, Any]:
        """The model's outputs by name: arrays if arrays were sent, for records a list with one value for each."""
        if "predictions" in self.body:
            rows = self.body["predictions"]
            return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
        return {output["name"]: output["data"] for output in self.body["outputs"]}


def check(reply: Reply) -> Reply:
    """Return the reply if it is an answer; a redirect, which is not followed, is none. Raises: RequestRefused."""
    if 200 <= reply.status < 300:
        return reply
    elsewhere = f"moved to {reply.headers['location']}: " if "location" in reply.headers else ""
    where = f" (request {reply.request_id})" if reply.request_id else ""
    raise RequestRefused(
        f"HTTP {reply.status}: {elsewhere}{_message(reply.content)}{where}",
        status=reply.status,
        request_id=reply.request_id,
        model_version=reply.model_version,
    )


def parse(content: bytes, endpoint: str) -> Json:
    """Read a JSON body, None if it is empty. Raises: Unreachable: what answers is no endpoint of ours."""
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError) as error:
        found = content[:80].decode(errors="replace")
        raise Unreachable(f"{endpoint}: expected JSON, got {found!r}; {_NOT_OURS}") from error


def foreign(endpoint: str, expected: str, found: object) -> Unreachable:
    """Return the error for a body that is not what our endpoints send."""
    return Unreachable(f"{endpoint}: expected {expected}, got {str(found)[:80]!r}; {_NOT_OURS}")


def _message(content: bytes) -> str:
    """Dig the message out of an error in any shape that the endpoint may use."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return content[:200].decode(errors="replace") or "(empty answer)"
    error = document.get("error", document) if isinstance(document, dict) else document
    if isinstance(error, dict):
        error = error.get("message", error.get("detail", error))
    return str(error)
