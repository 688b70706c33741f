"""Requests signed by botocore, checked by the local gateway's own verifier."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local.gateway.failures import Failure
from local.gateway.sigv4 import verify
from local.types import HttpRequest
from tests.build.http_answers import Given, Sent, answering
from warmstart import Client
from warmstart.client.connection import Address
from warmstart.client.iam import Signer
from warmstart.errors import InvalidSetting

SECRETS = {"test": "test"}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


def verified(sent: Sent, *, body: bytes | None = None) -> str:
    """The access key that signed a request. The signature is as old as the test."""
    parts, stamp = urlsplit(sent.path), sent.headers["x-amz-date"]
    request = HttpRequest(
        method=sent.method,
        path=parts.path,
        query=parts.query,
        headers=tuple(sent.headers.items()),
        body=sent.body if body is None else body,
    )
    return verify(request, SECRETS, region="eu-central-1", now=_epoch(stamp))


def _epoch(stamp: str) -> float:
    return datetime.strptime(f"{stamp}+0000", "%Y%m%dT%H%M%SZ%z").timestamp()


@pytest.mark.parametrize("ref", ["iris", "iris:3", "iris@canary"])
def test_each_request_has_a_signature_that_holds(ref: str) -> None:
    with answering(Given(), Given(), Given()) as endpoint, Client(endpoint.url, iam=True) as client:
        client.predict(ref, {"größe": 3})
        client.infer(ref, {"inputs": []})
        client.metadata(ref)

    assert [verified(sent) for sent in endpoint.sent] == ["test", "test", "test"]
    assert "/eu-central-1/execute-api/aws4_request" in endpoint.sent[0].headers["authorization"]


def test_the_body_is_signed() -> None:
    with answering(Given()) as endpoint, Client(endpoint.url, iam=True) as client:
        client.predict("iris", [1])

    with pytest.raises(Failure):
        verified(endpoint.sent[0], body=b"[2]")


def test_a_key_may_go_with_it() -> None:
    with answering(Given()) as endpoint, Client(endpoint.url, api_key="k", iam=True) as client:
        client.predict("iris", [1])

    assert endpoint.sent[0].headers["x-api-key"] == "k"
    assert verified(endpoint.sent[0]) == "test"


def test_what_is_asked_again_is_signed_again() -> None:
    with (
        answering(Given(503), Given()) as endpoint,
        Client(endpoint.url, iam=True, sleep=lambda _: None) as client,
    ):
        client.predict("iris", [1])

    assert [verified(sent) for sent in endpoint.sent] == ["test", "test"]


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("abc123.execute-api.us-west-2.amazonaws.com", "us-west-2"),
        ("abc123.execute-api.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("vpce-1-2.execute-api.us-west-2.vpce.amazonaws.com", "us-west-2"),
        ("models.example.com", "eu-central-1"),
    ],
)
def test_the_region_is_the_hosts_or_else_the_sessions(host: str, region: str) -> None:
    signed = Signer(Address.parse(f"https://{host}/prod")).sign("GET", "/prod/v2", {}, None)

    assert f"/{region}/execute-api/aws4_request" in signed["Authorization"]


def test_no_region_anywhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    with pytest.raises(InvalidSetting, match=r"iam: expected a region .* host: models\.example\.com"):
        Client("https://models.example.com/prod", iam=True)


def test_no_credentials_anywhere_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    with pytest.raises(InvalidSetting, match="iam: expected AWS credentials, found none"):
        Client("https://models.example.com/prod", iam=True)


def test_a_profile_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(
        InvalidSetting, match=r"iam: expected AWS credentials, .* profile \(nobody\) could not be found"
    ):
        Client("https://models.example.com/prod", iam=True)


def test_credentials_that_cannot_be_had_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile sold]\ncredential_process = false\nregion = eu-central-1\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_PROFILE", "sold")

    with pytest.raises(InvalidSetting, match="iam: expected AWS credentials, Error when retrieving"):
        Client("https://models.example.com/prod", iam=True).predict("iris", [1])


def test_credentials_that_no_header_can_hold_are_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "hunter2\n")

    with answering() as endpoint, pytest.raises(InvalidSetting, match="got some with a line's end") as caught:
        Client(endpoint.url, iam=True).predict("iris", [1])

    assert "hunter2" not in caught.value.message


def test_without_botocore_the_package_is_named() -> None:
    code = "import sys\nsys.modules['botocore'] = None\nfrom warmstart import Client\nClient('http://h/prod', iam=True)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "Unreachable: iam=True needs the package botocore (" in ran.stderr
    assert ran.stderr.endswith("pip install botocore\n")
