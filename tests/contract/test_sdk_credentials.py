"""What the AWS SDK finds to sign with, where the environment of a server holds no keys."""

from __future__ import annotations

import json
import time
from itertools import count
from pathlib import Path

import pytest

from model_store.s3 import sdk_credentials
from tests.build.wire import Request, Server, http
from warmstart.errors import StoreDenied


@pytest.fixture(autouse=True)
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which the SDK finds nothing, whatever machine this is."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE", "WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_keys_of_a_file_sign(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = AKID\naws_secret_access_key = secret\n")
    assert sdk_credentials()() == ("AKID", "secret", None)


def test_a_containers_role_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(1)

    def answer(_: Request) -> bytes:
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))  # the SDK renews ten minutes before
        document = {"AccessKeyId": f"AKID{next(numbers)}", "SecretAccessKey": "s", "Token": "t", "Expiration": soon}
        return http(200, json.dumps(document).encode())

    with Server(answer) as server:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/role")
        current = sdk_credentials()
        first, second = current(), current()

    assert (first.session_token, first.secret_access_key) == ("t", "s")
    assert first.access_key_id != second.access_key_id


def test_none_are_denied() -> None:
    with pytest.raises(StoreDenied, match="s3: no usable AWS credentials: the SDK finds none"):
        sdk_credentials()()
