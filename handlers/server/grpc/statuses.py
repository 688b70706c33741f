"""Errors to gRPC's statuses: the one place that knows them.

As over HTTP, the first class along an error's hierarchy that has a row decides; what is 503 there is UNAVAILABLE here.
Source: grpc/grpc, doc/statuscodes.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from grpc import StatusCode

from warmstart import errors
from warmstart.errors import WarmstartError

STATUS: Final[Mapping[type[WarmstartError], StatusCode]] = {
    errors.InvalidRequest: StatusCode.INVALID_ARGUMENT,
    errors.BodyTooLarge: StatusCode.RESOURCE_EXHAUSTED,
    errors.HeadTooLarge: StatusCode.RESOURCE_EXHAUSTED,
    errors.RequestTimeout: StatusCode.DEADLINE_EXCEEDED,
    errors.NotFound: StatusCode.NOT_FOUND,
    errors.RouteNotFound: StatusCode.UNIMPLEMENTED,
    errors.MethodNotAllowed: StatusCode.UNIMPLEMENTED,
    errors.Conflict: StatusCode.ABORTED,
    errors.IntegrityError: StatusCode.UNAVAILABLE,
    errors.ModelFailure: StatusCode.UNAVAILABLE,
    errors.InsufficientMemory: StatusCode.RESOURCE_EXHAUSTED,
    errors.InferenceFailed: StatusCode.INVALID_ARGUMENT,
    errors.UnrepresentableOutput: StatusCode.INVALID_ARGUMENT,
    errors.AnswerTooLarge: StatusCode.RESOURCE_EXHAUSTED,
    errors.StoreError: StatusCode.UNAVAILABLE,
    errors.Unavailable: StatusCode.UNAVAILABLE,
    errors.Overloaded: StatusCode.RESOURCE_EXHAUSTED,
    errors.WarmstartError: StatusCode.INTERNAL,
}


def status_of(error: WarmstartError) -> StatusCode:
    """Return the status of an error: the row of its first class that has one."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)
