"""Errors as problem documents (RFC 9457): the one place where this plane's errors get a status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from warmstart import errors
from warmstart.errors import WarmstartError

MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[Mapping[type[WarmstartError], int]] = {
    errors.InvalidRequest: 400,
    errors.UnsupportedMediaType: 415,
    errors.BodyTooLarge: 413,
    errors.MissingPrecondition: 428,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.AliasMoved: 412,
    errors.PreconditionFailed: 412,
    errors.IntegrityError: 503,
    errors.ModelFailure: 503,
    errors.StoreError: 503,
    errors.Unavailable: 503,
    # Raised on a user's machine or at init, never for a request: if one comes here, it is our mistake.
    errors.InvalidSetting: 500,
    errors.BuildError: 500,
    errors.UnsupportedModel: 500,
    errors.InvalidSample: 500,
    errors.Unreachable: 500,
    WarmstartError: 500,
}
INVALID_VALUE_STATUS: Final = 422
"""A body that is JSON, with values that the route does not take (RFC 9110, section 15.5.21)."""
RETRY_AFTER_S: Final = 1


class ProblemValue(BaseModel):
    """One value that was refused."""

    pointer: str = Field(description="Where it stands, as a JSON pointer into the body.")
    detail: str


class Problem(BaseModel):
    """What went wrong. `code` is stable: branch on it, not on the text."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:warmstart:problem:model_not_found",
                    "title": "Model not found",
                    "status": 404,
                    "detail": "model 'iris': nothing of this name has been published",
                    "code": "model_not_found",
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemValue] | None = Field(
        default=None, description="Each refused value of a body, with status 422."
    )


def status_of(error: WarmstartError) -> int:
    """Return the status of an error: the row of the nearest class in its hierarchy."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def problem(error: WarmstartError) -> JSONResponse:
    """Answer an error of ours. One that no row but 500 fits is answered without its detail."""
    status = status_of(error)
    if status == STATUS[WarmstartError]:
        return unknown_problem()
    headers = {}
    if isinstance(error, errors.MethodNotAllowed):
        headers["allow"] = ", ".join(error.allowed)
    if isinstance(error, errors.StoreUnavailable):
        headers["retry-after"] = str(RETRY_AFTER_S)
    return _answer(status, error.code, error.message, headers=headers)


def unknown_problem() -> JSONResponse:
    """Answer an error that nobody foresaw: its trace is in the log, and only there."""
    return _answer(500, WarmstartError.code, "an unforeseen error; the log has it under this answer's x-request-id")


def validation_problem(error: RequestValidationError) -> JSONResponse:
    """Answer a body that FastAPI refused."""
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        where = f"{found[0]['ctx']['error']} at character {found[0]['loc'][1]}"
        return problem(errors.MalformedBody(f"body: expected JSON; {where}"))
    values = [ProblemValue(pointer=_pointer(item["loc"]), detail=item["msg"]) for item in found]
    detail = "; ".join(f"{value.pointer}: {value.detail}" for value in values)
    return _answer(INVALID_VALUE_STATUS, errors.InvalidRequest.code, detail, values=values)


def _pointer(location: tuple[str | int, ...]) -> str:
    # RFC 6901 in a URI fragment; the first part is FastAPI's word for where it looked ("body").
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location[1:])


def _answer(
    status: int,
    code: str,
    detail: str,
    *,
    values: list[ProblemValue] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = Problem(
        type=f"urn:warmstart:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=detail,
        code=code,
        errors=values,
    )
    return JSONResponse(body.model_dump(exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE)
