"""Signatures: botocore signs, the gateway verifies."""

import dataclasses
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.gateway.failures import Failure
from local.gateway.sigv4 import Claim, canonical_request, sign, verify
from local.types import HttpRequest
from tests.build.gateway import FakeLambda, api, gateway, header, proxy, request, route

HOST = "127.0.0.1:4500"
SECRETS = {"test": "test"}


def signed(
    method: str = "GET",
    target: str = "/prod/admin/models",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    secret: str = "test",  # noqa: S107 - the twin's public one
    access_key: str = "test",
    region: str = "us-east-1",
    service: str = "execute-api",
    token: str | None = None,
    presigned: bool = False,
) -> HttpRequest:
    """Sign as the AWS SDK for Python does."""
    unsigned = AWSRequest(method=method, url=f"http://{HOST}{target}", data=body, headers=headers or {})
    kind = botocore.auth.SigV4QueryAuth if presigned else botocore.auth.SigV4Auth
    kind(Credentials(access_key, secret, token), service, region).add_auth(unsigned)
    parts = urlsplit(str(unsigned.url))
    return HttpRequest(
        method=method,
        path=parts.path,
        query=parts.query,
        headers=(("Host", HOST), *((name, value) for name, value in unsigned.headers.items())),
        body=body,
    )


def now() -> float:
    return datetime.now(UTC).timestamp()


def refusal(sent: HttpRequest, at: float | None = None) -> Failure:
    with pytest.raises(Failure) as caught:
        verify(sent, SECRETS, region="us-east-1", now=now() if at is None else at)
    return caught.value


@pytest.mark.parametrize("presigned", [False, True])
@pytest.mark.parametrize(
    "target",
    [
        "/prod/admin/models",
        "/prod/admin/models/",
        "/prod//admin/./x/../models",
        "/prod/admin/models/iris%40canary",
        "/prod/admin/a%20b/%C3%A9~-_.",
        "/prod/admin?b=2&a=1&a=0&empty=&space=x%20y&slash=a%2Fb",
    ],
)
def test_what_botocore_signs_is_accepted(target: str, presigned: bool) -> None:
    assert verify(signed(target=target, presigned=presigned), SECRETS, region="us-east-1", now=now()) == "test"


def test_a_signed_body_is_accepted_and_a_changed_one_refused() -> None:
    sent = signed("POST", body=b'{"version":2}', headers={"Content-Type": "application/json"})
    assert verify(sent, SECRETS, region="us-east-1", now=now()) == "test"
    assert refusal(dataclasses.replace(sent, body=b'{"version":3}')).error_type == "InvalidSignatureException"


@pytest.mark.parametrize(
    "change", [{"method": "PUT"}, {"path": "/prod/admin/other"}, {"query": "a=1"}, {"headers": (("Host", "evil"),)}]
)
def test_a_change_of_anything_signed_is_refused(change: dict[str, Any]) -> None:
    sent = signed("POST")
    if "headers" in change:
        change = {"headers": (*change["headers"], *sent.headers[1:])}
    failure = refusal(dataclasses.replace(sent, **change))
    assert failure.message.startswith("The request signature we calculated does not match the signature you provided.")


def test_spaces_in_a_signed_header_are_trimmed() -> None:
    sent = signed(headers={"X-Note": "  a   b "})
    assert verify(sent, SECRETS, region="us-east-1", now=now()) == "test"


