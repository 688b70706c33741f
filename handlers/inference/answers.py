"""Values and errors to answers: the one place that knows HTTP's status codes.

The first class along an error's hierarchy that has a row decides. What a caller did is 4xx; what the store or the
function did is 5xx, and says no more than the message does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from handlers.inference.sessions import Ran
from handlers.inference.timing import Timing
from warmstart import errors
from warmstart.errors import MethodNotAllowed, StoreUnavailable, Unavailable, WarmstartError
from warmstart.protocols.wire import JSON, Rendered, RenderError
from warmstart.refs import ModelRef

STATUS: Final[Mapping[type[WarmstartError], int]] = {
    errors.InvalidRequest: 400,
    errors.UnsupportedMediaType: 415,
    errors.NotAcceptable: 406,
    errors.BodyTooLarge: 413,
    errors.HeadTooLarge: 431,
    errors.RequestTimeout: 408,
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
    errors.Unavailable: 503,
    errors.WarmstartError: 500,
}
INTERNAL: Final = "internal error; the log has the details under this x-request-id"
RETRY_AFTER_S: Final = 1


class Answer(NamedTuple):
    """An answer to send, and what the log should know of how it came about."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    model: ModelRef | None = None
    ran: Ran | None = None
    error: WarmstartError | None = None
    timing: Timing | None = None


def status_of(error: WarmstartError) -> int:
    """Return the status of an error: the row of its first class that has one."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def answer(rendered: Rendered, *, model: ModelRef | None = None, ran: Ran | None = None) -> Answer:
    """Answer what a protocol wrote."""
    return Answer(200, rendered.body, rendered.content_type, rendered.headers, model, ran)


def refuse(error: WarmstartError, render: RenderError) -> Answer:
    """Answer an error in the shape of the protocol that was spoken."""
    status = status_of(error)
    code, message = (error.code, error.message) if status != 500 else (WarmstartError.code, INTERNAL)
    headers: tuple[tuple[str, str], ...] = ()
    match error:
        case MethodNotAllowed():
            headers = (("allow", ", ".join(error.allowed)),)
        case StoreUnavailable() | Unavailable():
            headers = (("retry-after", str(RETRY_AFTER_S)),)
    # Text that is no Unicode, as an event's path may be, would make the answer itself fail.
    rendered = render(status, code, message.encode(errors="replace").decode())
    return Answer(status, rendered.body, rendered.content_type, (*rendered.headers, *headers), error.model, error=error)


def headers_of(found: Answer, request_id: str) -> dict[str, str]:
    """Return all headers of an answer, names in lower case."""
    headers = {"content-type": found.content_type, "x-request-id": request_id}
    if (model := found.model) is not None:
        headers["x-model-version"] = str(model.version)
    if own := found.headers:
        headers.update(own)
    return headers
