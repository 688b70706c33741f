"""Errors to statuses, and answers to API Gateway's response."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from handlers.inference.answers import STATUS, Answer, headers_of, refuse, status_of
from warmstart import errors
from warmstart.errors import StoreUnavailable, WarmstartError
from warmstart.protocols import oip, plain
from warmstart.refs import ModelRef

DELIBERATE = {
    "InvalidRequest": 400, "InvalidReference": 400, "MalformedBody": 400, "TensorError": 400, "MissingTensor": 400,
    "UnknownTensor": 400, "WrongDatatype": 400, "WrongShape": 400, "InvalidValue": 400, "UnsupportedMediaType": 415,
    "NotAcceptable": 406,
    "BodyTooLarge": 413, "NotFound": 404, "RouteNotFound": 404, "MethodNotAllowed": 405, "ModelNotFound": 404,
    "VersionNotFound": 404, "AliasNotFound": 404, "ObjectNotFound": 404, "Conflict": 409, "AliasMoved": 409,
    "VersionClaimed": 409, "PreconditionFailed": 409, "IntegrityError": 503, "ArtifactMismatch": 503,
    "InvalidManifest": 503, "ModelNotLoadable": 503, "InferenceFailed": 422, "UnrepresentableOutput": 422,
    "AnswerTooLarge": 413, "InsufficientMemory": 503, "StoreUnavailable": 503, "StoreDenied": 503,
    "ModelFailure": 503, "StoreError": 503, "MissingPrecondition": 400,
    "SignatureRefused": 503, "Unsigned": 503, "SignatureInvalid": 503, "StoreFull": 503,
    "HeadTooLarge": 431, "RequestTimeout": 408, "Unavailable": 503, "Overloaded": 503, "NotReady": 503,
}  # fmt: skip
"""What callers see of each error; all others are ours and answered 500."""


def tree(cls: type[WarmstartError]) -> Iterator[type[WarmstartError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from tree(below)


def bare(cls: type[WarmstartError]) -> WarmstartError:
    error = cls.__new__(cls)
    WarmstartError.__init__(error, "message")
    return error


@pytest.mark.parametrize("cls", [cls for cls in tree(WarmstartError) if cls.__module__ == errors.__name__])
def test_every_error_reaches_a_deliberate_row(cls: type[WarmstartError]) -> None:
    assert status_of(bare(cls)) == DELIBERATE.get(cls.__name__, 500)


def test_no_row_is_for_nothing() -> None:
    assert {cls.__name__ for cls in STATUS} - {"WarmstartError"} <= set(DELIBERATE)


def test_what_is_our_fault_leaks_no_detail() -> None:
    answer = refuse(WarmstartError("password=hunter2"), plain.render_error)
    assert (answer.status, b"hunter2" in answer.body, orjson.loads(answer.body)["error"]["code"]) == (
        500,
        False,
        "internal",
    )
    assert b"hunter2" not in refuse(errors.BuildError("hunter2"), oip.render_error).body


def test_a_store_that_may_come_back_says_when_to_try_again() -> None:
    assert refuse(StoreUnavailable("down"), oip.render_error).headers == (("retry-after", "1"),)


def test_an_answer_says_what_it_is_under_which_id_it_is_logged_and_which_version_gave_it() -> None:
    answer = Answer(200, b"1", "text/csv", (("allow", "GET"),), ModelRef("iris", 3, None))
    assert headers_of(answer, "request-1") == {
        "content-type": "text/csv",
        "x-request-id": "request-1",
        "x-model-version": "3",
        "allow": "GET",
    }


def test_a_message_that_is_no_unicode_is_answered_all_the_same() -> None:
    found = refuse(errors.InvalidRequest("path: got \ud800"), oip.render_error)

    assert (found.status, found.body) == (400, b'{"error":"path: got ?"}')
