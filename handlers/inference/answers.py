"""Values and errors to answers: the one place that knows HTTP's status codes.

The first class along an error's hierarchy that has a row decides. What a caller did is 4xx; what the store or the
function did is 5xx, and says no more than the message does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from handlers.inference.sessions import Ran
from warmstart import errors
from warmstart.errors import AnswerTooLarge, MethodNotAllowed, StoreUnavailable, WarmstartError
from warmstart.protocols import oip, records
from warmstart.refs import ModelRef

STATUS: Final[Mapping[type[WarmstartError], int]] = {
    errors.InvalidRequest: 400,
    errors.UnsupportedMediaType: 415,
    errors.BodyTooLarge: 413,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.IntegrityError: 503,
    errors.ModelFailure: 503,
    errors.ModelNotLoadable: 503,
    errors.InsufficientMemory: 503,
    errors.InferenceFailed: 422,
    errors.UnrepresentableOutput: 422,
    errors.AnswerTooLarge: 413,
    errors.StoreError: 503,
    errors.StoreUnavailable: 503,
    errors.StoreDenied: 503,
    errors.WarmstartError: 500,
}
INTERNAL: Final = "internal error; the log has the details under this x-request-id"
RETRY_AFTER_S: Final = 1

ANSWER_LIMIT: Final = 6_291_556
"""Lambda sends no larger synchronous response, its JSON counted (Lambda developer guide, "Lambda quotas")."""
_MANY_BYTES: Final = 800_000
"""Below it no body can pass the limit, were every byte a control character (six in JSON, one more escaped)."""


class Answer(NamedTuple):
    """An answer to send, and what the log should know of how it came about."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    model: ModelRef | None = None
    ran: Ran | None = None
    error: WarmstartError | None = None


def status_of(error: WarmstartError) -> int:
    """Return the status of an error: the row of its first class that has one."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def refuse(error: WarmstartError, *, as_records: bool) -> Answer:
    """Answer an error in the shape of the protocol that was spoken."""
    status = status_of(error)
    code, message = (error.code, error.message) if status != 500 else (WarmstartError.code, INTERNAL)
    headers: tuple[tuple[str, str], ...] = ()
    match error:
        case MethodNotAllowed():
            headers = (("allow", ", ".join(error.allowed)),)
        case StoreUnavailable():
            headers = (("retry-after", str(RETRY_AFTER_S)),)
    body = records.render_error(code, message) if as_records else oip.render_error(message)
    return Answer(status, body, headers, error.model, error=error)


def check_size(body: bytes) -> bytes:
    """Check that Lambda can send a body. Raises: AnswerTooLarge."""
    if len(body) > _MANY_BYTES and (size := len(orjson.dumps(body.decode()))) > ANSWER_LIMIT - 1024:
        raise AnswerTooLarge(
            f"answer: expected at most {ANSWER_LIMIT - 1024} bytes, got {size}; ask for fewer rows or fewer outputs"
        )
    return body


def to_gateway(answer: Answer, request_id: str) -> dict[str, Any]:
    """Write API Gateway's proxy response."""
    headers = {"content-type": "application/json", "x-request-id": request_id}
    if answer.model is not None:
        headers["x-model-version"] = str(answer.model.version)
    if answer.headers:
        headers.update(answer.headers)
    return {
        "statusCode": answer.status,
        "headers": headers,
        "body": answer.body.decode(),
        "isBase64Encoded": False,
    }
