"""One moto server for the session, a fresh bucket per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from model_store.file import FileObjects
from model_store.memory import MemoryObjects
from model_store.objects import ObjectStore
from model_store.s3 import S3Objects
from model_store.s3_reader import S3Reader
from model_store.sigv4 import Credentials
from tests.build.stores import MIB, Pair

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The address of a running moto server."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def s3_client(moto_url: str) -> Iterator[S3Client]:
    """A boto3 client of the moto server."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    client = session.client("s3", endpoint_url=moto_url)
    yield client
    client.close()


@pytest.fixture
def bucket(s3_client: S3Client) -> str:
    """A new bucket's name."""
    name = f"store-{uuid4().hex[:12]}"
    s3_client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3_reader(moto_url: str, bucket: str) -> Iterator[S3Reader]:
    """The data plane's client on the bucket."""
    reader = S3Reader(
        bucket, region="us-east-1", credentials=lambda: Credentials("test", "test"), endpoint_url=moto_url
    )
    yield reader
    reader.close()


@pytest.fixture(params=["memory", "file", "s3", "s3_prefix"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    """Each implementation of `ObjectStore`, empty."""
    return opened(request, request.param)


@pytest.fixture(params=["memory", "file", "s3", "s3_prefix", "s3_reader"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Each implementation of `ObjectReader`, over an empty store."""
    if request.param == "s3_reader":
        reader: S3Reader = request.getfixturevalue("s3_reader")
        return Pair(reader, opened(request, "s3"))
    objects = opened(request, request.param)
    return Pair(objects, objects)


def opened(request: pytest.FixtureRequest, kind: str) -> ObjectStore:
    """Open an empty store of a kind; on S3, parts have 5 MiB, the least that it takes, so that they are exercised."""
    if kind == "memory":
        return MemoryObjects()
    if kind == "file":
        folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("store")
        return FileObjects(folder)
    prefix = "team/models of ours/" if kind == "s3_prefix" else ""
    bucket, client = request.getfixturevalue("bucket"), request.getfixturevalue("s3_client")
    return S3Objects(bucket, client, prefix=prefix, part_bytes=5 * MIB)
