"""The access log: one line per request, in the declared format."""

import json
from typing import Any

from local.gateway.api import AccessLog
from tests.build.gateway import KEY, FakeLambda, Log, api, gateway, plan, proxy, request, route

FORMAT = json.dumps(
    {
        "requestId": "$context.requestId",
        "ip": "$context.identity.sourceIp",
        "keyId": "$context.identity.apiKeyId",
        "caller": "$context.identity.caller",
        "time": "$context.requestTime",
        "method": "$context.httpMethod",
        "resource": "$context.resourcePath",
        "path": "$context.path",
        "status": "$context.status",
        "bytes": "$context.responseLength",
        "error": "$context.error.responseType",
        "integration": "$context.integrationStatus",
        "function": "$context.integration.status",
        "reason": "$context.integrationErrorMessage",
    }
)


def logged(sent: Any, function: FakeLambda | None = None, line: str = FORMAT) -> list[tuple[str, str, str]]:
    log = Log()
    deployed = api(
        route("/a", proxy("GET", api_key_required=True)),
        usage_plans=(plan(),),
        stage={"access_log": AccessLog(group="/warmstart/prod/access", format=line)},
    )
    gateway(deployed, function, log=log).handle(sent)
    return log.lines


def test_a_request_leaves_one_line_in_the_declared_format() -> None:
    ((group, stream, line),) = logged(
        request("GET", "/prod/a?x=1", (("x-api-key", KEY.value),)),
        FakeLambda({"statusCode": 201, "body": '{"ok":true}'}),
    )
    assert (group, stream) == ("/warmstart/prod/access", "a1b2c3d4e5/prod")
    assert json.loads(line) == {
        "requestId": "00000000-0000-4000-8000-000000000001",
        "ip": "127.0.0.1",
        "keyId": "k1",
        "caller": "-",
        "time": "31/Jan/2026:12:00:00 +0000",
        "method": "GET",
        "resource": "/a",
        "path": "/prod/a",
        "status": "201",
        "bytes": "11",
        "error": "-",
        "integration": "200",
        "function": "201",
        "reason": "-",
    }


def test_a_refusal_is_logged_with_its_type() -> None:
    ((_, _, line),) = logged(request("GET", "/prod/a"))
    assert {name: json.loads(line)[name] for name in ("status", "error", "integration")} == {
        "status": "403",
        "error": "INVALID_API_KEY",
        "integration": "-",
    }


def test_the_log_says_why_a_function_s_answer_was_not_taken() -> None:
    ((_, _, line),) = logged(request("GET", "/prod/a", (("x-api-key", KEY.value),)), FakeLambda({"status": 200}))
    assert json.loads(line)["reason"] == "Malformed Lambda proxy response: unknown fields: status"


def test_a_message_of_many_lines_stays_one_line() -> None:
    agent = ("User-Agent", "a\u0085b")
    ((_, _, line),) = logged(request("GET", "/prod/a", (agent,)), line="$context.identity.userAgent")
    assert line == "a b"


def test_an_unknown_route_is_logged_too() -> None:
    ((_, _, line),) = logged(request("GET", "/prod/none"))
    assert json.loads(line)["error"] == "MISSING_AUTHENTICATION_TOKEN"


def test_a_variable_ends_where_its_name_ends() -> None:
    ((_, _, line),) = logged(request("GET", "/prod/a"), line="$context.httpMethod$context.path.$context.nonsense|")
    assert line == "GET/prod/a.-|"


def test_a_stage_without_an_access_log_writes_none() -> None:
    log = Log()
    gateway(api(), log=log).handle(request("GET", "/prod/a"))
    assert log.lines == []
