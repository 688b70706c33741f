"""API Gateway's REST proxy event, as it comes and as it should not."""

from __future__ import annotations

import base64

import pytest

from handlers.inference.events import check_json, parse_event
from tests.build.inference import event
from warmstart.errors import BodyTooLarge, InvalidRequest, MalformedBody, UnsupportedMediaType


def test_an_event_is_read() -> None:
    request = parse_event(event("POST", "/v2/models/iris/infer", '{"ü":1}'))
    assert request == ("POST", "/v2/models/iris/infer", "application/json", '{"ü":1}'.encode())


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/v2", "/v2"), ("/v2/", "/v2"), ("/predict/iris", "/predict/iris"), ("/elsewhere/v2", "/elsewhere/v2")],
)
def test_a_path_has_no_slash_at_its_end(path: str, expected: str) -> None:
    assert parse_event(event("GET", path)).path == expected


@pytest.mark.parametrize("base", ["", "/ml", "/v2", "/predict", "/ml/prod"])
@pytest.mark.parametrize(
    ("resource", "path"),
    [("/v2", "/v2"), ("/predict/{model}", "/predict/iris%40canary"), ("/v2/models/{model}", "/v2/models/infer")],
)
def test_a_path_comes_with_or_without_the_base_path_of_a_domain(base: str, resource: str, path: str) -> None:
    assert parse_event(event("GET", base + path, resource=resource)).path == path
    assert parse_event(event("GET", f"{base}{path}/", resource=resource)).path == path


@pytest.mark.parametrize("resource", [None, "", 3, "/{proxy+}", "/a/{rest+}"])
def test_a_path_without_its_route_is_taken_as_it_is(resource: object) -> None:
    assert parse_event(event("GET", "/v2/models/iris", resource=resource)).path == "/v2/models/iris"


def test_a_body_may_be_base64() -> None:
    body = base64.b64encode(b'{"a":1}').decode()
    assert parse_event(event("POST", "/v2", body, isBase64Encoded=True)).body == b'{"a":1}'
    with pytest.raises(MalformedBody):
        parse_event(event("POST", "/v2", "a", isBase64Encoded=True))


def test_a_body_above_lambdas_limit_is_refused_and_one_at_it_is_not() -> None:
    assert len(parse_event(event("POST", "/v2", "1" * 6_291_456)).body) == 6_291_456
    with pytest.raises(BodyTooLarge):
        parse_event(event("POST", "/v2", "1" * 6_291_457))


@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_a_content_type_is_found_however_it_is_written(name: str) -> None:
    assert parse_event(event("POST", "/v2", "1", headers={"Host": "h", name: "text/csv"})).content_type == "text/csv"


@pytest.mark.parametrize("headers", [None, {}, {"Host": "h"}])
def test_a_content_type_may_be_absent(headers: object) -> None:
    assert parse_event(event("POST", "/v2", "1", headers=headers)).content_type == ""


@pytest.mark.parametrize("broken", [{}, {"httpMethod": "GET"}, {"path": "/v2"}, {"httpMethod": 1, "path": 2}])
def test_an_event_of_another_source_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match="expected API Gateway's REST proxy event"):
        parse_event(broken)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/x-www-form-urlencoded",  # what `curl -d` says by itself
    ],
)
def test_json_is_what_says_so_or_says_nothing(content_type: str) -> None:
    check_json(content_type)


@pytest.mark.parametrize("content_type", ["text/csv", "application/octet-stream", "application/json; charset=utf-16"])
def test_another_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="content-type: expected"):
        check_json(content_type)
