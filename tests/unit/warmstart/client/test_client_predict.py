"""Records, frames and arrays, against the data plane itself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto

from tests.build import inference, models
from tests.build.http_answers import Endpoint, Given, Sent, answering, serving
from tests.build.inference import World
from tests.build.oip_echo import written
from tests.build.served import served
from warmstart import Client
from warmstart.client import RequestRefused
from warmstart.errors import InvalidReference, MalformedBody, Unreachable, WrongShape
from warmstart.refs import ModelRef


@pytest.fixture
def world(tmp_path: Path) -> World:
    built = World(tmp_path)
    built.publish_doubler()
    built.publish("adder", models.add(), inference.ADD)
    return built


@pytest.fixture
def endpoint(world: World) -> Iterator[Endpoint]:
    with served(world) as serving_it:
        yield serving_it


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[Client]:
    with Client(endpoint.url, attempts=1) as built:
        yield built


def test_a_record_a_frame_and_arrays_are_answered_alike(client: Client) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})

    assert client.predict("adder", {"a": 1, "b": 0.5}).outputs == {"sum": [1.5]}
    assert client.predict("adder", frame.to_dict("records")).outputs == {"sum": [1.5, 3.5]}
    assert client.predict("adder", frame).outputs["sum"].tolist() == [[1.5], [3.5]]
    assert client.predict("adder", {name: frame[name].to_numpy() for name in "ab"}).outputs["sum"].dtype == "float32"


def test_an_array_is_the_only_input(client: Client) -> None:
    answer = client.predict("doubler", np.array([[1, 2], [3, 4]]))

    assert answer.outputs["y"].tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert (answer.model_version, answer.request_id) == (1, "request-1")
    assert answer.body["model_name"] == "doubler"


def test_a_large_array_goes_as_bytes_and_is_answered_whole(client: Client, endpoint: Endpoint) -> None:
    array = np.arange(20_000, dtype=np.float32).reshape(-1, 2)

    assert client.predict("doubler", array).outputs["y"].tolist() == (array * 2).tolist()
    assert endpoint.sent[-1].headers["content-type"] == "application/octet-stream"
    assert endpoint.sent[-1].body.endswith(array.tobytes())


def test_an_answer_that_json_cannot_hold_is_given_however_small(world: World, client: Client) -> None:
    world.publish("divider", models.divide(), inference.DIVIDE)
    arrays = {"a": np.array([1.0, -1.0, 0.0, 1.0]), "b": np.array([2.0, 0.0, 0.0, np.nan])}

    answer = client.predict("divider", arrays)

    assert str(answer.outputs["y"].tolist()) == "[0.5, -inf, nan, nan]"


def test_records_may_hold_numpys_numbers(client: Client) -> None:
    records: Any = [{"a": np.float32(1), "b": np.int64(2)}, {"a": 1.5, "b": np.float64(2)}]

    assert client.predict("adder", records).outputs == {"sum": [3.0, 3.5]}
    assert client.predict("doubler", [np.array([1, 2])]).outputs == {"y": [[2.0, 4.0]]}


def test_of_no_records_there_are_no_outputs() -> None:
    with answering(Given(body=b'{"predictions": []}')) as endpoint, Client(endpoint.url) as client:
        assert client.predict("doubler", []).outputs == {}


@pytest.mark.parametrize("reference", ["doubler", "doubler:1", "doubler@live"])
def test_a_reference_is_text_or_parsed(client: Client, reference: str) -> None:
    for ref in (reference, ModelRef.parse(reference)):
        assert client.predict(ref, np.zeros((1, 2))).model_version == 1
        assert client.predict(ref, [[0, 0]]).model_version == 1
        assert client.metadata(ref).body["versions"] == ["1"]


def test_text_that_is_no_reference_is_refused(client: Client, endpoint: Endpoint) -> None:
    for call in (client.predict, client.infer):
        with pytest.raises(InvalidReference):
            call("Iris!", {})

    assert endpoint.sent == []


def test_a_missing_value_in_a_record_has_its_remedy(client: Client) -> None:
    with pytest.raises(MalformedBody, match="a missing value being None"):
        client.predict("adder", {"a": float("nan"), "b": 1})
    with pytest.raises(MalformedBody, match="a missing value being None"):
        client.predict("adder", {"a": np.float32("nan"), "b": 1})


def test_an_array_that_does_not_fit_is_not_sent(client: Client, endpoint: Endpoint) -> None:
    with pytest.raises(WrongShape, match=r"input 'x': expected shape \[-1, 2\]"):
        client.predict("doubler", np.zeros((1, 3)))

    assert [sent.path for sent in endpoint.sent] == ["/prod/v2/models/doubler"]


def test_the_metadata_is_asked_for_once_per_reference(client: Client, endpoint: Endpoint) -> None:
    for ref in ("doubler", "doubler", "doubler:1", "doubler"):
        client.predict(ref, np.zeros((1, 2)))

    assert [sent.path for sent in endpoint.sent if sent.method == "GET"] == [
        "/prod/v2/models/doubler",
        "/prod/v2/models/doubler/versions/1",
    ]


def test_a_new_version_that_takes_another_datatype_is_learned_from_its_refusal(
    world: World, client: Client, endpoint: Endpoint
) -> None:
    client.predict("doubler", np.zeros((1, 2)))
    whole = inference.signature({"x": ("INT64", (-1, 2))}, {"y": ("INT64", (-1, 2))})
    world.publish("doubler", models.identity(TensorProto.INT64), whole, version=2)
    world.time_s += 60

    answer = client.predict("doubler", np.array([[1.0, 2.0]]))

    assert (answer.model_version, answer.outputs["y"].tolist()) == (2, [[1, 2]])
    assert [sent.method for sent in endpoint.sent] == ["GET", "POST", "POST", "GET", "POST"]


def test_a_new_version_that_takes_another_shape_is_learned_before_an_array_is_refused(
    world: World, client: Client
) -> None:
    client.predict("doubler", np.zeros((1, 2)))
    wide = inference.signature({"x": ("FP32", (-1, 3))}, {"y": ("FP32", (-1, 3))})
    world.publish("doubler", models.scale(3.0, columns=3), wide, version=2)
    world.time_s += 60

    assert client.predict("doubler", np.ones((1, 3))).outputs["y"].tolist() == [[3.0, 3.0, 3.0]]
    with pytest.raises(WrongShape, match=r"expected shape \[-1, 3\]"):
        client.predict("doubler", np.ones((1, 2)))


@pytest.mark.parametrize("version", ["1", "none"])
def test_a_refusal_by_the_version_that_was_described_is_the_callers(version: str) -> None:
    metadata = Given(
        body=b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1]}]}', headers={"x-model-version": "1"}
    )
    refused = Given(400, b'{"error": "no"}', {"x-model-version": version})
    with answering(metadata, written({"outputs": []}), refused) as endpoint, Client(endpoint.url) as client:
        client.predict("m", np.zeros(1))
        with pytest.raises(RequestRefused, match="HTTP 400: no"):
            client.predict("m", np.zeros(1))

    assert len(endpoint.sent) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"{}",
        b'{"inputs": [{"name": "x", "datatype": "FP9", "shape": [1]}]}',
        b'{"inputs": [{"name": 1}]}',
    ],
)
def test_metadata_that_is_none_is_from_no_endpoint_of_ours(body: bytes) -> None:
    with (
        answering(Given(body=body)) as endpoint,
        Client(endpoint.url) as client,
        pytest.raises(Unreachable, match=r"expected the metadata of m, got .*; is it a Warmstart endpoint"),
    ):
        client.predict("m", np.zeros(1))


@pytest.mark.parametrize("status", [403, 404])
def test_an_endpoint_that_does_not_say_its_extensions_gets_json(status: int) -> None:
    metadata = written({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1]}]})
    empty = written({"outputs": []})
    with answering(metadata, Given(status), empty, empty) as endpoint, Client(endpoint.url) as client:
        client.predict("m", np.zeros(2000))
        client.predict("m", np.zeros(2000))

    assert [sent.headers.get("content-type") for sent in endpoint.sent][2:] == ["application/json"] * 2


def test_an_endpoint_that_fails_to_say_its_extensions_is_asked_again_by_the_next_call() -> None:
    metadata = written({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1]}]})
    server, empty = written({"extensions": ["binary_tensor_data"]}), written({"outputs": []})
    with answering(metadata, Given(500), server, empty) as endpoint, Client(endpoint.url) as client:
        with pytest.raises(RequestRefused):
            client.predict("m", np.zeros(2000))
        client.predict("m", np.zeros(2000))

    assert endpoint.sent[-1].headers["content-type"] == "application/octet-stream"


def test_a_server_that_is_none_of_ours_is_said_to_be_none() -> None:
    metadata = written({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1]}]})
    with (
        answering(metadata, Given(body=b"[]")) as endpoint,
        Client(endpoint.url) as client,
        pytest.raises(Unreachable, match="expected the server's metadata"),
    ):
        client.predict("m", np.zeros(2000))


def test_threads_that_ask_at_once_have_a_connection_each_and_their_own_answers() -> None:
    at_once = Barrier(4, timeout=10)

    def answer(sent: Sent) -> Given:
        at_once.wait()
        return Given(body=sent.body)

    with serving(answer) as endpoint, Client(endpoint.url) as client, ThreadPoolExecutor(4) as threads:
        for _ in range(3):
            answers = list(threads.map(lambda number: client.predict("m", [number]).body, range(4)))
            assert answers == [[0], [1], [2], [3]]

    assert len(endpoint.sent) == 12
    assert len({sent.client_port for sent in endpoint.sent}) == 4


def test_neither_a_key_nor_a_signature_is_needed() -> None:
    with answering(Given()) as endpoint, Client(endpoint.url) as client:
        client.predict("m", [1])

    assert {"x-api-key", "authorization"} & set(endpoint.sent[0].headers) == set()
