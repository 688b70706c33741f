"""Everything that the gateway itself refuses or fails at, as API Gateway names it.

Sources: API Gateway developer guide, "Gateway response types for API Gateway" (types, statuses);
Lambda developer guide, "Handling Lambda errors with an API Gateway API" (500 and 502).
"""

from __future__ import annotations

from enum import StrEnum

from local.gateway.limits import MAX_BODY_BYTES


class ResponseType(StrEnum):
    """The gateway response types that the twin produces."""

    API_CONFIGURATION_ERROR = "API_CONFIGURATION_ERROR"
    BAD_REQUEST_BODY = "BAD_REQUEST_BODY"
    BAD_REQUEST_PARAMETERS = "BAD_REQUEST_PARAMETERS"
    DEFAULT_4XX = "DEFAULT_4XX"
    DEFAULT_5XX = "DEFAULT_5XX"
    INTEGRATION_FAILURE = "INTEGRATION_FAILURE"
    INTEGRATION_TIMEOUT = "INTEGRATION_TIMEOUT"
    INVALID_API_KEY = "INVALID_API_KEY"
    INVALID_SIGNATURE = "INVALID_SIGNATURE"
    MISSING_AUTHENTICATION_TOKEN = "MISSING_AUTHENTICATION_TOKEN"  # noqa: S105 - a name of AWS's
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE"
    THROTTLED = "THROTTLED"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"


class Failure(Exception):
    """A request ends here, with the answer of its response type.

    `plain_body` is what AWS sends where no gateway response is declared and the usual template does not apply;
    `detail` goes to the access log's `integrationErrorMessage`, never to the caller.
    """

    def __init__(
        self,
        type: ResponseType,  # noqa: A002 - API Gateway's word
        status: int,
        message: str,
        *,
        error_type: str,
        validation: str = "",
        plain_body: str | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.type = type
        self.status = status
        self.message = message
        self.error_type = error_type
        self.validation = validation
        self.plain_body = plain_body
        self.detail = detail


def unknown_route() -> Failure:
    """No such path or method, or no signature where one is required: AWS says the same to both."""
    return Failure(
        ResponseType.MISSING_AUTHENTICATION_TOKEN,
        403,
        "Missing Authentication Token",
        error_type="MissingAuthenticationTokenException",
    )


def unsigned() -> Failure:
    """Nothing was signed on a method with AWS_IAM."""
    return unknown_route()


def invalid_key() -> Failure:
    """The API key is missing, unknown, disabled, or in no usage plan of this stage."""
    return Failure(ResponseType.INVALID_API_KEY, 403, "Forbidden", error_type="ForbiddenException")


def invalid_signature(message: str, *, error_type: str = "InvalidSignatureException") -> Failure:
    """The signature is malformed, wrong, stale, or of an unknown key."""
    return Failure(ResponseType.INVALID_SIGNATURE, 403, message, error_type=error_type)


def throttled() -> Failure:
    """A token bucket is empty."""
    return Failure(ResponseType.THROTTLED, 429, "Too Many Requests", error_type="TooManyRequestsException")


def quota_exceeded() -> Failure:
    """The key's quota of this period is used up."""
    return Failure(ResponseType.QUOTA_EXCEEDED, 429, "Limit Exceeded", error_type="LimitExceededException")


def missing_parameters(names: list[str]) -> Failure:
    """Required parameters did not come, or came blank."""
    message = f"Missing required request parameters: [{', '.join(names)}]"
    return Failure(
        ResponseType.BAD_REQUEST_PARAMETERS, 400, message, error_type="BadRequestException", validation=message
    )


def invalid_body(validation: str) -> Failure:
    """The body does not fit its model; `validation` says where."""
    return Failure(
        ResponseType.BAD_REQUEST_BODY,
        400,
        "Invalid request body",
        error_type="BadRequestException",
        validation=validation,
    )


def body_too_large() -> Failure:
    """A body above 10 MB. AWS answers it in plain text unless REQUEST_TOO_LARGE is declared."""
    message = f"HTTP content length exceeded {MAX_BODY_BYTES} bytes."
    return Failure(
        ResponseType.REQUEST_TOO_LARGE, 413, message, error_type="RequestTooLargeException", plain_body=message
    )


def event_too_large() -> Failure:
    """Lambda refused the event, above 6 MB; seen on AWS: 413, this message, this error type."""
    return Failure(
        ResponseType.REQUEST_TOO_LARGE,
        413,
        "Request Too Long",
        error_type="BadRequestException",
        plain_body='{"message": "Request Too Long"}',
    )


def rejected(detail: str) -> Failure:
    """Lambda's API refused the invocation: no concurrency left, no such function."""
    return _internal(ResponseType.INTEGRATION_FAILURE, 500, detail)


def failed(detail: str) -> Failure:
    """The function ended in an error, or what it returned is no proxy response."""
    return _internal(ResponseType.DEFAULT_5XX, 502, detail)


def misconfigured(detail: str) -> Failure:
    """The API asks for what cannot be done (on AWS either, or by the twin alone: `detail` says which)."""
    return _internal(ResponseType.API_CONFIGURATION_ERROR, 500, detail)


def timed_out() -> Failure:
    """The integration did not answer within its timeout (29 s at most by default)."""
    return Failure(
        ResponseType.INTEGRATION_TIMEOUT,
        504,
        "Endpoint request timed out",
        error_type="InternalServerErrorException",
        plain_body='{"message": "Endpoint request timed out"}',
        detail="Execution failed due to a timeout error",
    )


def unsupported_media_type() -> Failure:
    """A body of another content type than the integration's templates, where passthrough is NEVER."""
    return Failure(ResponseType.UNSUPPORTED_MEDIA_TYPE, 415, "Unsupported Media Type", error_type="BadRequestException")


def _internal(type_: ResponseType, status: int, detail: str) -> Failure:
    return Failure(
        type_,
        status,
        "Internal server error",
        error_type="InternalServerErrorException",
        plain_body='{"message": "Internal server error"}',
        detail=detail,
    )
