"""moto's server on more than one socket: this machine's own, and where containers reach it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import boto3
import pytest

from local.aws.server import AwsServer
from local.types import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.xdist_group("moto in this process")


def listening() -> socket.socket:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    return bound


def s3_at(url: str) -> S3Client:
    return boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION).client("s3", endpoint_url=url)


def test_what_is_put_by_one_socket_is_read_by_the_other() -> None:
    server = AwsServer(keep=None, after_change=lambda: None)
    try:
        bound = listening()
        other = f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.listen(bound)
        s3_at(server.url).create_bucket(Bucket="models")
        assert [bucket["Name"] for bucket in s3_at(other).list_buckets()["Buckets"]] == ["models"]
    finally:
        server.stop()


def test_a_stopped_server_leaves_neither_socket() -> None:
    server = AwsServer(keep=None, after_change=lambda: None)
    bound = listening()
    ports = (server.port, bound.getsockname()[1])
    server.listen(bound)
    server.stop()
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
