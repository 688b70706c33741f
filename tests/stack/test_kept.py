"""The store's objects on disk, as the twin keeps them with `--data`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from local.aws import kept
from local.aws.kept import Kept

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MIB = 1024 * 1024


@contextmanager
def life(folder: Path) -> Iterator[S3Client]:
    """One life of a twin that keeps its objects in a folder, with a bucket."""
    with mock_aws():
        kept.install(Kept(folder))
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="store")
        yield client
        kept.install(None)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "objects"
    kept.install(None)


def read(client: S3Client, key: str) -> bytes:
    return client.get_object(Bucket="store", Key=key)["Body"].read()


def test_an_object_is_there_in_the_next_life(folder: Path) -> None:
    with life(folder) as s3:
        s3.put_object(Bucket="store", Key="models/iris/a", Body=b"1\n2")
    with life(folder) as s3:
        assert read(s3, "models/iris/a") == b"1\n2"


def test_the_last_write_counts(folder: Path) -> None:
    with life(folder) as s3:
        s3.put_object(Bucket="store", Key="k", Body=b"1")
        s3.put_object(Bucket="store", Key="k", Body=b"2")
    with life(folder) as s3:
        assert read(s3, "k") == b"2"


def test_the_entity_tag_is_the_same(folder: Path) -> None:
    with life(folder) as s3:
        tag = s3.put_object(Bucket="store", Key="k", Body=b"1")["ETag"]
    with life(folder) as s3:
        assert s3.head_object(Bucket="store", Key="k")["ETag"] == tag


def test_a_deleted_object_stays_deleted(folder: Path) -> None:
    with life(folder) as s3:
        s3.put_object(Bucket="store", Key="k", Body=b"1")
        s3.delete_object(Bucket="store", Key="k")
    with life(folder) as s3:
        assert s3.list_objects_v2(Bucket="store")["KeyCount"] == 0


def test_objects_deleted_in_bulk_stay_deleted(folder: Path) -> None:
    with life(folder) as s3:
        for key in ("a", "b", "c"):
            s3.put_object(Bucket="store", Key=key, Body=b"1")
        s3.delete_objects(Bucket="store", Delete={"Objects": [{"Key": "a"}, {"Key": "b"}]})
    with life(folder) as s3:
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="store")["Contents"]] == ["c"]


def test_an_upload_in_parts_is_kept_whole(folder: Path) -> None:
    with life(folder) as s3:
        upload = s3.create_multipart_upload(Bucket="store", Key="k")["UploadId"]
        parts = []
        for number, body in ((1, b"a" * 5 * MIB), (2, b"b")):
            part = s3.upload_part(Bucket="store", Key="k", UploadId=upload, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
        s3.complete_multipart_upload(
            Bucket="store",
            Key="k",
            UploadId=upload,
            MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]  # built above
        )
    with life(folder) as s3:
        assert read(s3, "k") == b"a" * 5 * MIB + b"b"


def test_a_copy_is_kept(folder: Path) -> None:
    with life(folder) as s3:
        s3.put_object(Bucket="store", Key="a", Body=b"1")
        s3.copy_object(Bucket="store", Key="b", CopySource={"Bucket": "store", "Key": "a"})
    with life(folder) as s3:
        assert read(s3, "b") == b"1"


def test_a_key_that_is_another_keys_folder_is_kept(folder: Path) -> None:
    with life(folder) as s3:
        s3.put_object(Bucket="store", Key="a", Body=b"1")
        s3.put_object(Bucket="store", Key="a/b", Body=b"2")
        s3.put_object(Bucket="store", Key="../c", Body=b"3")
    with life(folder) as s3:
        assert [read(s3, key) for key in ("a", "a/b", "../c")] == [b"1", b"2", b"3"]


def test_a_deleted_bucket_is_forgotten(folder: Path) -> None:
    with life(folder) as s3:
        s3.put_object(Bucket="store", Key="k", Body=b"1")
        s3.delete_object(Bucket="store", Key="k")
        s3.delete_bucket(Bucket="store")
    assert list(folder.iterdir()) == []


def test_a_write_that_was_cut_off_is_not_seen(folder: Path) -> None:
    with life(folder) as s3:
        s3.put_object(Bucket="store", Key="k", Body=b"1")
    (folder / "store" / ".partial-x").write_bytes(b'{"key": "half"')
    with life(folder) as s3:
        assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="store")["Contents"]] == ["k"]
