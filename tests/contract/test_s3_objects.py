"""How S3's refusals and lost answers become our errors: some are put into the SDK's hands, moto does the rest."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from model_store.objects import Sent
from model_store.s3 import S3Objects
from tests.build.stores import MIB
from tests.build.wire import Last, Request, Server
from warmstart.errors import ObjectNotFound, PreconditionFailed, StoreDenied, StoreUnavailable, WarmstartError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


class Body(io.BytesIO):
    """An answer's body as the SDK reads it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


def error(status: int, code: str) -> Callable[[Any], AWSResponse]:
    """Answer in S3's error format."""
    body = f"<Error><Code>{code}</Code><Message>said S3</Message></Error>".encode()
    return lambda request: AWSResponse(request.url, status, {}, Body(body))  # type: ignore[arg-type]


def own(_request: Any) -> None:
    """Let moto answer."""


class Client:
    """An SDK client of moto; `answers` are given first, in order, in moto's place (None: moto's own)."""

    def __init__(self, url: str) -> None:
        self.answers: list[Callable[[Any], AWSResponse | None]] = []
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        config = Config(retries={"mode": "standard", "total_max_attempts": 2})
        self.s3: S3Client = session.client("s3", endpoint_url=url, config=config)
        self.s3.meta.events.register("before-send.s3", self._answer)  # type: ignore[arg-type]  # may answer, as here

    def _answer(self, request: Any, **_: object) -> AWSResponse | None:
        return self.answers.pop(0)(request) if self.answers else None


@pytest.fixture
def client(moto_url: str) -> Iterator[Client]:
    opened = Client(moto_url)
    yield opened
    opened.s3.close()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def objects(client: Client, bucket: str, slept: list[float]) -> S3Objects:
    return S3Objects(bucket, client.s3, sleep=slept.append, rng=lambda: 0.5, part_bytes=5 * MIB)


@pytest.fixture
def elsewhere(bucket: str, s3_client: S3Client) -> S3Objects:
    """The same bucket, by another client."""
    return S3Objects(bucket, s3_client)


@pytest.mark.parametrize(
    ("status", "code", "expected", "said"),
    [
        (403, "AccessDenied", StoreDenied, "key: the store refused: AccessDenied said S3"),
        (403, "InvalidAccessKeyId", StoreDenied, "InvalidAccessKeyId"),
        (400, "ExpiredToken", StoreDenied, "ExpiredToken"),
        (404, "NoSuchKey", ObjectNotFound, "key: the store holds nothing"),
        (404, "NoSuchBucket", StoreUnavailable, "there is no such bucket: is the stage deployed"),
        (400, "BadDigest", StoreUnavailable, "key: the store answered BadDigest said S3"),
    ],
)
def test_an_error_of_s3_becomes_ours(
    client: Client, objects: S3Objects, status: int, code: str, expected: type[WarmstartError], said: str
) -> None:
    client.answers = [error(status, code)]

    with pytest.raises(expected, match=said):
        objects.get("key")


def test_a_store_that_is_not_there_is_unavailable(bucket: str) -> None:
    with_nobody = Client("http://127.0.0.1:9")

    with pytest.raises(StoreUnavailable, match="key: the store is not reachable"):
        S3Objects(bucket, with_nobody.s3).get("key")
    with_nobody.s3.close()


def test_a_contended_write_is_tried_again(client: Client, objects: S3Objects, slept: list[float]) -> None:
    client.answers = [error(409, "ConditionalRequestConflict")] * 2

    objects.put("key", b"1", if_absent=True)

    assert objects.get("key").body == b"1"
    assert slept == pytest.approx([0.15, 0.3])


def test_a_write_that_stays_contended_is_given_up(client: Client, objects: S3Objects) -> None:
    client.answers = [error(409, "ConditionalRequestConflict")] * 5

    with pytest.raises(StoreUnavailable, match="key: others wrote it each of 5 times"):
        objects.put("key", b"1", if_absent=True)


def test_a_contended_upload_in_parts_is_started_anew(
    client: Client, objects: S3Objects, tmp_path: Path, s3_client: S3Client, bucket: str
) -> None:
    (tmp_path / "file").write_bytes(bytes(6 * MIB))
    # list, create, two parts, complete
    client.answers = [own, own, own, own, error(409, "ConditionalRequestConflict")]

    objects.upload("key", tmp_path / "file", if_absent=True)

    assert objects.get("key").body == bytes(6 * MIB)
    assert "Uploads" not in s3_client.list_multipart_uploads(Bucket=bucket)


def then(write: Callable[[], object], answer: Callable[[Any], AWSResponse]) -> Callable[[Any], AWSResponse]:
    """Write something elsewhere before the answer."""

    def answered(request: Any) -> AWSResponse:
        write()
        return answer(request)

    return answered


def lost(write: Callable[[], object]) -> Callable[[Any], AWSResponse]:
    """Carry a write out, and lose the answer."""
    return then(write, error(500, "InternalError"))


