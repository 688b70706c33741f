"""SageMaker's own client, unmodified, against the twin: boto3's `sagemaker-runtime`, with the API key in a header."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from local.process import TwinProcess
from tests.build import models
from tests.build.twin_client import publish

Client = Any
"""The service's client: made from its description, so that it has no type of its own."""
NAME = "sagemaker-doubler"


@pytest.fixture(scope="module", params=["signed", "unsigned"])
def client(
    twin: TwinProcess, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Client]:
    publish(twin, tmp_path_factory.mktemp("sagemaker"), NAME, models.scale())
    made = boto3.client(
        "sagemaker-runtime",
        endpoint_url=twin.address.endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(signature_version=UNSIGNED if request.param == "unsigned" else None, retries={"max_attempts": 0}),
    )

    def add_key(request: Any, **_: object) -> None:
        request.headers["x-api-key"] = twin.address.api_key

    made.meta.events.register("before-sign.sagemaker-runtime.InvokeEndpoint", add_key)
    yield made
    made.close()


def test_json_is_answered_in_json(client: Client) -> None:
    answered = client.invoke_endpoint(EndpointName=NAME, Body=b"[[1, 2]]", ContentType="application/json")
    assert json.loads(answered["Body"].read()) == [[2.0, 4.0]]
    assert (answered["ContentType"], answered["InvokedProductionVariant"]) == ("application/json", "AllTraffic")


def test_csv_is_answered_in_csv(client: Client) -> None:
    answered = client.invoke_endpoint(
        EndpointName=f"{NAME}@live", Body=b"1,2\n3,4\n", ContentType="text/csv", Accept="text/csv", TargetVariant="live"
    )
    assert answered["Body"].read() == b"2.0,4.0\n6.0,8.0\n"
    assert answered["InvokedProductionVariant"] == "live"


def test_an_array_is_answered_by_an_array(client: Client) -> None:
    buffer = BytesIO()
    np.save(buffer, np.array([[0.1, 2]]), allow_pickle=False)
    answered = client.invoke_endpoint(
        EndpointName="any",
        TargetModel=f"{NAME}.tar.gz",
        Body=buffer.getvalue(),
        ContentType="application/x-npy",
        Accept="application/x-npy",
    )
    found = np.load(BytesIO(answered["Body"].read()), allow_pickle=False)
    assert np.array_equal(found, np.array([[0.1, 2]], np.float32) * 2)


def test_errors_are_the_clients_own(client: Client) -> None:
    with pytest.raises(client.exceptions.ModelError) as refused:
        client.invoke_endpoint(EndpointName=NAME, Body=b"[[1]]", ContentType="application/json")
    message = "input 'x': expected an array of 2 FP32 values, got 1 in record 0"
    assert refused.value.response["OriginalStatusCode"] == 400
    assert refused.value.response["OriginalMessage"] == message
    with pytest.raises(client.exceptions.ValidationError, match="nothing of this name has been published"):
        client.invoke_endpoint(EndpointName="nothing", Body=b"[[1, 2]]", ContentType="application/json")


@pytest.mark.usefixtures("client")
def test_the_documentations_example_works(twin: TwinProcess, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol-sagemaker.md").read_text()
    example = page.split("```python\n")[1].split("```")[0].replace('"doubler"', f'"{NAME}"')
    exec(example, {"endpoint": twin.address.endpoint, "key": twin.address.api_key})  # noqa: S102 - our own page
    assert capsys.readouterr().out == "b'2.0,4.0\\n'\n"
