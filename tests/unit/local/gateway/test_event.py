"""The event that a function receives, as AWS documents it."""

from typing import Any

from tests.build.gateway import KEY, FakeLambda, api, gateway, plan, proxy, request, route


def event_of(sent: Any, deployed: Any = None) -> Any:
    function = FakeLambda()
    response = gateway(deployed or api(), function).handle(sent)
    assert response.status == 200
    return function.event


def test_the_whole_event_of_a_post_is_as_documented() -> None:
    deployed = api(
        route("/v2/models/{model}/infer", proxy("POST", api_key_required=True, operation_name="Infer")),
        usage_plans=(plan(),),
    )
    sent = request(
        "POST",
        "/prod/v2/models/iris/infer?a=1&b=x%20y&a=2&c=",
        (
            ("User-Agent", "curl/8.5.0"),
            ("Accept", "*/*"),
            ("x-api-key", KEY.value),
            ("Content-Type", "application/json"),
            ("Content-Length", "13"),
            ("Connection", "keep-alive"),
            ("X-Tag", "one"),
            ("X-Tag", "two"),
        ),
        '{"inputs":[]}',
    )
    assert event_of(sent, deployed) == {
        "resource": "/v2/models/{model}/infer",
        "path": "/v2/models/iris/infer",
        "httpMethod": "POST",
        "headers": {
            "Host": "127.0.0.1:4500",
            "User-Agent": "curl/8.5.0",
            "Accept": "*/*",
            "x-api-key": "0123456789abcdefghij",
            "Content-Type": "application/json",
            "X-Tag": "two",
            "X-Amzn-Trace-Id": "Root=1-697deec0-000000000000400080000000",
            "X-Forwarded-For": "127.0.0.1",
            "X-Forwarded-Port": "4500",
            "X-Forwarded-Proto": "http",
        },
        "multiValueHeaders": {
            "Host": ["127.0.0.1:4500"],
            "User-Agent": ["curl/8.5.0"],
            "Accept": ["*/*"],
            "x-api-key": ["0123456789abcdefghij"],
            "Content-Type": ["application/json"],
            "X-Tag": ["one", "two"],
            "X-Amzn-Trace-Id": ["Root=1-697deec0-000000000000400080000000"],
            "X-Forwarded-For": ["127.0.0.1"],
            "X-Forwarded-Port": ["4500"],
            "X-Forwarded-Proto": ["http"],
        },
        "queryStringParameters": {"a": "2", "b": "x y", "c": ""},
        "multiValueQueryStringParameters": {"a": ["1", "2"], "b": ["x y"], "c": [""]},
        "pathParameters": {"model": "iris"},
        "stageVariables": None,
        "requestContext": {
            "resourceId": "id:/v2/models/{model}/infer",
            "resourcePath": "/v2/models/{model}/infer",
            "operationName": "Infer",
            "httpMethod": "POST",
            "extendedRequestId": "EeWU9IGVjBDjAV0=",
            "requestTime": "31/Jan/2026:12:00:00 +0000",
            "path": "/prod/v2/models/iris/infer",
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "domainPrefix": "a1b2c3d4e5",
            "requestTimeEpoch": 1769860800000,
            "requestId": "00000000-0000-4000-8000-000000000001",
            "identity": {
                "cognitoIdentityPoolId": None,
                "accountId": None,
                "cognitoIdentityId": None,
                "caller": None,
                "sourceIp": "127.0.0.1",
                "principalOrgId": None,
                "accessKey": None,
                "cognitoAuthenticationType": None,
                "cognitoAuthenticationProvider": None,
                "userArn": None,
                "userAgent": "curl/8.5.0",
                "user": None,
                "apiKey": "0123456789abcdefghij",
                "apiKeyId": "k1",
            },
            "domainName": "127.0.0.1:4500",
            "deploymentId": "d1",
            "apiId": "a1b2c3d4e5",
        },
        "body": '{"inputs":[]}',
        "isBase64Encoded": False,
    }


def test_what_did_not_come_is_null_not_empty() -> None:
    event = event_of(request("GET", "/prod/"), api(route("/")))
    absent = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body")
    assert [event[name] for name in absent] == [None, None, None, None, None]
    assert event["requestContext"]["identity"]["userAgent"] is None