def test_a_write_whose_answer_was_lost_is_not_taken_for_somebody_elses(
    client: Client, objects: S3Objects, elsewhere: S3Objects
) -> None:
    client.answers = [lost(lambda: elsewhere.put("claim", b"mine", if_absent=True))]

    etag = objects.put("claim", b"mine", if_absent=True)

    assert objects.get("claim") == (b"mine", etag)


def test_a_write_that_somebody_else_was_faster_with_is_refused_even_after_a_fault(
    client: Client, objects: S3Objects, elsewhere: S3Objects
) -> None:
    client.answers = [lost(lambda: elsewhere.put("claim", b"theirs", if_absent=True))]

    with pytest.raises(PreconditionFailed, match="claim"):
        objects.put("claim", b"mine", if_absent=True)
    assert objects.get("claim").body == b"theirs"


def test_a_move_whose_answer_was_lost_is_not_taken_for_somebody_elses(
    client: Client, objects: S3Objects, elsewhere: S3Objects
) -> None:
    seen = objects.put("alias", b"1")
    client.answers = [lost(lambda: elsewhere.put("alias", b"2", if_match=seen))]

    etag = objects.put("alias", b"2", if_match=seen)

    assert objects.get("alias") == (b"2", etag)


def test_an_upload_that_fails_keeps_its_parts_for_the_next_attempt(
    client: Client, objects: S3Objects, tmp_path: Path, s3_client: S3Client, bucket: str
) -> None:
    (tmp_path / "file").write_bytes(bytes(6 * MIB))
    client.answers = [own, own, error(403, "AccessDenied"), error(403, "AccessDenied")]  # list, create, two parts

    with pytest.raises(StoreDenied):
        objects.upload("key", tmp_path / "file", if_absent=True)
    [upload] = s3_client.list_multipart_uploads(Bucket=bucket)["Uploads"]

    objects.upload("key", tmp_path / "file", if_absent=True)

    assert objects.get("key").body == bytes(6 * MIB)
    assert "Uploads" not in s3_client.list_multipart_uploads(Bucket=bucket)
    assert upload["Key"] == "key"


def test_who_may_not_list_uploads_may_publish_all_the_same(client: Client, objects: S3Objects, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(6 * MIB))
    client.answers = [error(403, "AccessDenied")]

    objects.upload("key", tmp_path / "file")

    assert objects.get("key").body == bytes(6 * MIB)


def send_first_part(s3_client: S3Client, bucket: str, body: bytes) -> None:
    upload = s3_client.create_multipart_upload(Bucket=bucket, Key="key")
    s3_client.upload_part(Bucket=bucket, Key="key", UploadId=upload["UploadId"], PartNumber=1, Body=body)


def test_parts_that_were_cut_otherwise_are_not_continued(
    objects: S3Objects, tmp_path: Path, s3_client: S3Client, bucket: str
) -> None:
    body = bytes(6 * MIB) + b"end"
    (tmp_path / "file").write_bytes(body)
    send_first_part(s3_client, bucket, bytes(6 * MIB))

    objects.upload("key", tmp_path / "file")

    assert objects.get("key").body == body


def test_a_part_of_other_bytes_is_sent_again(
    objects: S3Objects, tmp_path: Path, s3_client: S3Client, bucket: str
) -> None:
    body = bytes(5 * MIB) + b"end"
    (tmp_path / "file").write_bytes(body)
    send_first_part(s3_client, bucket, b"x" * 5 * MIB)
    heard: list[Sent] = []

    objects.upload("key", tmp_path / "file", on_bytes=heard.append)

    assert objects.get("key").body == body
    assert not any(sent.found for sent in heard)


def test_an_upload_that_another_publisher_of_the_same_bytes_completed_is_done(
    client: Client, objects: S3Objects, elsewhere: S3Objects, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(bytes(6 * MIB))
    gone = then(lambda: elsewhere.put("key", bytes(6 * MIB)), error(404, "NoSuchUpload"))
    client.answers = [own, own, own, own, gone]  # list, create, two parts, complete

    objects.upload("key", tmp_path / "file")

    assert objects.get("key").body == bytes(6 * MIB)


def test_an_upload_that_a_rule_removed_is_begun_anew(client: Client, objects: S3Objects, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(6 * MIB))
    client.answers = [own, own, own, own, error(404, "NoSuchUpload")]

    objects.upload("key", tmp_path / "file")

    assert objects.get("key").body == bytes(6 * MIB)


def test_a_download_that_breaks_off_each_time_is_unavailable(tmp_path: Path) -> None:
    def cut(request: Request) -> bytes:
        head = b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\netag: "1"\r\n\r\n'
        return Last(head if request.method == "HEAD" else head + b"half")

    with Server(cut) as server:
        client = Client(server.url)
        with pytest.raises(StoreUnavailable, match="artifact: the store is not reachable"):
            S3Objects("store", client.s3).download("artifact", tmp_path / "file", size_bytes=100)
        client.s3.close()
    assert list(tmp_path.iterdir()) == []
