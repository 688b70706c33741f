"""A server of the Open Inference Protocol that answers what it was sent, bytes as bytes: the specifications' own words.

Sources: Open Inference Protocol, inference_rest.md; triton-inference-server/server, docs/protocol/
extension_binary_data.md. It knows nothing of datatypes: a tensor's bytes are the `binary_data_size` next ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tests.build.http_answers import Endpoint, Given, Sent, serving

MODEL = "/prod/v2/models/echo"
LENGTH = "Inference-Header-Content-Length"


@contextmanager
def echoing(
    inputs: Mapping[str, tuple[str, Sequence[int]]],
    *,
    extensions: Sequence[str] = ("classification", "binary_tensor_data"),
) -> Iterator[Endpoint]:
    """Serve a model `echo` whose inputs are also its outputs: `{name: (datatype, shape)}`."""

    def answer(sent: Sent) -> Given:
        if sent.path == "/prod/v2":
            return written({"name": "echo", "version": "1", "extensions": list(extensions)})
        if sent.path == MODEL:
            specs = [{"name": name, "datatype": kind, "shape": list(shape)} for name, (kind, shape) in inputs.items()]
            return written({"name": "echo", "versions": ["7"], "platform": "", "inputs": specs, "outputs": specs})
        assert (sent.method, sent.path) == ("POST", f"{MODEL}/infer")
        return echo(sent)

    with serving(answer) as endpoint:
        yield endpoint


def split(body: bytes, headers: Mapping[str, str]) -> tuple[Any, bytes]:
    """Split a body into its JSON and the bytes behind it."""
    length = int(headers.get(LENGTH.lower(), len(body)))
    return json.loads(body[:length]), body[length:]


def echo(sent: Sent) -> Given:
    """Answer a request's inputs as outputs: as bytes if they came so."""
    document, tail = split(sent.body, sent.headers)
    outputs, parts = [], []
    for given in document["inputs"]:
        size = given.get("parameters", {}).get("binary_data_size")
        if size is not None:
            assert "data" not in given
            parts.append(tail[:size])
            tail = tail[size:]
        outputs.append(given)
    assert tail == b""
    return written({"model_name": "echo", "model_version": "7", "outputs": outputs}, b"".join(parts))


def written(document: Any, tail: bytes = b"") -> Given:
    """Write an answer; one with bytes says where they begin."""
    head = json.dumps(document).encode()
    headers = {"x-model-version": "7", "x-request-id": "r-7", "content-type": "application/json"}
    if tail:
        headers |= {LENGTH: str(len(head)), "content-type": "application/octet-stream"}
    return Given(200, head + tail, headers)
