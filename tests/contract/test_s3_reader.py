"""The data plane's client against a server that answers as S3 may on a bad day."""

from __future__ import annotations

import hashlib
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from model_store.s3_endpoint import Endpoint
from model_store.s3_reader import S3Reader
from model_store.sigv4 import Credentials
from tests.build.stores import MIB
from tests.build.wire import Last, Request, Server, http
from warmstart.errors import (
    ArtifactMismatch,
    InsufficientMemory,
    InvalidSetting,
    ObjectNotFound,
    StoreDenied,
    StoreUnavailable,
)


class World:
    """A reader's clock, chance and sleeps; the credentials of the moment."""

    def __init__(self) -> None:
        self.now, self.slept = 1769860800.0, list[float]()
        self.credentials = Credentials("AKID", "secret", "token-1")

    def reader(self, url: str, *, timeout_s: float = 5.0) -> S3Reader:
        return S3Reader(
            "store",
            region="eu-central-1",
            credentials=lambda: self.credentials,
            endpoint_url=url,
            timeout_s=timeout_s,
            clock=lambda: self.now,
            sleep=self.slept.append,
            rng=lambda: 0.5,
        )


@pytest.fixture
def world() -> World:
    return World()


def ok(_: Request) -> bytes:
    return http(200, b"body", ETag='"1"')


def test_one_connection_serves_many_requests(world: World) -> None:
    with Server(ok) as server:
        reader = world.reader(server.url)
        for _ in range(3):
            assert reader.get("key") == (b"body", '"1"')
        reader.close()

    assert [(request.connection, request.number) for request in server.requests] == [(0, 0), (0, 1), (0, 2)]


def test_a_connection_that_died_while_idle_is_replaced_without_waiting(world: World) -> None:
    with Server(lambda request: None if request.number else ok(request)) as server:
        reader = world.reader(server.url)
        assert [reader.get("key").body for _ in range(3)] == [b"body"] * 3
        reader.close()

    assert world.slept == []


def test_a_connection_that_was_idle_for_long_is_not_trusted(world: World) -> None:
    with Server(ok) as server:
        reader = world.reader(server.url)
        reader.get("key")
        world.now += 15.0
        reader.get("key")
        reader.close()

    assert [request.connection for request in server.requests] == [0, 1]


def test_an_answer_that_says_close_is_the_connections_last(world: World) -> None:
    with Server(lambda _: http(200, b"body", Connection="close")) as server:
        reader = world.reader(server.url)
        assert [reader.get("key").body for _ in range(2)] == [b"body"] * 2

    assert [request.connection for request in server.requests] == [0, 1]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_fault_is_asked_again_after_a_pause(world: World, status: int) -> None:
    faults = iter([http(status, b"<Error><Code>SlowDown</Code></Error>")] * 2)

    with Server(lambda request: next(faults, ok(request))) as server:
        reader = world.reader(server.url)
        assert reader.get("key").body == b"body"
        reader.close()

    assert world.slept == pytest.approx([0.15, 0.3])


def test_a_store_that_only_faults_is_unavailable(world: World) -> None:
    with Server(lambda _: http(503, b"<Error><Code>SlowDown</Code></Error>")) as server:
        reader = world.reader(server.url)
        with pytest.raises(StoreUnavailable, match=r"key: http://127.* in 3 attempts; the last: status 503 SlowDown"):
            reader.get("key")
        reader.close()

    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 twenty\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 70_000,
    ],
    ids=["nothing", "short", "length", "size", "chunk", "head", "protocol", "status", "large"],
)
def test_an_answer_that_is_broken_is_asked_again_then_given_up(world: World, answer: bytes) -> None:
    with Server(lambda _: answer) as server:
        reader = world.reader(server.url, timeout_s=0.05)
        with pytest.raises(StoreUnavailable, match="key"):
            reader.get("key")

    assert len(server.requests) == 3


