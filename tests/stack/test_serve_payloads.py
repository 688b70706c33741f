"""Bodies by reference through `warmstart serve`: from a bucket and to one, below the prefixes that it was told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from tests.build.serving import Served, serving
from warmstart.protocols.wire import INPUT_LOCATION, OUTPUT_LOCATION

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

pytestmark = pytest.mark.xdist_group("moto in this process")

BUCKET = "bodies"
PATH = "/v2/models/adder/infer"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
INPUTS = [{"name": name, "shape": [1, 1], "datatype": "FP32", "data": [1.5]} for name in "ab"]


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Client]:
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    session = boto3.Session("test", "test", region_name="us-east-1")
    config = Config(signature_version="s3v4")
    with closing(session.client("s3", endpoint_url=f"http://{host}:{port}", config=config)) as client:
        client.create_bucket(Bucket=BUCKET)
        yield client
    moto.stop()


@pytest.fixture(scope="module")
def served(s3: S3Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ("--payload-locations", f"s3://{BUCKET}/in/,s3://{BUCKET}/out/", "--max-body-mb", "1")
    environ = {**KEYS, "AWS_ENDPOINT_URL_S3": s3.meta.endpoint_url}
    with serving(tmp_path_factory.mktemp("serve"), *options, **environ) as running:
        yield running


def send(served: Served, headers: Mapping[str, str], body: bytes = b"") -> tuple[int, Any]:
    with closing(served.connect()) as connection:
        connection.request("POST", PATH, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def put(s3: S3Client, key: str, body: bytes) -> str:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType="application/json")
    return f"s3://{BUCKET}/{key}"


def test_a_body_comes_from_s3_and_the_answer_goes_there(served: Served, s3: S3Client) -> None:
    source = put(s3, "in/rows.json", json.dumps({"inputs": INPUTS}).encode())
    status, answer = send(served, {INPUT_LOCATION: source, OUTPUT_LOCATION: f"s3://{BUCKET}/out/rows.json"})

    stored = s3.get_object(Bucket=BUCKET, Key="out/rows.json")
    written = stored["Body"].read()
    assert (status, answer["location"]) == (200, f"s3://{BUCKET}/out/rows.json"), answer
    assert (answer["size_bytes"], stored["ContentType"]) == (len(written), "application/json")
    assert json.loads(written)["outputs"][0]["data"] == [3.0]


def test_it_may_be_presigned(served: Served, s3: S3Client) -> None:
    put(s3, "in/signed.json", json.dumps({"inputs": INPUTS}).encode())
    source = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "in/signed.json"})
    status, answer = send(served, {INPUT_LOCATION: source})

    assert (status, answer["outputs"][0]["data"]) == (200, [3.0])


def test_outside_of_the_prefixes_nothing_is_read(served: Served, s3: S3Client) -> None:
    status, answer = send(served, {INPUT_LOCATION: put(s3, "secret.json", b"{}")})

    assert status == 400
    assert "expected an object below s3://bodies/in/, s3://bodies/out/" in answer["error"]


def test_a_body_above_the_servers_limit_is_not_read(served: Served, s3: S3Client) -> None:
    status, answer = send(served, {INPUT_LOCATION: put(s3, "in/large", bytes(1024 * 1024 + 1))})

    assert status == 413
    assert answer["error"].startswith("s3://bodies/in/large: expected at most 1048576 bytes, got 1048577; send fewer")


def test_without_prefixes_references_are_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as without:
        status, answer = send(without, {INPUT_LOCATION: f"s3://{BUCKET}/in/rows.json"})

    assert (status, "this stage takes no references" in answer["error"]) == (400, True)