def test_the_key_is_named_only_where_one_is_required() -> None:
    event = event_of(request("GET", "/prod/a", (("x-api-key", KEY.value),)), api(usage_plans=(plan(),)))
    assert "apiKey" not in event["requestContext"]["identity"]


def test_an_operation_without_a_name_has_none() -> None:
    assert "operationName" not in event_of(request("GET", "/prod/a"))["requestContext"]


def test_the_path_has_no_stage_and_stays_encoded() -> None:
    event = event_of(request("GET", "/prod/user/test%2Balias@x.org/"))
    assert event["path"] == "/user/test%2Balias@x.org/"
    assert event["pathParameters"] == {"proxy": "user/test%2Balias@x.org"}
    assert event["requestContext"]["path"] == "/prod/user/test%2Balias@x.org/"


def test_doubled_slashes_before_the_path_are_one_in_the_path_alone() -> None:
    event = event_of(request("GET", "/prod//a"))
    assert event["path"] == "/a"
    assert event["requestContext"]["path"] == "/prod//a"


def test_query_values_are_decoded_and_the_last_one_wins() -> None:
    event = event_of(request("GET", "/prod/a?mail=x%2By@z.org&plus=a+b&mail=last"))
    assert event["queryStringParameters"] == {"mail": "last", "plus": "a b"}
    assert event["multiValueQueryStringParameters"] == {"mail": ["x+y@z.org", "last"], "plus": ["a b"]}


def test_a_plain_semicolon_splits_the_query_an_encoded_one_does_not() -> None:
    assert event_of(request("GET", "/prod/a?x=1;y=2%3B3"))["queryStringParameters"] == {"x": "1", "y": "2;3"}


def test_names_of_query_parameters_keep_their_case_apart() -> None:
    assert event_of(request("GET", "/prod/a?A=1&a=2"))["queryStringParameters"] == {"A": "1", "a": "2"}


def test_header_names_come_in_the_case_that_was_sent() -> None:
    assert event_of(request("GET", "/prod/a", (("tEsT-HEADeR", "v"),)))["headers"]["tEsT-HEADeR"] == "v"


def test_stage_variables_come_along() -> None:
    event = event_of(request("GET", "/prod/a"), api(stage={"variables": {"colour": "blue"}}))
    assert event["stageVariables"] == {"colour": "blue"}


def test_a_text_body_is_text_even_if_it_is_no_utf8() -> None:
    event = event_of(request("POST", "/prod/a", body=b"\xff\xfe"))
    assert (event["body"], event["isBase64Encoded"]) == ("\ufffd\ufffd", False)


def test_a_body_of_a_binary_media_type_comes_in_base64() -> None:
    deployed = api(binary_media_types=("application/octet-stream",))
    sent = request("POST", "/prod/a", (("Content-Type", "application/octet-stream; v=1"),), b"\x00\xff")
    event = event_of(sent, deployed)
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)


def test_a_body_of_another_type_stays_text_beside_binary_ones() -> None:
    deployed = api(binary_media_types=("application/octet-stream",))
    event = event_of(request("POST", "/prod/a", (("Content-Type", "application/json"),), "{}"), deployed)
    assert (event["body"], event["isBase64Encoded"]) == ("{}", False)


def test_every_body_is_binary_where_all_types_are() -> None:
    event = event_of(request("POST", "/prod/a", body=b"{}"), api(binary_media_types=("*/*",)))
    assert (event["body"], event["isBase64Encoded"]) == ("e30=", True)


def test_a_forwarded_for_header_is_continued() -> None:
    event = event_of(request("GET", "/prod/a", (("X-Forwarded-For", "10.0.0.1"),)))
    assert event["headers"]["X-Forwarded-For"] == "10.0.0.1, 127.0.0.1"


def test_a_trace_that_came_is_continued_and_a_sampled_one_is_told_whole() -> None:
    sent = request("GET", "/prod/a", (("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"),))
    event = event_of(sent, api(stage={"tracing_enabled": True}))
    assert event["headers"]["X-Amzn-Trace-Id"] == (
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=8000000000000002;Sampled=1"
    )


def test_the_method_calls_the_alias_of_its_integration() -> None:
    function = FakeLambda()
    gateway(api(), function).handle(request("GET", "/prod/a"))
    assert function.calls == [("arn:aws:lambda:us-east-1:123456789012:function:warmstart-prod-inference", "live")]
