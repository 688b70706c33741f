"""Bodies above Lambda's 6 MB by reference, on the twin: from a bucket beside the store, through function and role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config

from local.process import TwinProcess
from tests.build import models
from tests.build.twin_client import publish
from warmstart.protocols.wire import INPUT_LOCATION, OUTPUT_LOCATION

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

BUCKET = "bodies"
ROWS = 600_000
"""Of two numbers: 9 MB as JSON, and the answer is 6.6 MB."""


@pytest.fixture(scope="module")
def s3(twin: TwinProcess) -> Iterator[S3Client]:
    client = twin.session.client(
        "s3", endpoint_url=twin.address.aws_endpoint_url, config=Config(signature_version="s3v4")
    )
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.close()


@pytest.fixture(scope="module")
def endpoint(twin: TwinProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwinProcess]:
    """The twin with `payload_locations` and y = 2x; as it was afterwards."""
    publish(twin, tmp_path_factory.mktemp("models"), "by-reference", models.scale(2.0))
    allowed = ("payload_locations", f"s3://{BUCKET}/in/,s3://{BUCKET}/out/")
    replace(twin.cdk, context=(*twin.cdk.context, allowed)).deploy(update=True)
    yield twin
    twin.cdk.deploy(update=True)


def send(twin: TwinProcess, headers: dict[str, str]) -> tuple[int, dict[str, str], Any]:
    """Send a request without a body."""
    url = urlsplit(twin.address.endpoint)
    connection = HTTPConnection(str(url.hostname), url.port, timeout=60)
    path = f"{url.path}/v2/models/by-reference/infer"
    connection.request("POST", path, b"", {"x-api-key": twin.address.api_key, **headers})
    response = connection.getresponse()
    answer = response.status, {name.lower(): value for name, value in response.getheaders()}, json.load(response)
    connection.close()
    return answer


def body() -> bytes:
    data = [1.125, 2.0625] * ROWS
    return json.dumps({"inputs": [{"name": "x", "shape": [ROWS, 2], "datatype": "FP32", "data": data}]}).encode()


def test_7_mb_come_from_s3_and_the_answer_goes_there(endpoint: TwinProcess, s3: S3Client) -> None:
    sent = body()
    assert len(sent) > 7_000_000
    s3.put_object(Bucket=BUCKET, Key="in/rows.json", Body=sent, ContentType="application/json")

    status, headers, answer = send(
        endpoint, {INPUT_LOCATION: f"s3://{BUCKET}/in/rows.json", OUTPUT_LOCATION: f"s3://{BUCKET}/out/rows.json"}
    )

    assert (status, headers["x-model-version"]) == (200, "1"), answer
    stored = s3.get_object(Bucket=BUCKET, Key="out/rows.json")
    written = stored["Body"].read()
    assert len(written) > 6_291_556
    assert answer == {
        "location": f"s3://{BUCKET}/out/rows.json",
        "content_type": "application/json",
        "size_bytes": len(written),
    }
    assert stored["ContentType"] == "application/json"
    assert json.loads(written)["outputs"][0]["data"] == [2.25, 4.125] * ROWS


def test_who_has_no_rights_of_the_functions_presigns_both_ways(endpoint: TwinProcess, s3: S3Client) -> None:
    s3.put_object(Bucket=BUCKET, Key="in/signed.json", Body=body(), ContentType="application/json")
    source = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "in/signed.json"})
    target = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "out/signed.json"})

    status, _, answer = send(endpoint, {INPUT_LOCATION: source, OUTPUT_LOCATION: target})

    assert (status, answer["location"]) == (200, f"s3://{BUCKET}/out/signed.json")
    assert s3.head_object(Bucket=BUCKET, Key="out/signed.json")["ContentLength"] == answer["size_bytes"]


def test_outside_of_the_prefixes_nothing_is_read(endpoint: TwinProcess, s3: S3Client) -> None:
    s3.put_object(Bucket=BUCKET, Key="secret.json", Body=b"{}")

    status, _, answer = send(endpoint, {INPUT_LOCATION: f"s3://{BUCKET}/secret.json"})

    assert status == 400
    assert "expected an object below s3://bodies/in/, s3://bodies/out/" in answer["error"]
