"""How errors are answered: problem documents (RFC 9457)."""

import json
from collections.abc import Iterator
from typing import NoReturn

import pytest

from handlers.control.problems import STATUS, status_of
from model_store import keys
from model_store.memory import MemoryObjects
from model_store.objects import StoredObject
from tests.build.control_plane import JSON, ControlPlane, control_plane
from warmstart.errors import (
    AliasMoved,
    StoreDenied,
    StoreUnavailable,
    TensorError,
    VersionClaimed,
    WarmstartError,
)

LIVE = "/admin/models/iris/aliases/live"


class Broken(MemoryObjects):
    """A store in which every read fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def get(self, key: str) -> StoredObject:
        """Fail."""
        del key
        raise self._error

    def folders(self, prefix: str) -> NoReturn:
        """Fail."""
        del prefix
        raise self._error


def test_a_problem_has_type_title_status_detail_and_code(plane: ControlPlane) -> None:
    answer = plane.call("GET", "/admin/models/zinnia")

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json == {
        "type": "urn:warmstart:problem:model_not_found",
        "title": "Model not found",
        "status": 404,
        "detail": "model 'zinnia': nothing of this name has been published",
        "code": "model_not_found",
    }


def test_an_error_gets_the_status_of_the_nearest_class_in_its_hierarchy() -> None:
    assert status_of(AliasMoved("")) == 412
    assert status_of(VersionClaimed("")) == 409
    assert status_of(TensorError("", tensor="x")) == 400


def test_every_status_of_the_table_is_a_client_error_or_a_server_error() -> None:
    assert all(400 <= status < 600 for status in STATUS.values())


def test_a_method_that_the_path_does_not_have_is_answered_with_those_it_has(plane: ControlPlane) -> None:
    answer = plane.call("DELETE", LIVE)

    assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, PUT"


@pytest.mark.parametrize(
    ("body", "status", "code", "detail"),
    [
        ("{", 400, "malformed_body", "expected JSON; Expecting property name enclosed in double quotes at character 1"),
        ("[" * 9000, 400, "malformed_body", "expected JSON"),
        ("", 422, "invalid_request", "#: Field required"),
        ("{}", 422, "invalid_request", "#/version: Field required"),
        ("[]", 422, "invalid_request", "#: Input should be a valid dictionary"),
        ('{"version": "2"}', 422, "invalid_request", "#/version: Input should be a valid integer"),
        ('{"version": true}', 422, "invalid_request", "#/version: Input should be a valid integer"),
        ('{"version": NaN}', 422, "invalid_request", "#/version: Input should be a valid integer"),
        ('{"version": 0}', 422, "invalid_request", "#/version: Input should be greater than or equal to 1"),
        ('{"version": 2, "a/b": 1}', 422, "invalid_request", "#/a~1b: Extra inputs are not permitted"),
    ],
)
def test_a_body_that_is_not_a_move_is_refused_saying_where(
    plane: ControlPlane, body: str, status: int, code: str, detail: str
) -> None:
    answer = plane.call("PUT", LIVE, body=body, headers=JSON | {"If-None-Match": "*"})

    assert (answer.status, answer.json["code"]) == (status, code)
    assert detail in answer.json["detail"]


def test_each_refused_value_is_listed_by_its_pointer(plane: ControlPlane) -> None:
    body = json.dumps({"version": "2", "reason": 3})

    answer = plane.call("PUT", LIVE, body=body, headers=JSON | {"If-None-Match": "*"})

    assert answer.json["errors"] == [
        {"pointer": "#/version", "detail": "Input should be a valid integer"},
        {"pointer": "#/reason", "detail": "Input should be a valid string"},
    ]


def test_a_body_of_another_media_type_is_refused(plane: ControlPlane) -> None:
    answer = plane.call("PUT", LIVE, body="version=2", headers={"Content-Type": "text/plain", "If-None-Match": "*"})

    assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")


def test_a_body_above_16_kib_is_refused(plane: ControlPlane) -> None:
    answer = plane.call("PUT", LIVE, body=" " * 16_385, headers=JSON | {"If-None-Match": "*"})

    assert (answer.status, answer.json["code"]) == (413, "body_too_large")


@pytest.fixture
def unreachable() -> Iterator[ControlPlane]:
    """Give a control plane whose store cannot be reached."""
    with control_plane(Broken(StoreUnavailable("s3: connection refused")), published=False) as built:
        yield built


def test_an_unreachable_store_is_503_with_retry_after_and_is_logged(unreachable: ControlPlane) -> None:
    answer = unreachable.call("GET", "/admin/models")

    assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "store_unavailable", "1")
    assert [str(error) for error in unreachable.heard.failures] == ["s3: connection refused"]


def test_a_store_that_denies_is_503_without_retry_after() -> None:
    with control_plane(Broken(StoreDenied("s3: AccessDenied")), published=False) as plane:
        answer = plane.call("GET", "/admin/models")

    assert (answer.status, answer.json["code"]) == (503, "store_denied")
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("body", [b"not json", b"{}", b'{"version": "x"}', b"[]", b"\xff"])
def test_a_damaged_alias_is_503_and_says_which_key(plane: ControlPlane, body: bytes) -> None:
    plane.objects.put(keys.alias("iris", "live"), body)

    answer = plane.call("GET", LIVE)

    assert (answer.status, answer.json["code"]) == (503, "integrity")
    assert "models/iris/aliases/live.json" in answer.json["detail"]


def test_a_damaged_manifest_is_503(plane: ControlPlane) -> None:
    plane.objects.put(keys.manifest("iris", 2), b"{}")

    assert plane.call("GET", "/admin/models/iris/versions/2").json["code"] == "invalid_manifest"


@pytest.mark.parametrize("error", [RuntimeError("secret"), WarmstartError("secret")])
def test_an_unforeseen_error_is_500_without_its_detail_and_is_logged_with_it(error: Exception) -> None:
    with control_plane(Broken(error), published=False) as plane:
        answer = plane.call("GET", "/admin/models")

    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert "secret" not in answer.body
    assert plane.heard.failures == [error]
