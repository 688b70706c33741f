"""Errors to gRPC's statuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handlers.server.grpc.statuses import STATUS, status_of
from warmstart import errors
from warmstart.errors import WarmstartError

DELIBERATE = {
    "InvalidRequest": "INVALID_ARGUMENT", "InvalidReference": "INVALID_ARGUMENT", "MalformedBody": "INVALID_ARGUMENT",
    "TensorError": "INVALID_ARGUMENT", "MissingTensor": "INVALID_ARGUMENT", "UnknownTensor": "INVALID_ARGUMENT",
    "WrongDatatype": "INVALID_ARGUMENT", "WrongShape": "INVALID_ARGUMENT", "InvalidValue": "INVALID_ARGUMENT",
    "UnsupportedMediaType": "INVALID_ARGUMENT", "NotAcceptable": "INVALID_ARGUMENT",
    "MissingPrecondition": "INVALID_ARGUMENT", "BodyTooLarge": "RESOURCE_EXHAUSTED",
    "NotFound": "NOT_FOUND", "RouteNotFound": "UNIMPLEMENTED", "MethodNotAllowed": "UNIMPLEMENTED",
    "ModelNotFound": "NOT_FOUND", "VersionNotFound": "NOT_FOUND", "AliasNotFound": "NOT_FOUND",
    "ObjectNotFound": "NOT_FOUND", "Conflict": "ABORTED", "AliasMoved": "ABORTED", "VersionClaimed": "ABORTED",
    "PreconditionFailed": "ABORTED", "IntegrityError": "UNAVAILABLE", "ArtifactMismatch": "UNAVAILABLE",
    "InvalidManifest": "UNAVAILABLE", "SignatureRefused": "UNAVAILABLE", "Unsigned": "UNAVAILABLE",
    "SignatureInvalid": "UNAVAILABLE", "ModelFailure": "UNAVAILABLE", "ModelNotLoadable": "UNAVAILABLE",
    "InferenceFailed": "INVALID_ARGUMENT", "UnrepresentableOutput": "INVALID_ARGUMENT",
    "AnswerTooLarge": "RESOURCE_EXHAUSTED", "InsufficientMemory": "RESOURCE_EXHAUSTED",
    "StoreError": "UNAVAILABLE", "StoreUnavailable": "UNAVAILABLE", "StoreDenied": "UNAVAILABLE",
    "StoreFull": "UNAVAILABLE", "Unavailable": "UNAVAILABLE", "NotReady": "UNAVAILABLE",
    "Overloaded": "RESOURCE_EXHAUSTED", "HeadTooLarge": "RESOURCE_EXHAUSTED", "RequestTimeout": "DEADLINE_EXCEEDED",
}  # fmt: skip
"""What callers see of each error; all others are ours and INTERNAL."""


def tree(cls: type[WarmstartError]) -> Iterator[type[WarmstartError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from tree(below)


@pytest.mark.parametrize("cls", [cls for cls in tree(WarmstartError) if cls.__module__ == errors.__name__])
def test_every_error_reaches_a_deliberate_row(cls: type[WarmstartError]) -> None:
    assert status_of(cls.__new__(cls)).name == DELIBERATE.get(cls.__name__, "INTERNAL")


def test_no_row_is_for_nothing() -> None:
    assert {cls.__name__ for cls in STATUS} - {"WarmstartError"} <= set(DELIBERATE)
