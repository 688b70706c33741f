"""API Gateway's REST proxy event, as it comes and as it should not."""

from __future__ import annotations

import base64

import pytest

from handlers.inference.answers import Answer
from handlers.inference.events import ANSWER_LIMIT, check_size, parse_event, to_gateway
from tests.build.inference import event
from warmstart.errors import AnswerTooLarge, BodyTooLarge, InvalidRequest, MalformedBody
from warmstart.refs import ModelRef


def test_an_event_is_read() -> None:
    request = parse_event(event("POST", "/v2/models/iris/infer", '{"ü":1}'))
    assert request[:2] == ("POST", "/v2/models/iris/infer")
    assert (request.content_type, request.body, request.query) == ("application/json", '{"ü":1}'.encode(), {})


def test_parameters_behind_the_path_are_read() -> None:
    assert parse_event(event("GET", "/v2", queryStringParameters={"a": "1"})).query == {"a": "1"}
    with pytest.raises(InvalidRequest):
        parse_event(event("GET", "/v2", queryStringParameters=[1]))


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


@pytest.mark.parametrize("base", ["", "/ml", "/v2", "/ml/prod"])
@pytest.mark.parametrize("path", ["/v2/models/iris/infer", "/v2/health/live", "/v2/v2"])
def test_a_path_comes_with_or_without_a_base_path_below_a_resource_that_takes_all(base: str, path: str) -> None:
    matched = {"resource": "/v2/{proxy+}", "pathParameters": {"proxy": path.removeprefix("/v2/")}}
    assert parse_event(event("GET", base + path, **matched)).path == path


@pytest.mark.parametrize("resource", [None, "", 3, "/{proxy+}"])
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


def test_what_is_no_text_goes_through_in_base64_both_ways() -> None:
    assert parse_event(event("POST", "/v2", "/wA=", isBase64Encoded=True)).body == b"\xff\x00"
    sent = to_gateway(Answer(200, b"\xff\x00", "application/octet-stream", (("a", "1"),)), "request-1")
    assert (sent["body"], sent["isBase64Encoded"], sent["headers"]["a"]) == ("/wA=", True, "1")


def test_text_is_answered_as_it_is() -> None:
    answer = Answer(200, b'{"a":1}', model=ModelRef("iris", 3, None))
    assert to_gateway(answer, "request-1") == {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "x-request-id": "request-1", "x-model-version": "3"},
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }


def test_text_under_a_content_coding_is_no_text() -> None:
    assert to_gateway(Answer(200, b"\x1f\x8b", headers=(("content-encoding", "gzip"),)), "r")["body"] == "H4s="


def test_an_answer_that_lambda_cannot_send_is_refused_its_escapes_and_its_base64_counted() -> None:
    check_size(b"1" * (ANSWER_LIMIT - 2000), "application/json")
    with pytest.raises(AnswerTooLarge):
        check_size(b"1" * ANSWER_LIMIT, "application/json")
    with pytest.raises(AnswerTooLarge, match="got 7000002"):
        check_size(b'"' * 3_500_000, "application/json")
    check_size(bytes(4_500_000), "application/octet-stream")
    with pytest.raises(AnswerTooLarge, match="got 6400000"):
        check_size(bytes(4_800_000), "application/octet-stream")
