"""Bodies by reference: in memory and on S3 alike, and what S3 may answer on a bad day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import boto3
import pytest
from botocore.config import Config

from model_store.payload_locations import Location, Locations, Prefix
from model_store.payload_objects import MemoryPayloads, Payload, PayloadObjects
from model_store.s3_endpoint import Endpoint
from model_store.s3_payloads import S3Payloads
from model_store.sigv4 import Credentials
from tests.build.wire import Request, Server, http
from warmstart.errors import BodyTooLarge, InvalidRequest, ObjectNotFound, StoreDenied, StoreUnavailable, WarmstartError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

REGION = "us-east-1"
LIMIT = 1024


def s3_payloads(sleep: Callable[[float], None] = lambda _: None) -> S3Payloads:
    return S3Payloads(region=REGION, credentials=lambda: Credentials("test", "test"), timeout_s=0.5, sleep=sleep)


class Place(NamedTuple):
    """Objects, and a location among them."""

    objects: PayloadObjects
    location: Location


@pytest.fixture(params=["memory", "s3"])
def place(request: pytest.FixtureRequest, moto_url: str, bucket: str) -> Place:
    objects = MemoryPayloads() if request.param == "memory" else s3_payloads()
    return Place(objects, Location(bucket, "in/é a+b.json", Endpoint.of(bucket, REGION, moto_url)))


@pytest.fixture
def signing_client(moto_url: str) -> Iterator[S3Client]:
    """A client that presigns by Signature Version 4."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    client = session.client("s3", endpoint_url=moto_url, config=Config(signature_version="s3v4"))
    yield client
    client.close()


def test_what_was_put_is_got_with_how_it_is_read(place: Place) -> None:
    payload = Payload(b"\x00body\xff", "text/csv; charset=utf-8", "gzip", (("header-length", "7"),))
    place.objects.put(place.location, payload)

    assert place.objects.get(place.location, limit_bytes=LIMIT) == payload._replace(metadata=())


def test_what_is_there_is_overwritten(place: Place) -> None:
    place.objects.put(place.location, Payload(b"first", "text/plain"))
    place.objects.put(place.location, Payload(b"second", "text/plain"))

    assert place.objects.get(place.location, limit_bytes=LIMIT).body == b"second"


def test_nothing_is_not_found(place: Place) -> None:
    with pytest.raises(ObjectNotFound) as caught:
        place.objects.get(place.location, limit_bytes=LIMIT)

    assert caught.value.message == f"{place.location}: S3 holds nothing there"


def test_an_object_above_the_limit_is_refused_and_one_at_it_is_not(place: Place) -> None:
    place.objects.put(place.location, Payload(bytes(5), "text/plain"))

    assert place.objects.get(place.location, limit_bytes=5).body == bytes(5)
    with pytest.raises(BodyTooLarge, match=r"expected at most 4 bytes, got 5; send fewer rows"):
        place.objects.get(place.location, limit_bytes=4)


def test_metadata_is_that_of_the_object(moto_url: str, bucket: str, s3_client: S3Client) -> None:
    location = Location(bucket, "out/a", Endpoint.of(bucket, REGION, moto_url))
    s3_payloads().put(location, Payload(b"body", "text/plain", "", (("inference-header-content-length", "7"),)))

    head = s3_client.head_object(Bucket=bucket, Key="out/a")
    assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"inference-header-content-length": "7"})


def test_a_url_that_boto3_presigned_is_read_and_written(
    moto_url: str, bucket: str, s3_client: S3Client, signing_client: S3Client
) -> None:
    locations = Locations((Prefix(bucket, ""),), REGION, moto_url)
    where = {"Bucket": bucket, "Key": "a b/é+.json"}
    put = locations.find(signing_client.generate_presigned_url("put_object", Params=where), header="x")
    get = locations.find(signing_client.generate_presigned_url("get_object", Params=where), header="x")

    s3_payloads().put(put, Payload(b"body", "text/plain", "", (("unsigned", "1"),)))

    assert s3_payloads().get(get, limit_bytes=LIMIT) == Payload(b"body", "text/plain")
    assert s3_client.head_object(Bucket=bucket, Key="a b/é+.json")["Metadata"] == {}


def test_a_presigned_url_is_sent_with_its_query_and_no_signature_of_ours() -> None:
    with Server(lambda _: http(200, b"body")) as server:
        s3_payloads().get(at(server)._replace(query="X-Amz-Signature=0a"), limit_bytes=LIMIT)

    [request] = server.requests
    assert request.path == "/bodies/a?X-Amz-Signature=0a"
    assert "authorization" not in {name.lower() for name in request.headers}


def at(server: Server) -> Location:
    return Location("bodies", "a", Endpoint.of("bodies", REGION, server.url))


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code></Error>".encode()


@pytest.mark.parametrize(
    ("answer", "query", "expected", "message"),
    [
        (http(403, error("AccessDenied")), "", InvalidRequest, "S3 refused it (403 AccessDenied); is it there"),
        (http(403, error("AccessDenied")), "X=1", InvalidRequest, "(403 AccessDenied); presign it anew"),
        (http(400, error("ExpiredToken")), "X=1", InvalidRequest, "S3 did not understand it (400 ExpiredToken)"),
        (http(400, error("ExpiredToken")), "", StoreDenied, "the function's credentials (400 ExpiredToken)"),
        (http(404, error("NoSuchBucket")), "", ObjectNotFound, "S3 holds nothing there"),
        (
            http(307, error("TemporaryRedirect"), location="http://169.254.169.254/"),
            "",
            InvalidRequest,
            "sent elsewhere (307 TemporaryRedirect); expected a bucket of the stage's own region",
        ),
    ],
)
def test_a_refusal_is_told_once_asked(answer: bytes, query: str, expected: type[WarmstartError], message: str) -> None:
    with Server(lambda _: answer) as server, pytest.raises(expected) as caught:
        s3_payloads().get(at(server)._replace(query=query), limit_bytes=LIMIT)

    assert message in caught.value.message
    assert type(caught.value) is expected
    assert len(server.requests) == 1


def test_an_object_that_says_it_is_too_large_is_not_read() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1025\r\n\r\n"  # its body never comes
    with Server(lambda _: head) as server, pytest.raises(BodyTooLarge, match="got 1025"):
        s3_payloads().get(at(server), limit_bytes=LIMIT)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (http(503, error("SlowDown")), "status 503 SlowDown"),
        (b"", "no answer within 0.5 s"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", "does not say how long it is"),
        (b"gibberish\r\n\r\n", "BadStatusLine"),
    ],
)
def test_what_may_pass_is_tried_three_times(answer: bytes, trouble: str) -> None:
    slept: list[float] = []
    with Server(lambda _: answer) as server, pytest.raises(StoreUnavailable) as caught:
        s3_payloads(slept.append).get(at(server), limit_bytes=LIMIT)

    assert caught.value.message.startswith("s3://bodies/a: S3 did not answer in 3 attempts; the last: ")
    assert trouble in caught.value.message
    assert (len(server.requests), slept) == (3, [0.2, 0.4])


def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    def first_broken(request: Request) -> bytes:
        return http(200, b"body") if request.connection else b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbo"

    with Server(first_broken) as server:
        assert s3_payloads().get(at(server), limit_bytes=LIMIT).body == b"body"
