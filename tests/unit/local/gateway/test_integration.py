"""What becomes of a function's answer, or of its failing to give one."""

import threading
from typing import Any

import pytest

from local.gateway.api import GatewayResponse, LambdaProxy, Mock, MockResponse, Unsupported
from local.types import FunctionNotFound, HttpResponse, Invocation, PayloadTooLarge, Throttled
from tests.build.gateway import FUNCTION, FakeLambda, api, gateway, header, proxy, request, route

INTERNAL = b'{"message": "Internal server error"}'


def answer(result: Any, headers: tuple[tuple[str, str], ...] = (), **settings: Any) -> HttpResponse:
    return gateway(api(**settings), FakeLambda(result)).handle(request("GET", "/prod/a", headers))


def own_headers(response: HttpResponse) -> list[tuple[str, str]]:
    return [
        pair
        for pair in response.headers
        if not pair[0].lower().startswith(("x-amzn-requestid", "x-amz-", "x-amzn-trace"))
    ]


def test_status_headers_and_body_are_the_function_s() -> None:
    result = {"statusCode": 201, "headers": {"Content-Type": "text/plain", "x-model-version": "3"}, "body": "done"}
    response = answer(result)
    assert (response.status, response.body) == (201, b"done")
    assert own_headers(response) == [("Content-Type", "text/plain"), ("x-model-version", "3")]


def test_an_answer_carries_the_gateway_s_ids() -> None:
    response = answer({"statusCode": 200})
    assert header(response, "x-amzn-requestid") == "00000000-0000-4000-8000-000000000001"
    assert header(response, "x-amz-apigw-id") == "EeWU9IGVjBDjAV0="
    assert header(response, "x-amzn-trace-id") == (
        "Root=1-697deec0-000000000000400080000000;Parent=8000000000000002;Sampled=0"
    )


def test_a_status_may_be_digits_and_is_200_if_none_came() -> None:
    assert answer({"statusCode": "404"}).status == 404
    assert answer({"headers": {"a": "b"}}).status == 200


def test_without_a_content_type_the_answer_is_json() -> None:
    assert own_headers(answer({"statusCode": 200, "headers": None})) == [("Content-Type", "application/json")]


def test_header_values_may_be_truths_and_numbers() -> None:
    headers = {"Content-Type": "a/b", "x-true": True, "x-number": 7}
    assert own_headers(answer({"statusCode": 200, "headers": headers}))[1:] == [("x-true", "true"), ("x-number", "7")]


def test_many_values_of_a_header_become_many_headers() -> None:
    result = {"statusCode": 200, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "Content-Type": ["a/b"]}}
    assert own_headers(answer(result)) == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Type", "a/b")]


def test_both_kinds_of_headers_are_merged_in_the_case_of_the_multiple_ones() -> None:
    result = {"statusCode": 200, "multiValueHeaders": {"tesT-Multi": ["multi"]}, "headers": {"test-multi": "solo"}}
    assert own_headers(answer(result))[:2] == [("tesT-Multi", "multi"), ("tesT-Multi", "solo")]


def test_a_pair_in_both_kinds_of_headers_comes_once() -> None:
    result = {"statusCode": 200, "multiValueHeaders": {"a": ["1", "2"]}, "headers": {"a": "1"}}
    assert own_headers(answer(result))[:2] == [("a", "1"), ("a", "2")]


@pytest.mark.parametrize("name", ["Connection", "Content-Length", "Date", "Server", "WWW-Authenticate"])
def test_headers_that_are_the_gateway_s_own_are_remapped(name: str) -> None:
    response = answer({"statusCode": 200, "headers": {name: "v"}})
    assert header(response, f"x-amzn-Remapped-{name}") == "v"
    assert header(response, name) is None


def test_transfer_encoding_is_dropped() -> None:
    headers = {"Transfer-Encoding": "chunked"}
    assert own_headers(answer({"statusCode": 200, "headers": headers})) == [("Content-Type", "application/json")]


@pytest.mark.parametrize(
    "result",
    [
        None,
        "text",
        [],
        b"not json",
        b"",
        {"statusCode": 200, "wrongValue": 1},
        {"statusCode": "abc"},
        {"statusCode": 99},
        {"statusCode": True},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": {"b": 1}}},
        {"statusCode": 200, "headers": {"a": "x\r\nEvil: 1"}},
        {"statusCode": 200, "headers": {"a b": "x"}},
        {"statusCode": 200, "multiValueHeaders": {"a": "not a list"}},
        {"statusCode": 200, "multiValueHeaders": {"a": [None]}},
    ],
)
def test_a_malformed_proxy_response_is_a_502(result: Any) -> None:
    response = answer(result)
    assert (response.status, response.body) == (502, INTERNAL)
    assert header(response, "x-amzn-errortype") == "InternalServerErrorException"


def test_base64_stays_text_without_binary_media_types() -> None:
    assert answer({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}).body == b"AP8="


def test_base64_becomes_bytes_if_the_caller_accepts_a_binary_media_type() -> None:
    result = {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}
    response = answer(result, (("Accept", "image/png, */*"),), binary_media_types=("image/png",))
    assert response.body == b"\x00\xff"


def test_only_the_first_accepted_type_decides_on_binary() -> None:
    result = {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}
    assert answer(result, (("Accept", "*/*, image/png"),), binary_media_types=("image/png",)).body == b"AP8="


def test_all_answers_may_be_binary() -> None:
    result = {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}
    assert answer(result, binary_media_types=("*/*",)).body == b"\x00\xff"


