"""What each route answers, asked as API Gateway asks."""

import json

import pytest

from tests.build.control_plane import CALLER, JSON, ControlPlane, control_plane

LIVE = "/admin/models/iris/aliases/live"


def test_all_models_are_listed(plane: ControlPlane) -> None:
    assert plane.call("GET", "/admin/models").json == {"models": [{"name": "iris"}]}


def test_a_model_is_shown_with_its_versions_and_aliases(plane: ControlPlane) -> None:
    shown = plane.call("GET", "/admin/models/iris").json

    assert shown["versions"] == [1, 2, 3]
    assert [(alias["alias"], alias["version"]) for alias in shown["aliases"]] == [("live", 1)]


def test_a_manifest_is_shown_as_the_store_has_it_with_fields_that_this_release_does_not_know(
    plane: ControlPlane,
) -> None:
    shown = plane.call("GET", "/admin/models/iris/versions/2")

    assert shown.status == 200
    assert shown.headers["content-type"] == "application/json"
    assert shown.json == {
        "schema_version": "1.0",
        "name": "iris",
        "version": 2,
        "created_at": "2026-01-31T11:58:00.000Z",
        "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 4]}],
        "outputs": [{"name": "label", "datatype": "INT64", "shape": [-1]}],
        "labels": ["setosa", "versicolor", "virginica"],
        "files": [{"path": "model.onnx", "size_bytes": 1024, "sha256": "ab" * 32}],
        "run": {"optimise": True, "extensions": False, "preprocess": False},
        "variants": [],
        "documents": [],
        "preprocessing": {},
        "provenance": {"framework": "scikit-learn 1.8.0"},
        "drift_baseline": "baseline.json",
    }


def test_an_alias_is_shown_with_its_entity_tag_in_the_header_and_in_the_body(plane: ControlPlane) -> None:
    shown = plane.call("GET", LIVE)

    assert shown.headers["etag"] == shown.json["etag"]
    assert {key: value for key, value in shown.json.items() if key != "etag"} == {
        "model": "iris",
        "alias": "live",
        "version": 1,
        "previous_version": None,
        "changed_at": "2026-01-31T12:00:00.000Z",
        "changed_by": "publisher",
        "reason": "",
    }


def test_an_alias_moves_when_the_caller_names_the_entity_tag_that_it_has(plane: ControlPlane) -> None:
    seen = plane.call("GET", LIVE).headers["etag"]

    moved = plane.put_alias("live", 2, if_match=seen)

    assert moved.status == 200
    assert (moved.json["version"], moved.json["previous_version"]) == (2, 1)
    assert plane.call("GET", LIVE).json == moved.json
    assert plane.call("GET", LIVE).headers["etag"] == moved.headers["etag"] != seen


def test_of_two_movers_who_saw_the_same_alias_the_second_loses_and_changes_nothing(plane: ControlPlane) -> None:
    seen = plane.call("GET", LIVE).headers["etag"]
    plane.put_alias("live", 2, if_match=seen)

    lost = plane.put_alias("live", 3, if_match=seen)

    assert (lost.status, lost.json["code"]) == (412, "alias_moved")
    assert plane.call("GET", LIVE).json["version"] == 2


def test_a_weak_entity_tag_never_matches(plane: ControlPlane) -> None:
    seen = plane.call("GET", LIVE).headers["etag"]

    assert plane.put_alias("live", 2, if_match=f"W/{seen}").status == 412


def test_an_alias_is_created_when_the_caller_expects_none(plane: ControlPlane) -> None:
    created = plane.put_alias("canary", 3, if_none_match="*")

    assert created.status == 201
    assert plane.call("GET", "/admin/models/iris/aliases/canary").json["version"] == 3


def test_an_alias_that_exists_is_not_created_again(plane: ControlPlane) -> None:
    refused = plane.put_alias("live", 3, if_none_match="*")

    assert (refused.status, refused.json["code"]) == (412, "alias_moved")
    assert plane.call("GET", LIVE).json["version"] == 1


