"""Conditional writes on moto's S3, many at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws.server import AwsServer
from local.types import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WRITERS = 8
pytestmark = pytest.mark.xdist_group("moto in this process")


@pytest.fixture
def s3() -> Iterator[S3Client]:
    server = AwsServer(keep=None, after_change=lambda: None)
    config = Config(max_pool_connections=WRITERS, retries={"total_max_attempts": 1})
    session = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION)
    client = session.client("s3", endpoint_url=server.url, config=config)
    client.create_bucket(Bucket="store")
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # the server's threads take turns at every chance, also between a check and its write
    yield client
    sys.setswitchinterval(usual)
    server.stop()


def at_once(write: Callable[[int], object]) -> list[str]:
    """Let all writers write at the same moment; return what each came to, sorted."""
    together = threading.Barrier(WRITERS)

    def one(number: int) -> str:
        together.wait()
        try:
            write(number)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "written"

    with ThreadPoolExecutor(WRITERS) as pool:
        return sorted(pool.map(one, range(WRITERS)))


ONE_WINNER = ["PreconditionFailed"] * (WRITERS - 1) + ["written"]


def test_of_many_creators_one_wins(s3: S3Client) -> None:
    for round_ in range(5):
        key = f"claim-{round_}"
        outcome = at_once(lambda n, key=key: s3.put_object(Bucket="store", Key=key, Body=b"%d" % n, IfNoneMatch="*"))  # type: ignore[misc]
        assert outcome == ONE_WINNER


def test_of_many_who_replace_the_same_version_one_wins(s3: S3Client) -> None:
    tag = s3.put_object(Bucket="store", Key="live", Body=b"before")["ETag"]
    for round_ in range(5):
        outcome = at_once(
            lambda n, tag=tag, at=round_: s3.put_object(
                Bucket="store", Key="live", Body=b"%d %d" % (at, n), IfMatch=tag
            )  # type: ignore[misc]
        )
        assert outcome == ONE_WINNER
        tag = s3.head_object(Bucket="store", Key="live")["ETag"]


def test_of_many_uploads_in_parts_one_wins(s3: S3Client) -> None:
    uploads = []
    for number in range(WRITERS):
        upload = s3.create_multipart_upload(Bucket="store", Key="model")["UploadId"]
        part = s3.upload_part(Bucket="store", Key="model", UploadId=upload, PartNumber=1, Body=b"%d" % number)
        uploads.append((upload, part["ETag"]))

    def complete(number: int) -> object:
        upload, tag = uploads[number]
        return s3.complete_multipart_upload(
            Bucket="store",
            Key="model",
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]},
            IfNoneMatch="*",
        )

    assert at_once(complete) == ONE_WINNER
