"""How the gateway's own errors look: as AWS's by default, as declared otherwise."""

from typing import Any

from local.gateway.api import GatewayResponse
from local.gateway.limits import MAX_BODY_BYTES
from local.types import HttpResponse
from tests.build.gateway import FakeLambda, api, gateway, header, request, route

ERROR = '{"error": $context.error.messageString}'


def unknown(headers: tuple[tuple[str, str], ...] = (), **settings: Any) -> HttpResponse:
    return gateway(api(route("/a"), **settings)).handle(request("GET", "/prod/b", headers))


def shaped(**settings: Any) -> dict[str, GatewayResponse]:
    return {"DEFAULT_4XX": GatewayResponse(**({"templates": {"application/json": ERROR}} | settings))}


def test_an_unknown_route_is_a_missing_authentication_token() -> None:
    assert unknown() == HttpResponse(
        status=403,
        headers=(
            ("Content-Type", "application/json"),
            ("x-amzn-ErrorType", "MissingAuthenticationTokenException"),
            ("x-amzn-RequestId", "00000000-0000-4000-8000-000000000001"),
            ("x-amz-apigw-id", "EeWU9IGVjBDjAV0="),
        ),
        body=b'{"message":"Missing Authentication Token"}',
    )


def test_an_unknown_stage_is_forbidden() -> None:
    response = gateway(api()).handle(request("GET", "/dev/a"))
    assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')
    assert header(response, "x-amzn-errortype") == "ForbiddenException"


def test_a_withdrawn_stage_is_forbidden() -> None:
    front = gateway(api())
    front.withdraw("prod")
    assert front.handle(request("GET", "/prod/a")).status == 403


def test_the_declared_default_shapes_every_undeclared_error() -> None:
    assert unknown(gateway_responses=shaped()).body == b'{"error": "Missing Authentication Token"}'


def test_a_type_s_own_declaration_wins_over_the_default() -> None:
    own = GatewayResponse(status=404, templates={"application/json": '{"error": "no $context.httpMethod here"}'})
    response = unknown(gateway_responses=shaped() | {"MISSING_AUTHENTICATION_TOKEN": own})
    assert (response.status, response.body) == (404, b'{"error": "no GET here"}')


def test_a_declared_status_replaces_the_error_s_own() -> None:
    assert unknown(gateway_responses=shaped(status=400)).status == 400


def test_a_declaration_without_a_template_keeps_the_usual_body() -> None:
    response = unknown(gateway_responses={"DEFAULT_4XX": GatewayResponse(headers={"X-A": "'1'"})})
    assert response.body == b'{"message":"Missing Authentication Token"}'
    assert header(response, "x-a") == "1"


def test_headers_are_mapped_from_literals_the_context_and_the_request() -> None:
    mapping = {
        "Access-Control-Allow-Origin": "'*'",
        "X-Request": "context.requestId",
        "X-Client": "method.request.header.x-client",
        "X-Page": "method.request.querystring.page",
        "X-Absent": "method.request.header.absent",
    }
    deployed = api(route("/a"), gateway_responses=shaped(headers=mapping))
    response = gateway(deployed).handle(request("GET", "/prod/b?page=7", (("X-Client", "me"),)))
    assert response.headers[:5] == (
        ("Content-Type", "application/json"),
        ("Access-Control-Allow-Origin", "*"),
        ("X-Request", "00000000-0000-4000-8000-000000000001"),
        ("X-Client", "me"),
        ("X-Page", "7"),
    )
    assert header(response, "x-absent") is None


def test_a_declared_content_type_header_replaces_the_template_s() -> None:
    response = unknown(gateway_responses=shaped(headers={"Content-Type": "'application/problem+json'"}))
    assert [value for name, value in response.headers if name == "Content-Type"] == ["application/problem+json"]


def test_the_template_follows_what_the_caller_accepts() -> None:
    both = {"application/json": ERROR, "text/plain": "error: $context.error.message"}
    response = unknown((("Accept", "text/plain;q=0.9, */*"),), gateway_responses=shaped(templates=both))
    assert (header(response, "content-type"), response.body) == ("text/plain", b"error: Missing Authentication Token")


def test_values_are_escaped_inside_a_json_template() -> None:
    template = {"application/json": '{"agent": "$context.identity.userAgent"}'}
    response = unknown((("User-Agent", 'a"b\\c'),), gateway_responses=shaped(templates=template))
    assert response.body == b'{"agent": "a\\"b\\\\c"}'


def test_an_unknown_variable_is_nothing() -> None:
    template = {"application/json": '{"a": "$context.authorizer.claims.sub", "b": "$context.nonsense"}'}
    assert unknown(gateway_responses=shaped(templates=template)).body == b'{"a": "", "b": ""}'


def test_a_body_above_10_mb_is_refused_in_plain_text() -> None:
    function = FakeLambda()
    response = gateway(api(), function).handle(request("POST", "/prod/a", body=b"x" * (MAX_BODY_BYTES + 1)))
    assert (response.status, response.body) == (413, b"HTTP content length exceeded 10485760 bytes.")
    assert header(response, "content-type") == "text/plain; charset=utf-8"
    assert function.calls == []


def test_a_body_of_10_mb_passes() -> None:
    assert gateway(api()).handle(request("POST", "/prod/a", body=b"x" * MAX_BODY_BYTES)).status == 200


def test_the_default_does_not_shape_a_body_that_is_too_large_but_its_own_declaration_does() -> None:
    large = request("POST", "/prod/a")
    undeclared = gateway(api(gateway_responses=shaped())).too_large(large)
    assert undeclared.body == b"HTTP content length exceeded 10485760 bytes."
    own = {"REQUEST_TOO_LARGE": GatewayResponse(templates={"application/json": ERROR})}
    declared = gateway(api(gateway_responses=own)).too_large(large)
    assert (declared.status, declared.body) == (413, b'{"error": "HTTP content length exceeded 10485760 bytes."}')


def test_headers_above_10240_bytes_are_refused() -> None:
    response = gateway(api()).handle(request("GET", "/prod/a", (("Cookie", "c" * 10_240),)))
    assert (response.status, response.body) == (431, b"HTTP header is larger than 10240 bytes.")


def test_the_request_line_counts_with_the_header_values() -> None:
    line_and_host = len("GET /prod/a HTTP/1.1") + len("127.0.0.1:4500")
    fits = request("GET", "/prod/a", (("Cookie", "c" * (10_240 - line_and_host)),))
    assert gateway(api()).handle(fits).status == 200
    too_long = request("GET", "/prod/a", (("Cookie", "c" * (10_241 - line_and_host)),))
    assert gateway(api()).handle(too_long).status == 431
