"""A running twin as its clients meet it: publish, ask over HTTP, wait."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from local.process import TwinProcess
from local.types import TwinAddress
from model_store.gate import publish_file
from model_store.s3 import S3Objects


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


def ask(address: TwinAddress, method: str, path: str, body: object = None, *, key: str | None = None) -> Answer:
    """Send one request on a connection of its own."""
    url = urlsplit(address.endpoint)
    connection = HTTPConnection(str(url.hostname), url.port, timeout=60)
    headers = {"x-api-key": address.api_key if key is None else key, "content-type": "application/json"}
    connection.request(method, url.path + path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    answer = Answer(
        response.status, {name.lower(): value for name, value in response.getheaders()}, json.loads(response.read())
    )
    connection.close()
    return answer


def infer(address: TwinAddress, model: str, name: str, datatype: str, data: list[Any], shape: list[int]) -> Answer:
    """Send one tensor."""
    tensor = {"name": name, "datatype": datatype, "shape": shape, "data": data}
    return ask(address, "POST", f"/v2/models/{model}/infer", {"inputs": [tensor]})


def store(twin: TwinProcess) -> S3Objects:
    """The twin's store, as publishers reach it."""
    client = twin.session.client("s3", endpoint_url=twin.address.aws_endpoint_url)
    return S3Objects(twin.address.store, client)


def publish(twin: TwinProcess, tmp_path: Path, name: str, graph: bytes) -> int:
    """Publish a model, return its version."""
    source = tmp_path / f"{name}.onnx"
    source.write_bytes(graph)
    return publish_file(source, name, store(twin)).manifest.version


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens soon."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in 30 s")
