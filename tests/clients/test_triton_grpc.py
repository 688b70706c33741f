"""Triton's gRPC client, unmodified: docs/grpc.md."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Queue
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from handlers.server.grpc.protos import open_inference_pb2
from tests.clients.models import DATATYPES
from tests.clients.snippets import run_example
from tests.clients.wire_numbers import numbers

NUMPY = {
    "BOOL": np.array([[True, False]]),
    "UINT8": np.array([[0, 255]], np.uint8),
    "UINT16": np.array([[0, 65_535]], np.uint16),
    "UINT32": np.array([[0, 2**32 - 1]], np.uint32),
    "UINT64": np.array([[0, 2**64 - 1]], np.uint64),
    "INT8": np.array([[-128, 127]], np.int8),
    "INT16": np.array([[-32_768, 32_767]], np.int16),
    "INT32": np.array([[-(2**31), 2**31 - 1]], np.int32),
    "INT64": np.array([[-(2**63), 2**63 - 1]], np.int64),
    "FP16": np.array([[-0.0, 65_504]], np.float16),
    "BF16": np.array([[-0.0, 2.0**127]], ml_dtypes.bfloat16),
    "FP32": np.array([[1e-45, np.nan]], np.float32),
    "FP64": np.array([[5e-324, -np.inf]], np.float64),
    "BYTES": np.array([["café".encode(), b""]], np.object_),
}


@pytest.fixture(scope="session")
def client(grpc_address: str) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(grpc_address) as connected:
        yield connected


def tensor(name: str, array: Any) -> triton.InferInput:
    given = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    given.set_data_from_numpy(array)
    return given


DOUBLED = np.array([[1, 2]], np.float32)


def test_the_client_finds_the_server_and_its_models(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("doubler")
    assert not client.is_model_ready("doubler", "9")
    assert client.get_server_metadata().name == "warmstart"
    index = client.get_model_repository_index().models
    assert ("doubler", "2", "READY") in {(each.name, each.version, each.state) for each in index}


def test_metadata_says_what_to_send(client: triton.InferenceServerClient) -> None:
    metadata = client.get_model_metadata("adder", as_json=True)

    assert metadata["inputs"] == [
        {"name": "a", "datatype": "FP32", "shape": ["-1", "1"]},
        {"name": "b", "datatype": "FP32", "shape": ["-1", "1"]},
    ]


@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_datatype_comes_back_bit_by_bit(client: triton.InferenceServerClient, datatype: str) -> None:
    sent = NUMPY[datatype]
    came = client.infer(f"identity-{datatype.lower()}", [tensor("x", sent)]).as_numpy("y")

    assert (came.dtype, came.shape) == (sent.dtype, sent.shape)
    assert came.tolist() == sent.tolist() if datatype == "BYTES" else came.tobytes() == sent.tobytes()


def test_an_empty_batch_comes_back_empty(client: triton.InferenceServerClient) -> None:
    assert client.infer("doubler", [tensor("x", np.zeros((0, 2), np.float32))]).as_numpy("y").shape == (0, 2)


def test_inputs_outputs_and_the_id_are_by_name(client: triton.InferenceServerClient) -> None:
    column = np.array([[1], [2]], np.float32)
    answer = client.infer(
        "adder",
        [tensor("b", column), tensor("a", 10 * column)],
        outputs=[triton.InferRequestedOutput("sum")],
        request_id="r-7",
    )

    assert answer.as_numpy("sum").tolist() == [[11], [22]]
    assert answer.get_response().id == "r-7"


@pytest.mark.parametrize(("version", "expected"), [("", [[3, 6]]), ("1", [[2, 4]])])
def test_a_version_is_asked_for_by_its_number(
    client: triton.InferenceServerClient, version: str, expected: list[list[float]]
) -> None:
    assert client.infer("doubler", [tensor("x", DOUBLED)], model_version=version).as_numpy("y").tolist() == expected


def test_the_best_classes_come_with_their_labels(client: triton.InferenceServerClient) -> None:
    scores = np.array([[0.25, 0.75, 0.5]], np.float32)
    wanted = [triton.InferRequestedOutput("y", class_count=2)]

    assert client.infer("animals", [tensor("x", scores)], outputs=wanted).as_numpy("y").tolist() == [
        [b"0.750000:1:dog", b"0.500000:2:owl"]
    ]


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_messages_may_be_compressed(client: triton.InferenceServerClient, algorithm: str) -> None:
    answer = client.infer("doubler", [tensor("x", DOUBLED)], compression_algorithm=algorithm)

    assert answer.as_numpy("y").tolist() == [[3, 6]]


def test_callbacks_are_called(client: triton.InferenceServerClient) -> None:
    answers: Queue[Any] = Queue()
    client.async_infer("doubler", [tensor("x", DOUBLED)], lambda result, error: answers.put(error or result))

    assert answers.get(timeout=10).as_numpy("y").tolist() == [[3, 6]]


def test_statistics_count_what_was_done(client: triton.InferenceServerClient) -> None:
    client.infer("adder", [tensor(name, np.zeros((4, 1), np.float32)) for name in "ab"])
    (stats,) = client.get_inference_statistics("adder").model_stats

    assert stats.execution_count >= 1
    assert stats.inference_stats.success.count == stats.execution_count


@pytest.mark.parametrize(
    ("model", "array", "status", "text"),
    [
        ("none", DOUBLED, "StatusCode.NOT_FOUND", "model 'none': nothing of this name has been published"),
        ("doubler", np.zeros((1, 3), np.float32), "StatusCode.INVALID_ARGUMENT",
         "input 'x': expected shape [-1, 2] (-1 is any size), got [1, 3]"),
        ("doubler", np.zeros((1, 2), np.int8), "StatusCode.INVALID_ARGUMENT", "input 'x': expected FP32, got INT8"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(
    client: triton.InferenceServerClient, model: str, array: Any, status: str, text: str
) -> None:
    with pytest.raises(InferenceServerException) as refused:
        client.infer(model, [tensor("x", array)])

    assert (refused.value.status(), refused.value.message()) == (status, text)


def test_our_messages_have_the_numbers_and_types_of_theirs() -> None:
    ours, theirs = numbers(open_inference_pb2), numbers(service_pb2)

    assert set(ours) - set(theirs) == {"Empty"}
    assert {name: fields - theirs[name] for name, fields in ours.items() if name != "Empty"} == {
        name: set() for name in ours if name != "Empty"
    }


def test_the_documented_example_prints_what_it_says(grpc_address: str) -> None:
    printed, documented = run_example("docs/grpc.md", "tritonclient", grpc_address)

    assert printed == documented
