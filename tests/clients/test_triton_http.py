"""Triton's HTTP client, unmodified, against `warmstart serve` and against the twin: docs/http-api.md."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from tests.clients.conftest import WAIT_S, Endpoints
from tests.clients.models import DATATYPES
from tests.clients.test_triton_grpc import NUMPY

AS_BYTES = {"FP16", "BF16"}
"""tritonclient has no other way to send them."""
JSON = {**NUMPY, "FP32": np.array([[1e-45, 3.5]], np.float32), "FP64": np.array([[5e-324, -2.5]])}


@pytest.fixture(scope="session")
def client(served: Endpoints) -> Iterator[triton.InferenceServerClient]:
    assert served.http is not None
    with triton.InferenceServerClient(served.http.removeprefix("http://")) as connected:
        yield connected


@pytest.fixture(scope="session")
def headers(served: Endpoints) -> dict[str, str]:
    return served.headers


def tensor(name: str, array: Any, *, binary: bool = True) -> triton.InferInput:
    given = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    given.set_data_from_numpy(array, binary_data=binary)
    return given


TRIPLED = np.array([[1, 2.5]], np.float32)


def test_the_client_finds_the_server_and_its_models(
    client: triton.InferenceServerClient, headers: dict[str, str]
) -> None:
    assert client.is_server_live(headers=headers)
    assert client.is_server_ready(headers=headers)
    assert client.is_model_ready("doubler", headers=headers)
    assert client.is_model_ready("doubler", "1", headers=headers)
    assert not client.is_model_ready("nothing", headers=headers)
    assert client.get_server_metadata(headers=headers)["name"] == "warmstart"
    index = client.get_model_repository_index(headers=headers)
    assert {"name": "doubler", "version": "2", "state": "READY", "reason": ""} in index
    metadata = client.get_model_metadata("doubler", "1", headers=headers)
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]


@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_datatype_comes_back_bit_by_bit_as_bytes(
    client: triton.InferenceServerClient, headers: dict[str, str], datatype: str
) -> None:
    sent = NUMPY[datatype]
    given = [tensor("x", sent)]
    came = client.infer(f"identity-{datatype.lower()}", given, headers=dict(headers)).as_numpy("y")

    assert (came.dtype, came.shape) == (sent.dtype, sent.shape)
    assert came.tolist() == sent.tolist() if datatype == "BYTES" else came.tobytes() == sent.tobytes()


@pytest.mark.parametrize("datatype", [name for name in DATATYPES if name not in AS_BYTES])
def test_every_datatype_comes_back_as_json(
    client: triton.InferenceServerClient, headers: dict[str, str], datatype: str
) -> None:
    sent, wanted = JSON[datatype], [triton.InferRequestedOutput("y", binary_data=False)]
    given = [tensor("x", sent, binary=False)]
    answer = client.infer(f"identity-{datatype.lower()}", given, outputs=wanted, headers=dict(headers))

    assert "data" in answer.get_output("y")
    assert answer.as_numpy("y").tolist() == (
        [[text.decode() for text in row] for row in sent.tolist()] if datatype == "BYTES" else sent.tolist()
    )


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_bodies_may_be_compressed(
    client: triton.InferenceServerClient, headers: dict[str, str], binary: bool, compression: str | None
) -> None:
    many = np.arange(20_000, dtype=np.float32).reshape(-1, 2)
    answer = client.infer(
        "doubler",
        [tensor("x", many, binary=binary)],
        outputs=[triton.InferRequestedOutput("y", binary_data=binary)],
        headers=dict(headers),
        request_compression_algorithm=compression,
        response_compression_algorithm=compression,
    )

    assert np.array_equal(answer.as_numpy("y"), many * 3)


def test_the_answer_to_a_tensors_bytes_alone_is_one_that_the_client_reads(
    served: Endpoints, headers: dict[str, str]
) -> None:
    assert served.http is not None
    own = {"content-type": "application/octet-stream", "inference-header-content-length": "0", **headers}
    host, _, stage = served.http.removeprefix("http://").partition("/")
    with closing(HTTPConnection(host, timeout=WAIT_S)) as connection:
        path = f"/{stage}/v2/models/doubler/infer" if stage else "/v2/models/doubler/infer"
        connection.request("POST", path, TRIPLED.tobytes(), own)
        came = connection.getresponse()
        length = int(came.headers["inference-header-content-length"])
        answer = triton.InferenceServerClient.parse_response_body(came.read(), header_length=length)

    assert answer.as_numpy("y").tolist() == [[3.0, 7.5]]


def test_a_version_a_request_id_and_classes_are_asked_for(
    client: triton.InferenceServerClient, headers: dict[str, str]
) -> None:
    first = client.infer("doubler", [tensor("x", TRIPLED)], model_version="1", request_id="7", headers=dict(headers))
    assert (first.as_numpy("y").tolist(), first.get_response()["id"]) == ([[2.0, 5.0]], "7")

    scores = np.array([[0.1, 0.7, 0.2]], np.float32)
    best = [triton.InferRequestedOutput("y", class_count=2)]
    found = client.infer("animals", [tensor("x", scores)], outputs=best, headers=dict(headers)).as_numpy("y")
    assert [text.split(b":")[1:] for text in found[0]] == [[b"1", b"dog"], [b"2", b"owl"]]


def test_statistics_count_what_was_asked(client: triton.InferenceServerClient, headers: dict[str, str]) -> None:
    client.infer("adder", [tensor(name, np.ones((3, 1), np.float32)) for name in "ab"], headers=dict(headers))
    [found] = client.get_inference_statistics("adder", headers=headers)["model_stats"]

    assert found["inference_count"] >= 3
    assert found["inference_stats"]["success"]["count"] >= 1


def test_a_refusal_says_what_was_expected(client: triton.InferenceServerClient, headers: dict[str, str]) -> None:
    with pytest.raises(InferenceServerException, match="nothing of this name has been published"):
        client.infer("nothing", [tensor("x", TRIPLED)], headers=dict(headers))
    with pytest.raises(InferenceServerException, match="input 'x': expected FP32, got INT64"):
        client.infer("doubler", [tensor("x", np.array([[1, 2]]))], headers=dict(headers))
