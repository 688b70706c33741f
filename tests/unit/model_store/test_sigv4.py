"""Our signature against botocore's own signer, as an independent oracle."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from model_store.sigv4 import Credentials, quote, sign, sign_get

AMZ_DATE = "20260131T120000Z"
KEYS = [
    "models/iris/aliases/live.json",
    "with space/and  two",
    "plus+and=&?#%25",
    "at@colon:semi;comma,",
    "ünïcode/é/日本/😀",
    "~tilde-dash_dot./(paren)!*'\"",
    "//double//slash/",
    "a/../b/./c",
]


def oracle(
    path: str,
    host: str,
    region: str,
    credentials: Credentials,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> dict[str, str]:
    request = AWSRequest(method=method, url=f"https://{host}{path}", data=body, headers=headers or {})
    request.context["timestamp"] = AMZ_DATE  # instead of `add_auth`, which reads the machine's clock
    signer: Any = S3SigV4Auth(BotoCredentials(*credentials), "s3", region)
    signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    signer._inject_signature_to_request(request, signature)
    return {name.lower(): value for name, value in request.headers.items()}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("token", [None, "session/token+=="])
@pytest.mark.parametrize("host", ["store.s3.eu-central-1.amazonaws.com", "127.0.0.1:5000"])
def test_a_signature_is_the_one_that_botocore_makes(key: str, token: str | None, host: str) -> None:
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    path = "/" + quote(key)

    signed = dict(sign_get(path, host=host, region="eu-central-1", credentials=credentials, amz_date=AMZ_DATE))

    expected = oracle(path, host, "eu-central-1", credentials)
    assert signed.pop("host") == host
    assert signed == {name: expected[name] for name in signed}
    assert ("x-amz-security-token" in signed) == (token is not None)


@pytest.mark.parametrize("token", [None, "session/token+=="])
def test_a_put_is_signed_with_its_body_and_its_own_headers(token: str | None) -> None:
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    host, path = "bodies.s3.eu-central-1.amazonaws.com", "/out/" + quote("é 1.json")
    headers = {"content-type": "text/csv; charset=utf-8", "x-amz-meta-b": "2", "x-amz-meta-a": "1"}

    signed = dict(
        sign(
            "PUT",
            path,
            host=host,
            region="eu-central-1",
            credentials=credentials,
            amz_date=AMZ_DATE,
            content_sha256="3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7",  # sha256sum of "data"
            headers=list(headers.items()),
        )
    )

    expected = oracle(path, host, "eu-central-1", credentials, method="PUT", body=b"data", headers=headers)
    assert signed["authorization"] == expected["authorization"]
    assert headers.items() <= signed.items()


def test_a_path_is_encoded_byte_by_byte() -> None:
    assert quote("a b/é+~@") == "a%20b/%C3%A9%2B~%40"


def test_credentials_show_no_secret() -> None:
    assert repr(Credentials("AKIA", "secret", "token")) == "Credentials('AKIA')"