def test_an_alias_that_does_not_exist_is_not_moved(plane: ControlPlane) -> None:
    assert plane.put_alias("canary", 3, if_match='"9b2cf535f27731c974343645a3985328"').status == 412
    assert plane.call("GET", "/admin/models/iris/aliases/canary").status == 404


def test_a_change_that_does_not_say_what_it_expects_is_refused(plane: ControlPlane) -> None:
    refused = plane.put_alias("live", 2)

    assert (refused.status, refused.json["code"]) == (428, "missing_precondition")
    assert plane.call("GET", LIVE).json["version"] == 1


def test_an_alias_moves_to_no_version_that_was_not_published(plane: ControlPlane) -> None:
    seen = plane.call("GET", LIVE).headers["etag"]

    refused = plane.put_alias("live", 9, if_match=seen)

    assert (refused.status, refused.json["code"]) == (404, "version_not_found")
    assert plane.call("GET", LIVE).headers["etag"] == seen


def test_the_history_says_who_moved_what_and_why_as_the_gateway_authenticated_them(plane: ControlPlane) -> None:
    plane.call(
        "PUT",
        LIVE,
        body=json.dumps({"version": 2, "reason": "better on March"}),
        headers=JSON | {"If-Match": plane.call("GET", LIVE).headers["etag"]},
    )

    assert plane.call("GET", "/admin/models/iris/history").json["history"][-1] == {
        "id": "20260131T120000.000000Z-0002",
        "alias": "live",
        "version": 2,
        "previous_version": 1,
        "changed_at": "2026-01-31T12:00:00.000Z",
        "changed_by": CALLER,
        "reason": "better on March",
    }


def test_a_mover_whom_the_gateway_does_not_name_is_recorded_as_unknown(plane: ControlPlane) -> None:
    plane.call(
        "PUT",
        "/admin/models/iris/aliases/canary",
        body='{"version": 2}',
        headers=JSON | {"If-None-Match": "*"},
        caller=None,
    )

    assert plane.call("GET", "/admin/models/iris/aliases/canary").json["changed_by"] == "unknown"


def test_a_move_is_told_to_the_operators_once(plane: ControlPlane) -> None:
    moved = plane.put_alias("live", 2, if_match=plane.call("GET", LIVE).headers["etag"])
    plane.put_alias("live", 2, if_match=moved.headers["etag"])

    assert plane.heard.moves == [f"iris@live -> 2 by {CALLER}"]


@pytest.mark.parametrize("rest", ["", "/versions/1", "/aliases", "/aliases/live", "/history"])
def test_a_model_that_was_never_published_is_not_found(plane: ControlPlane, rest: str) -> None:
    answer = plane.call("GET", f"/admin/models/zinnia{rest}")

    assert (answer.status, answer.json["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/admin/models/iris/versions/9", "version_not_found"),
        ("/admin/models/iris/aliases/canary", "alias_not_found"),
        ("/admin/nothing", "route_not_found"),
        ("/admin", "route_not_found"),
        ("/admin/models/", "route_not_found"),
    ],
)
def test_what_does_not_exist_is_not_found_and_named(plane: ControlPlane, path: str, code: str) -> None:
    answer = plane.call("GET", path)

    assert (answer.status, answer.json["code"]) == (404, code)


@pytest.mark.parametrize(
    "path",
    [
        "/admin/models/Iris",
        "/admin/models/..",
        "/admin/models/iris/versions/0",
        "/admin/models/iris/versions/1_0",
        "/admin/models/iris/versions/%EF%BC%93",
        "/admin/models/iris/aliases/1",
        "/admin/models/i%00ris/history",
    ],
)
def test_a_name_that_is_not_well_formed_is_refused_before_it_becomes_a_key(plane: ControlPlane, path: str) -> None:
    answer = plane.call("GET", path)

    assert (answer.status, answer.json["code"]) == (400, "invalid_reference")


def test_an_empty_store_has_no_models() -> None:
    with control_plane(published=False) as plane:
        assert plane.call("GET", "/admin/models").json == {"models": []}
