"""The control plane on the twin: signed requests through the gateway to the packaged function."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from local.process import TwinProcess
from local.types import REGION
from model_store.gate import publish_file
from model_store.s3 import S3Objects
from tests.build import models

MODEL = "moved"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


def call(
    twin: TwinProcess, method: str, path: str, body: object = None, *, signed: bool = True, if_match: str | None = None
) -> Answer:
    """Send one request to the control plane, signed with the twin's credentials."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"} | ({} if if_match is None else {"if-match": if_match})
    request = AWSRequest(method, twin.address.admin_endpoint + path, data=data, headers=headers)
    if signed:
        credentials = twin.session.get_credentials()
        assert credentials is not None
        SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
    sent = urllib.request.Request(str(request.url), data, dict(request.headers), method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(sent) as response:  # noqa: S310 - the twin's own address
            return Answer(response.status, _lower(response.headers.items()), json.loads(response.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _lower(error.headers.items()), json.loads(error.read()))


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


@pytest.fixture(scope="module", autouse=True)
def two_versions(twin: TwinProcess, tmp_path_factory: pytest.TempPathFactory) -> None:
    source = tmp_path_factory.mktemp("model") / "model.onnx"
    source.write_bytes(models.identity())
    objects = S3Objects(twin.address.store, twin.session.client("s3", endpoint_url=twin.address.aws_endpoint_url))
    for _ in range(2):
        publish_file(source, MODEL, objects)


def test_a_signed_request_lists_the_models(twin: TwinProcess) -> None:
    answer = call(twin, "GET", "/models")
    assert answer.status == 200
    assert MODEL in json.dumps(answer.body)


def test_an_unsigned_request_never_reaches_the_function(twin: TwinProcess) -> None:
    answer = call(twin, "GET", "/models", signed=False)
    assert answer.status == 403
    assert list(answer.body) == ["error"]


def test_an_alias_moves_back_by_compare_and_set_and_a_second_mover_with_the_old_tag_is_refused(
    twin: TwinProcess,
) -> None:
    path = f"/models/{MODEL}/aliases/live"
    before = call(twin, "GET", path)
    tag = before.headers["etag"]
    assert before.body["version"] == 2
    assert call(twin, "PUT", path, {"version": 1}, if_match=tag).status == 200
    lost = call(twin, "PUT", path, {"version": 2}, if_match=tag)
    assert (lost.status, lost.body["code"]) == (412, "alias_moved")
    assert call(twin, "GET", path).body["version"] == 1


def test_a_model_that_is_not_there_is_a_problem_document(twin: TwinProcess) -> None:
    answer = call(twin, "GET", "/models/nothing")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.body["code"] == "model_not_found"
