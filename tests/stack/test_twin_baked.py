"""Models in a layer, on the twin: read at synthesis from the store, found by the handler before it asks S3."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local.process import TwinProcess
from model_store import keys
from model_store.gate import publish_file
from model_store.s3 import S3Objects
from tests.build import models

NAME = "in-a-layer"


@pytest.fixture
def baked(twin: TwinProcess, tmp_path: Path) -> Iterator[None]:
    """Publish, deploy with the version baked, and take its files out of the store; all is undone afterwards."""
    s3 = twin.session.client("s3", endpoint_url=twin.address.aws_endpoint_url)
    source = tmp_path / "model.onnx"
    source.write_bytes(models.scale(3.0))
    publish_file(source, NAME, S3Objects(twin.address.store, s3))
    replace(twin.cdk, context=(*twin.cdk.context, ("baked_models", f"{NAME}:1"))).deploy(update=True)
    for key in (keys.manifest(NAME, 1), keys.artifact(NAME, 1, "model.onnx")):
        s3.delete_object(Bucket=twin.address.store, Key=key)
    yield
    twin.cdk.deploy(update=True)


@pytest.mark.usefixtures("baked")
def test_a_baked_version_answers_with_nothing_but_its_alias_in_the_store(twin: TwinProcess) -> None:
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1.0, 2.0]}
    request = urllib.request.Request(  # noqa: S310 - the twin's own address
        f"{twin.address.endpoint}/v2/models/{NAME}/infer",
        json.dumps({"inputs": [tensor]}).encode(),
        {"x-api-key": twin.address.api_key, "content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310
        answer = json.loads(response.read())
    assert (answer["model_version"], answer["outputs"][0]["data"]) == ("1", [3.0, 6.0])
