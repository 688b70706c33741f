"""What a connection makes of answers that are not quite HTTP, or come from an earlier time."""

from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path
from typing import cast

import botocore
import pytest

from model_store.connection import Broken, Connection
from model_store.s3_endpoint import Endpoint
from model_store.s3_reader import S3Reader
from model_store.sigv4 import Credentials
from tests.build.wire import Answer, Last, Server, http
from warmstart.errors import StoreDenied, StoreUnavailable


def reader(url: str) -> S3Reader:
    return S3Reader(
        "store",
        region="us-east-1",
        credentials=lambda: Credentials("AKID", "secret"),
        endpoint_url=url,
        timeout_s=0.3,
        sleep=lambda _: None,
    )


def chunked(size: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + size + b"\r\nbody\r\n0\r\n\r\n"


@pytest.mark.parametrize("size", [b"-4", b"+4", b"0x4", b"0_4", b"", b" ", b"4 4"])
def test_a_chunk_size_that_is_not_plain_hexadecimal_is_refused(size: bytes) -> None:
    with Server(lambda _: Last(chunked(size))) as server, pytest.raises(StoreUnavailable, match="chunk size"):
        reader(server.url).get("key")


@pytest.mark.parametrize("coding", ["gzip", "gzip, chunked", "identity"])
def test_a_coding_that_is_not_read_is_refused_and_not_taken_for_the_body(coding: str) -> None:
    answer = Last(http(200, b"body", transfer_encoding=coding))
    with Server(lambda _: answer) as server, pytest.raises(StoreUnavailable, match="transfer-encoding"):
        reader(server.url).get("key")


@pytest.mark.parametrize(
    "first",
    [
        http(200, b"body") + http(200, b"smuggled"),
        chunked(b"4") + http(200, b"smuggled"),
        b"HTTP/1.1 304 Not Modified\r\n\r\n" + http(200, b"smuggled"),
    ],
)
def test_what_comes_beyond_an_answer_is_never_the_next_one(first: bytes) -> None:
    with Server(lambda request: first if request.connection == 0 else http(200, b"own")) as server:
        opened = reader(server.url)
        opened.get("key")
        assert opened.get("key").body == b"own"
        opened.close()


class Ended:
    """In the place of a TLS context: its sockets fail as one does whose peer is gone."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def wrap_socket(self, plain: socket.socket, **_: object) -> Ended:
        self._plain = plain
        return self

    def sendall(self, _: bytes) -> None:
        raise self._error

    def close(self) -> None:
        self._plain.close()


@pytest.mark.parametrize(
    "error", [ssl.SSLEOFError("violation of protocol"), ConnectionAbortedError(), BrokenPipeError(), OSError(113, "x")]
)
def test_a_connection_that_is_gone_before_an_answer_may_be_replaced_over_tls_too(error: OSError) -> None:
    with Server(lambda _: None) as server:
        gone = Connection(b"127.0.0.1", server.port, tls=cast("ssl.SSLContext", Ended(error)), timeout_s=1.0)
        with pytest.raises(Broken, match="closed by the peer") as broken:
            gone.get("/key", [])
        gone.close()
    assert broken.value.unanswered


def test_a_wait_that_is_over_is_no_connection_that_is_gone() -> None:
    with Server(lambda _: b"") as server:
        slow = Connection(b"127.0.0.1", server.port, tls=None, timeout_s=0.05)
        with pytest.raises(TimeoutError):
            slow.get("/key", [])
        slow.close()


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("AccessDenied", "the role needs s3:GetObject"),
        ("RequestTimeTooSkewed", "clock is more than 15 minutes off"),
        ("SignatureDoesNotMatch", "SignatureDoesNotMatch)"),
    ],
)
def test_a_refusal_says_what_helps_and_nothing_that_does_not(code: str, remedy: str) -> None:
    answer: Answer = lambda _: http(403, f"<Error><Code>{code}</Code></Error>".encode())  # noqa: E731
    with Server(answer) as server:
        opened = reader(server.url)
        with pytest.raises(StoreDenied) as refused:
            opened.get("key")
        opened.close()
    assert remedy in refused.value.message
    assert ("role" in refused.value.message) == (code == "AccessDenied")


def test_a_bucket_is_where_botocore_says_in_every_partition() -> None:
    partitions = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())["partitions"]
    found = {
        region: partition["outputs"]["dnsSuffix"]
        for partition in partitions
        for region in partition["regions"]
        if not region.endswith("-global")
    }
    assert {region: Endpoint.of("store", region).host for region in found} == {
        region: f"store.s3.{region}.{suffix}" for region, suffix in found.items()
    }