def test_a_text_answer_stays_text_beside_binary_media_types() -> None:
    assert answer({"statusCode": 200, "body": "AP8="}, binary_media_types=("*/*",)).body == b"AP8="


def test_bad_base64_is_a_configuration_error() -> None:
    result = {"statusCode": 200, "body": "!", "isBase64Encoded": True}
    response = answer(result, binary_media_types=("*/*",))
    assert (response.status, response.body) == (500, INTERNAL)


def failing(invoke: Any, **settings: Any) -> HttpResponse:
    return gateway(api(**settings), invoke).handle(request("GET", "/prod/a"))


def test_a_function_s_error_is_a_502_and_leaks_nothing() -> None:
    response = failing(FakeLambda({"errorMessage": "secret", "errorType": "E"}, function_error="Unhandled"))
    assert (response.status, response.body) == (502, INTERNAL)


@pytest.mark.parametrize("rejection", [Throttled(), FunctionNotFound()])
def test_an_invocation_that_lambda_rejects_is_a_500(rejection: Exception) -> None:
    response = failing(FakeLambda(raises=rejection))
    assert (response.status, response.body) == (500, INTERNAL)


def test_an_event_above_6_mb_is_a_413() -> None:
    response = failing(FakeLambda(raises=PayloadTooLarge()))
    assert (response.status, response.body) == (413, b'{"message": "Request Too Long"}')
    assert header(response, "x-amzn-errortype") == "BadRequestException"


def test_an_event_above_6_mb_has_the_declared_shape() -> None:
    shape = GatewayResponse(templates={"application/json": '{"error": $context.error.messageString}'})
    response = failing(FakeLambda(raises=PayloadTooLarge()), gateway_responses={"DEFAULT_4XX": shape})
    assert (response.status, response.body) == (413, b'{"error": "Request Too Long"}')


def test_server_errors_have_the_declared_shape_and_their_own_status() -> None:
    shape = GatewayResponse(templates={"application/json": '{"error": $context.error.messageString}'})
    response = failing(FakeLambda(None), gateway_responses={"DEFAULT_5XX": shape})
    assert (response.status, response.body) == (502, b'{"error": "Internal server error"}')


def test_an_error_has_no_trace_header() -> None:
    assert header(failing(FakeLambda(None)), "x-amzn-trace-id") is None


def test_a_fault_of_the_twin_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    response = failing(FakeLambda(raises=RuntimeError("broken")))
    assert (response.status, response.body) == (500, INTERNAL)
    assert "broken" in caplog.text


def test_an_integration_that_takes_too_long_is_a_504_and_the_function_runs_on() -> None:
    let_go, ended = threading.Event(), threading.Event()

    def slow(function: str, payload: bytes, *, qualifier: str | None = None) -> Invocation:
        let_go.wait(10)
        ended.set()
        return FakeLambda()(function, payload, qualifier=qualifier)

    method = proxy(integration=LambdaProxy(function_arn=FUNCTION, timeout_ms=50))
    response = gateway(api(route("/a", method)), slow).handle(request("GET", "/prod/a"))
    assert (response.status, response.body) == (504, b'{"message": "Endpoint request timed out"}')
    let_go.set()
    assert ended.wait(10)


def test_the_timeout_is_29_s_unless_declared() -> None:
    assert LambdaProxy(function_arn=FUNCTION).timeout_ms == 29_000


def test_an_integration_that_the_twin_does_not_run_is_a_500() -> None:
    method = proxy("GET", integration=Unsupported(type="HTTP_PROXY"))
    assert gateway(api(route("/a", method))).handle(request("GET", "/prod/a")).status == 500


PREFLIGHT = Mock(
    request_templates={"application/json": "{ statusCode: 204 }"},
    responses=(MockResponse(status=204, headers={"Access-Control-Allow-Origin": "*"}),),
)


def mocked(mock: Mock, headers: tuple[tuple[str, str], ...] = ()) -> HttpResponse:
    return gateway(api(route("/a", proxy("OPTIONS", integration=mock)))).handle(request("OPTIONS", "/prod/a", headers))


def test_a_preflight_is_answered_without_a_function() -> None:
    response = mocked(PREFLIGHT)
    assert (response.status, response.body) == (204, b"")
    assert own_headers(response) == [("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*")]
    assert header(response, "x-amzn-trace-id") is None


def test_a_mock_chooses_its_response_by_the_status_that_the_template_says() -> None:
    mock = Mock(
        request_templates={"application/json": '{"statusCode": 404}'},
        responses=(
            MockResponse(status=200),
            MockResponse(
                status=410, selection_pattern="4\\d{2}", templates={"application/json": '{"id": "$context.requestId"}'}
            ),
        ),
    )
    response = mocked(mock)
    assert (response.status, response.body) == (410, b'{"id": "00000000-0000-4000-8000-000000000001"}')


def test_a_mock_without_a_template_for_the_content_type_is_a_500() -> None:
    assert mocked(PREFLIGHT, (("Content-Type", "text/csv"),)).status == 500


def test_a_mock_that_never_passes_through_refuses_other_content_types() -> None:
    strict = Mock(request_templates=PREFLIGHT.request_templates, responses=PREFLIGHT.responses, passthrough="NEVER")
    response = mocked(strict, (("Content-Type", "text/csv"),))
    assert (response.status, response.body) == (415, b'{"message":"Unsupported Media Type"}')


def test_vtl_in_a_mock_is_refused_not_guessed() -> None:
    vtl = Mock(
        request_templates={"application/json": "#set($a = 1) {statusCode: 200}"}, responses=(MockResponse(status=200),)
    )
    assert mocked(vtl).status == 500