def test_the_signature_of_aws_s_own_example_is_reproduced() -> None:
    """The example of "Create a signed AWS API request" (IAM, ListUsers)."""
    sent = HttpRequest(
        method="GET",
        path="/",
        query="Action=ListUsers&Version=2010-05-08",
        headers=(
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("Host", "iam.amazonaws.com"),
            ("X-Amz-Date", "20150830T123600Z"),
        ),
        body=b"",
    )
    canonical = canonical_request(sent, ("content-type", "host", "x-amz-date"))
    assert canonical == (
        "GET\n/\nAction=ListUsers&Version=2010-05-08\n"
        "content-type:application/x-www-form-urlencoded; charset=utf-8\nhost:iam.amazonaws.com\n"
        "x-amz-date:20150830T123600Z\n\ncontent-type;host;x-amz-date\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    claim = Claim(
        access_key="AKIDEXAMPLE",
        date="20150830",
        region="us-east-1",
        service="iam",
        timestamp="20150830T123600Z",
        signed_headers=("content-type", "host", "x-amz-date"),
        signature="",
        expires_s=None,
        token=None,
    )
    to_sign = (
        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"
        "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    )
    signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    assert sign("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", claim, to_sign) == signature


def test_an_unsigned_request_lacks_its_token() -> None:
    assert refusal(request("GET", "/prod/admin")).message == "Missing Authentication Token"


def test_a_wrong_secret_is_a_mismatch() -> None:
    failure = refusal(signed(secret="guess"))
    assert failure.error_type == "InvalidSignatureException"
    assert "The Canonical String for this request should have been\n'GET\n/prod/admin/models\n" in failure.message


def test_an_unknown_access_key_is_an_invalid_token() -> None:
    failure = refusal(signed(access_key="AKIDOTHER"))
    assert failure.message == "The security token included in the request is invalid."
    assert failure.error_type == "UnrecognizedClientException"


def test_a_session_token_of_nobody_is_an_invalid_token() -> None:
    assert refusal(signed(token="t")).error_type == "UnrecognizedClientException"


@pytest.mark.parametrize("late_s", [0, 299])
def test_a_signature_lives_five_minutes(late_s: int) -> None:
    assert verify(signed(), SECRETS, region="us-east-1", now=now() + late_s - 1) == "test"


def test_a_signature_of_six_minutes_ago_has_expired() -> None:
    assert refusal(signed(), now() + 360).message.startswith("Signature expired: ")


def test_a_signature_of_the_future_is_not_yet_current() -> None:
    assert refusal(signed(), now() - 360).message.startswith("Signature not yet current: ")


def test_a_presigned_request_lives_as_long_as_it_says() -> None:
    sent = signed(presigned=True)  # 3600 s
    assert verify(sent, SECRETS, region="us-east-1", now=now() + 3500) == "test"
    assert refusal(sent, now() + 3700).message.startswith("Signature expired: ")


def test_a_scope_of_another_region_or_service_is_refused() -> None:
    assert refusal(signed(region="eu-west-1")).message == (
        "Credential should be scoped to a valid region, not 'eu-west-1'. "
    )
    assert refusal(signed(service="s3")).message == ("Credential should be scoped to correct service: 'execute-api'. ")


@pytest.mark.parametrize(
    ("authorization", "said"),
    [
        (
            "Bearer abc",
            "'abc' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer abc'.",
        ),
        ("AWS4-HMAC-SHA256 Credential=a/b", "Authorization header requires 'Signature' parameter. "),
        ("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0", "Authorization header requires existence"),
    ],
)
def test_an_incomplete_signature_is_said_to_be_one(authorization: str, said: str) -> None:
    failure = refusal(request("GET", "/prod/admin", (("Authorization", authorization),)))
    assert failure.message.startswith(said)
    assert failure.error_type == "IncompleteSignatureException"


@pytest.mark.parametrize("date", ["yesterday", "20260131", "20260131T120000Z; DROP", "٢٠٢٦٠١٣١T120000Z"])
def test_a_date_that_is_none_is_refused_not_fatal(date: str) -> None:
    scope = f"test/{date[:8]}/us-east-1/execute-api/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    headers = (("Authorization", authorization), ("X-Amz-Date", date))
    assert refusal(request("GET", "/prod/admin", headers)).status == 403


def test_a_date_before_the_first_day_of_the_calendar_is_refused_not_fatal() -> None:
    authorization = "AWS4-HMAC-SHA256 Credential=test/00010101/us-east-1/execute-api/aws4_request, "
    headers = (
        ("Authorization", f"{authorization}SignedHeaders=host, Signature=0"),
        ("Date", "Mon, 01 Jan 0001 00:00:00 +2300"),
    )
    assert refusal(request("GET", "/prod/admin", headers)).status == 403


def test_a_signature_that_is_no_ascii_is_refused_not_fatal() -> None:
    sent = signed()
    headers = tuple((name, value + "é" if name == "Authorization" else value) for name, value in sent.headers)
    assert refusal(dataclasses.replace(sent, headers=headers)).status == 403


def test_the_host_must_be_signed() -> None:
    sent = signed()
    headers = tuple(
        (name, value.replace("host;", "") if name == "Authorization" else value) for name, value in sent.headers
    )
    assert refusal(dataclasses.replace(sent, headers=headers)).message == (
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    )


ADMIN = api(route("/admin/{proxy+}", proxy(authorization="AWS_IAM")))


def test_a_method_with_iam_tells_its_function_who_signed() -> None:
    function = FakeLambda()
    assert gateway(ADMIN, function, clock=now).handle(signed()).status == 200
    identity = function.event["requestContext"]["identity"]
    assert {name: identity[name] for name in ("accessKey", "accountId", "caller", "user", "userArn")} == {
        "accessKey": "test",
        "accountId": "123456789012",
        "caller": "123456789012",
        "user": "123456789012",
        "userArn": "arn:aws:iam::123456789012:root",
    }


def test_a_method_with_iam_refuses_an_unsigned_request() -> None:
    function = FakeLambda()
    response = gateway(ADMIN, function).handle(request("GET", "/prod/admin/models"))
    assert (response.status, response.body) == (403, b'{"message":"Missing Authentication Token"}')
    assert function.calls == []


def test_a_wrong_signature_is_a_403_of_its_type() -> None:
    response = gateway(ADMIN, clock=now).handle(signed(secret="guess"))
    assert response.status == 403
    assert header(response, "x-amzn-errortype") == "InvalidSignatureException"


def test_an_authorization_header_on_an_unknown_route_is_read_as_a_signature() -> None:
    response = gateway(ADMIN).handle(request("GET", "/prod/none", (("Authorization", "Bearer abc"),)))
    assert header(response, "x-amzn-errortype") == "IncompleteSignatureException"


def test_a_method_without_iam_does_not_look_at_the_authorization_header() -> None:
    assert gateway(api()).handle(request("GET", "/prod/a", (("Authorization", "Bearer abc"),))).status == 200