def test_half_an_answer_is_never_a_whole_one(world: World) -> None:
    answers = iter([b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf", http(200, b"complete")])

    with Server(lambda _: next(answers)) as server:
        reader = world.reader(server.url, timeout_s=0.05)
        assert reader.get("key").body == b"complete"
        reader.close()


def test_a_chunked_body_is_put_together(world: World) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: x\r\n\r\n"
    chunked = head + b"4;a=b\r\nbody\r\n3\r\n-is\r\n0\r\nt: u\r\n\r\n"

    with Server(lambda _: chunked) as server:
        reader = world.reader(server.url)
        assert [reader.get("key") for _ in range(2)] == [(b"body-is", "x")] * 2
        reader.close()

    assert [request.connection for request in server.requests] == [0, 0]


def test_a_body_without_a_length_ends_with_the_connection(world: World) -> None:
    with Server(lambda _: Last(b"HTTP/1.0 200 OK\r\n\r\nbody")) as server:
        assert world.reader(server.url).get("key").body == b"body"


def test_a_body_without_a_length_whose_connection_never_ends_is_not_taken_for_whole(world: World) -> None:
    with Server(lambda _: b"HTTP/1.1 200 OK\r\n\r\nbody") as server:
        reader = world.reader(server.url, timeout_s=0.05)
        with pytest.raises(StoreUnavailable, match=r"no answer within 0\.05 s"):
            reader.get("key")


def test_a_store_that_is_not_there_is_unavailable(world: World) -> None:
    with Server(ok) as server:
        url = server.url

    with pytest.raises(StoreUnavailable, match="ConnectionRefusedError"):
        world.reader(url).get("key")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_not_asked_again(world: World, status: int) -> None:
    with Server(lambda _: http(status, b"<Error><Code>AccessDenied</Code></Error>")) as server:
        reader = world.reader(server.url)
        with pytest.raises(StoreDenied, match=rf"key: the store refused \({status} AccessDenied\).*s3:ListBucket"):
            reader.get("key")
        reader.close()

    assert len(server.requests) == 1


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidToken"])
def test_credentials_that_are_over_are_a_refusal(world: World, code: str) -> None:
    with Server(lambda _: http(400, f"<Error><Code>{code}</Code></Error>".encode())) as server:
        reader = world.reader(server.url)
        with pytest.raises(StoreDenied, match=rf"refused the credentials \(400 {code}\)"):
            reader.get("key")
        reader.close()


def test_a_missing_object_is_not_asked_for_again(world: World) -> None:
    with Server(lambda _: http(404, b"<Error><Code>NoSuchKey</Code></Error>")) as server:
        reader = world.reader(server.url)
        with pytest.raises(ObjectNotFound):
            reader.get("key")
        reader.close()

    assert len(server.requests) == 1


def test_a_missing_bucket_is_no_missing_object(world: World) -> None:
    with Server(lambda _: http(404, b"<Error><Code>NoSuchBucket</Code></Error>")) as server:
        reader = world.reader(server.url)
        with pytest.raises(StoreUnavailable, match="404 NoSuchBucket"):
            reader.get("key")
        reader.close()


def test_a_bucket_in_another_region_is_named(world: World) -> None:
    with Server(lambda _: http(301, b"", x_amz_bucket_region="us-west-2")) as server:
        reader = world.reader(server.url)
        with pytest.raises(StoreUnavailable, match=r"301 .*the bucket is in us-west-2"):
            reader.get("key")
        reader.close()


def test_credentials_are_read_for_each_request(world: World) -> None:
    with Server(ok) as server:
        reader = world.reader(server.url)
        reader.get("key")
        world.credentials = Credentials("AKID", "secret", "token-2")
        reader.get("key")
        reader.close()

    assert [request.headers["x-amz-security-token"] for request in server.requests] == ["token-1", "token-2"]


def test_the_known_tag_is_sent(world: World) -> None:
    with Server(lambda _: b"HTTP/1.1 304 Not Modified\r\n\r\n") as server:
        reader = world.reader(server.url)
        assert [reader.get_if_changed("key", '"1"') for _ in range(2)] == [None, None]
        reader.close()

    assert [(r.connection, r.headers["if-none-match"]) for r in server.requests] == [(0, '"1"'), (0, '"1"')]


def test_a_recheck_is_tried_once_and_waits_a_second_at_most(world: World) -> None:
    answers = iter([ok])

    with Server(lambda request: next(answers, lambda _: b"HTTP/1.1 200 OK\r\n")(request)) as server:
        reader = world.reader(server.url)
        reader.get("key")
        with pytest.raises(StoreUnavailable, match="in 1 attempt; the last: no answer within 1 s"):
            reader.get_if_changed("key", '"1"')
        reader.close()

    assert len(server.requests) == 2
    assert world.slept == []


def span(request: Request) -> tuple[int, int]:
    """Read a request's range: first and last byte."""
    first, last = request.headers["range"].removeprefix("bytes=").split("-")
    return int(first), int(last)


def test_eight_mebibytes_come_over_one_connection(world: World, tmp_path: Path) -> None:
    with Server(lambda _: http(200, bytes(8 * MIB))) as server:
        reader = world.reader(server.url)
        reader.download("key", tmp_path / "file", size_bytes=8 * MIB)
        reader.close()

    assert [request.headers.get("range") for request in server.requests] == [None]


@pytest.mark.parametrize(("size", "pieces", "connections"), [(8 * MIB + 1, 3, 3), (20 * MIB, 5, 5), (80 * MIB, 16, 8)])
def test_more_comes_in_pieces_over_several_connections_digested_on_the_way(
    world: World, tmp_path: Path, size: int, pieces: int, connections: int
) -> None:
    body = bytes(range(251)) * (size // 251 + 1)
    body = body[:size]
    all_asked = threading.Barrier(connections, timeout=60)  # else an early range's connection could serve a late one

    def answer(request: Request) -> bytes:
        first, last = span(request)
        all_asked.wait()
        return http(206, body[first : last + 1], content_range=f"bytes {first}-{last}/{size}")

    with Server(answer) as server:
        reader = world.reader(server.url)
        digests = reader.download("key", tmp_path / "file", size_bytes=size)
        reader.close()

    assert (tmp_path / "file").read_bytes() == body
    bounds = [size * index // pieces for index in range(pieces + 1)]
    assert digests == tuple(hashlib.sha256(body[start:stop]).hexdigest() for start, stop in pairwise(bounds))
    assert len(server.requests) == pieces
    assert {request.connection for request in server.requests} == set(range(connections))


def test_without_digests_none_are_returned(world: World, tmp_path: Path) -> None:
    with Server(lambda _: http(200, b"body")) as server:
        reader = world.reader(server.url)
        assert reader.download("key", tmp_path / "file", size_bytes=4, digests=False) is None
        reader.close()
    assert (tmp_path / "file").read_bytes() == b"body"


def test_one_range_that_fails_fails_the_download_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        first, last = span(request)
        if first:
            return http(503)
        return http(206, bytes(last - first + 1), content_range=f"bytes {first}-{last}/{20 * MIB}")

    with Server(answer) as server:
        reader = world.reader(server.url)
        with pytest.raises(StoreUnavailable):
            reader.download("key", tmp_path / "file", size_bytes=20 * MIB)
        reader.close()

    assert list(tmp_path.iterdir()) == []


def test_a_range_that_breaks_off_is_read_anew(world: World, tmp_path: Path) -> None:
    body = bytes(range(256)) * (10 * MIB // 256)
    broken = iter([True])

    def answer(request: Request) -> bytes | None:
        first, last = span(request)
        whole = http(206, body[first : last + 1], content_range=f"bytes {first}-{last}/{len(body)}")
        return whole[:100_000] if first and next(broken, False) else whole

    with Server(answer) as server:
        reader = world.reader(server.url, timeout_s=0.3)
        reader.download("key", tmp_path / "file", size_bytes=len(body))
        reader.close()

    assert (tmp_path / "file").read_bytes() == body


def test_ranges_of_a_longer_object_are_refused(world: World, tmp_path: Path) -> None:
    def answer(request: Request) -> bytes:
        first, last = span(request)
        return http(206, bytes(last - first + 1), content_range=f"bytes {first}-{last}/{99 * MIB}")

    with Server(answer) as server:
        reader = world.reader(server.url)
        with pytest.raises(ArtifactMismatch, match=f"expected {20 * MIB} bytes, the store holds {99 * MIB}"):
            reader.download("key", tmp_path / "file", size_bytes=20 * MIB)
        reader.close()


def test_a_disk_without_room_is_said_to_have_none(world: World, tmp_path: Path) -> None:
    with pytest.raises(InsufficientMemory, match="no room for 1125899906842624 bytes"):
        world.reader("http://127.0.0.1:9").download("key", tmp_path / "file", size_bytes=2**50)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("bucket", "region", "url", "endpoint"),
    [
        ("store", "eu-central-1", None, (True, "store.s3.eu-central-1.amazonaws.com", 443, "/")),
        ("store", "cn-north-1", None, (True, "store.s3.cn-north-1.amazonaws.com.cn", 443, "/")),
        ("my.store", "us-east-1", None, (True, "s3.us-east-1.amazonaws.com", 443, "/my.store/")),
        ("store", "us-east-1", "http://127.0.0.1:5000", (False, "127.0.0.1", 5000, "/store/")),
        ("store", "us-east-1", "https://s3.example/", (True, "s3.example", 443, "/store/")),
        ("store", "us-east-1", "http://host.docker.internal/s3", (False, "host.docker.internal", 80, "/s3/store/")),
    ],
)
def test_an_endpoint_is_where_the_bucket_is(
    bucket: str, region: str, url: str | None, endpoint: tuple[object, ...]
) -> None:
    assert Endpoint.of(bucket, region, url) == endpoint


@pytest.mark.parametrize("url", ["", "127.0.0.1:5000", "ftp://host", "http://", "http://host:port", "http:host"])
def test_an_endpoint_that_is_no_url_is_refused_by_name(url: str) -> None:
    with pytest.raises(InvalidSetting, match="store endpoint") as refused:
        Endpoint.of("store", "us-east-1", url)
    assert refused.value.name == "AWS_ENDPOINT_URL_S3"
