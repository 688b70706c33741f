"""The role's credentials from an address on this host, as Lambda has them for a function with SnapStart."""

from __future__ import annotations

import json

import pytest

from model_store.credentials import ContainerCredentials
from model_store.sigv4 import Credentials
from tests.build.wire import Request, Server, http
from warmstart.errors import InvalidSetting, StoreDenied, StoreUnavailable

ENDS_S = 1769860800.0
"""2026-01-31T12:00:00Z."""


class World:
    """A clock, and a server that gives credentials by their number."""

    def __init__(self) -> None:
        self.now_s, self.given = ENDS_S - 3600, 0

    def answer(self, _: Request) -> bytes:
        self.given += 1
        document = {
            "AccessKeyId": f"AKID{self.given}",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": "2026-01-31T12:00:00Z",
        }
        return http(200, json.dumps(document).encode())

    def credentials(self, server: Server) -> ContainerCredentials:
        return ContainerCredentials(f"{server.url}/v1/credentials", "secret-token", clock=lambda: self.now_s)


def test_they_are_asked_for_when_they_are_needed_with_the_token_and_kept() -> None:
    world = World()
    with Server(world.answer) as server:
        credentials = world.credentials(server)
        assert world.given == 0
        assert [credentials(), credentials()] == [Credentials("AKID1", "secret", "token")] * 2
    [request] = server.requests
    assert (request.path, request.headers["authorization"]) == ("/v1/credentials", "secret-token")


def test_new_ones_are_asked_for_five_minutes_before_the_old_ones_end_and_after_a_snapshot() -> None:
    world = World()
    with Server(world.answer) as server:
        credentials = world.credentials(server)
        credentials()
        world.now_s = ENDS_S - 301
        assert credentials().access_key_id == "AKID1"
        world.now_s = ENDS_S - 299
        assert credentials().access_key_id == "AKID2"
        world.now_s = ENDS_S - 3600
        credentials.forget()
        assert credentials().access_key_id == "AKID3"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b'{"AccessKeyId": 1, "SecretAccessKey": 2, "Token": 3, "Expiration": "soon"}']
)
def test_what_is_no_credentials_is_refused(body: bytes) -> None:
    with Server(lambda _: http(200, body)) as server, pytest.raises(StoreUnavailable, match="answered no credentials"):
        World().credentials(server)()


def test_a_host_that_refuses_or_is_not_there_is_named() -> None:
    with Server(lambda _: http(403, b"no")) as server, pytest.raises(StoreDenied, match="answered 403"):
        World().credentials(server)()
    with pytest.raises(StoreUnavailable, match=r"credentials: 127\.0\.0\.1:9 did not answer"):
        ContainerCredentials("http://127.0.0.1:9/", "t")()


@pytest.mark.parametrize("url", ["", "https://localhost/", "http:///v1", "http://host:port/"])
def test_an_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting, match="AWS_CONTAINER_CREDENTIALS_FULL_URI: expected http"):
        ContainerCredentials(url, "t")
