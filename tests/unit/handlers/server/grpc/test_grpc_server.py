"""The gRPC server as its clients see it, over a socket of this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from handlers.inference.answers import Answer
from handlers.inference.data_plane import build_service
from handlers.inference.observability import Invocation
from handlers.server.grpc.protos import health_pb2
from handlers.server.grpc.protos import open_inference_pb2 as oip
from handlers.server.grpc.protos import tensorflow_serving_pb2 as tfs
from handlers.server.grpc.server import start_grpc
from tests.build import manifests, models
from tests.build.bad_grpc import CALLS, Bad, table
from tests.build.grpc_client import (
    HEALTH,
    INFERENCE,
    MODELS,
    PREDICTION,
    Client,
    client,
    fp32,
    raw_request,
    typed_request,
)
from tests.build.inference import World, signature
from warmstart.errors import InvalidSetting

ROOT = Path(__file__).resolve().parents[5]


class Served:
    """A world whose models are served, what was noted of its calls, and whether it says that it is ready."""

    def __init__(self, tmp: Path) -> None:
        self.world = World(tmp)
        self.world.publish_doubler()
        self.noted: list[tuple[Invocation, Answer]] = []
        self.ready = True
        self.service = build_service(
            self.world.settings, self.world.store, warn=lambda _: None, clock=lambda: self.world.time_s
        )


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


@pytest.fixture
def ask(served: Served) -> Iterator[Client]:
    server = start_grpc(
        served.service,
        port=0,
        note=lambda invocation, answer: served.noted.append((invocation, answer)),
        is_ready=lambda: served.ready,
        new_id=lambda: "made-1",
    )
    with client(server.port) as connected:
        yield connected
    server.stop(0)


def values(message: oip.ModelInferResponse) -> list[list[float]]:
    found: list[list[float]] = np.frombuffer(message.raw_output_contents[0], "<f4").reshape(-1, 2).tolist()
    return found


def test_bytes_are_answered_by_bytes(ask: Client) -> None:
    answered = ask.infer(raw_request(request_id="7", x=fp32([1, 2], [3, 4])))

    assert values(answered.message) == [[2, 4], [6, 8]]
    assert (answered.message.id, answered.message.model_name, answered.message.model_version) == ("7", "doubler", "1")


def test_values_are_answered_by_values(ask: Client) -> None:
    answered = ask.infer(typed_request(x=("FP32", (1, 2), {"fp32_contents": [1, 2]})))

    assert list(answered.message.outputs[0].contents.fp32_contents) == [2, 4]
    assert list(answered.message.raw_output_contents) == []


def test_a_batch_of_nothing_is_answered_by_nothing(ask: Client) -> None:
    answered = ask.infer(raw_request(x=("FP32", (0, 2), b"")))

    assert (answered.text, list(answered.message.outputs[0].shape)) == ("", [0, 2])


def test_a_prediction_is_in_the_field_of_its_datatype(ask: Client) -> None:
    request = tfs.PredictRequest(model_spec=tfs.ModelSpec(name="doubler", signature_name="serving_default"))
    request.inputs["x"].CopyFrom(
        tfs.TensorProto(dtype=1, tensor_shape={"dim": [{"size": 1}, {"size": 2}]}, tensor_content=fp32([1, 2])[2])
    )
    message = ask.call(PREDICTION, "Predict", request, tfs.PredictResponse).message

    assert list(message.outputs["y"].float_val) == [2, 4]
    assert message.model_spec == tfs.ModelSpec(
        name="doubler", version=tfs.Int64Value(value=1), signature_name="serving_default"
    )


@pytest.mark.parametrize(
    ("spec", "versions"),
    [
        (tfs.ModelSpec(name="doubler"), [2, 1]),
        (tfs.ModelSpec(name="doubler", version=tfs.Int64Value(value=1)), [1]),
        (tfs.ModelSpec(name="doubler", version_label="live"), [2]),
        (tfs.ModelSpec(name="doubler", version_label="canary"), [1]),
        (tfs.ModelSpec(name="doubler@canary"), [1]),
    ],
)
def test_a_model_is_named_with_a_version_with_a_label_or_with_neither(
    served: Served, ask: Client, spec: tfs.ModelSpec, versions: list[int]
) -> None:
    served.world.publish_doubler(2, factor=3.0)
    manifests.store_alias(served.world.store.objects, "doubler", 1, alias="canary")
    status = ask.call(MODELS, "GetModelStatus", tfs.GetModelStatusRequest(model_spec=spec), tfs.GetModelStatusResponse)

    assert list(status.message.model_version_status) == [
        tfs.ModelVersionStatus(version=version, state=30, status=tfs.StatusProto()) for version in versions
    ]


def test_metadata_is_a_signature_that_tensorflow_can_unpack(ask: Client) -> None:
    request = tfs.GetModelMetadataRequest(model_spec=tfs.ModelSpec(name="doubler"), metadata_field=["signature_def"])
    packed = ask.call(PREDICTION, "GetModelMetadata", request, tfs.GetModelMetadataResponse).message.metadata
    signature = tfs.SignatureDefMap.FromString(packed["signature_def"].value).signature_def["serving_default"]

    assert packed["signature_def"].type_url == "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    assert signature.inputs["x"].dtype == 1
    assert [dim.size for dim in signature.outputs["y"].tensor_shape.dim] == [-1, 2]


def test_a_model_says_what_it_takes_and_gives(ask: Client) -> None:
    request = oip.ModelMetadataRequest(name="doubler")
    message = ask.call(INFERENCE, "ModelMetadata", request, oip.ModelMetadataResponse).message

    assert (message.name, list(message.versions), message.platform) == ("doubler", ["1"], "onnx_onnxv1")
    assert [(each.name, each.datatype, list(each.shape)) for each in message.inputs] == [("x", "FP32", [-1, 2])]


def test_the_server_is_live_and_says_when_it_is_ready(served: Served, ask: Client) -> None:
    def is_ready() -> tuple[bool, int]:
        ready = ask.call(INFERENCE, "ServerReady", oip.Empty(), oip.ServerReadyResponse).message.ready
        check = ask.call(HEALTH, "Check", health_pb2.HealthCheckRequest(), health_pb2.HealthCheckResponse).message
        return ready, check.status

    assert is_ready() == (True, 1)
    served.ready = False
    assert is_ready() == (False, 2)
    assert ask.call(INFERENCE, "ServerLive", oip.Empty(), oip.ServerLiveResponse).message.live


@pytest.mark.parametrize(
    ("name", "version", "ready"), [("doubler", "", True), ("doubler", "9", False), ("no", "", False)]
)
def test_a_model_that_cannot_be_asked_is_not_ready_and_no_error(
    ask: Client, name: str, version: str, ready: bool
) -> None:
    answered = ask.call(
        INFERENCE, "ModelReady", oip.ModelReadyRequest(name=name, version=version), oip.ModelReadyResponse
    )

    assert (answered.text, answered.message.ready) == ("", ready)


def test_the_index_lists_what_is_published(served: Served, ask: Client) -> None:
    served.world.publish_doubler(2)
    message = ask.call(INFERENCE, "RepositoryIndex", oip.RepositoryIndexRequest(), oip.RepositoryIndexResponse).message

    assert [(each.name, each.version, each.state) for each in message.models] == [
        ("doubler", "1", "READY"),
        ("doubler", "2", "READY"),
    ]


def test_what_was_done_is_counted(ask: Client) -> None:
    ask.infer(raw_request(x=fp32([1, 2], [3, 4])))
    ask.infer(raw_request(x=fp32([1, 2, 3])))
    request = oip.ModelStatisticsRequest(name="doubler")
    (stats,) = ask.call(INFERENCE, "ModelStatistics", request, oip.ModelStatisticsResponse).message.model_stats

    assert (stats.inference_count, stats.execution_count, stats.last_inference) == (2, 1, 1_700_000_000_000)
    assert (stats.inference_stats.success.count, stats.inference_stats.fail.count) == (1, 1)
    assert stats.inference_stats.success.ns > 0


@pytest.mark.parametrize("bad", CALLS, ids=lambda bad: f"{bad.method}: {bad.what}")
def test_a_malformed_call_is_told_what_is_wrong(ask: Client, bad: Bad) -> None:
    answered = ask.call(bad.service, bad.method, bad.request, oip.Empty)

    assert (answered.status.name, answered.text) == (bad.status, bad.text)


def test_the_documentation_has_the_table_of_malformed_calls() -> None:
    assert table() in (ROOT / "docs/grpc.md").read_text(encoding="utf-8")


def test_an_answer_names_its_id_and_its_version_behind_it(served: Served, ask: Client) -> None:
    request = raw_request(x=fp32([1, 2, 3]))
    mine = ask.call(INFERENCE, "ModelInfer", request, oip.ModelInferResponse, metadata=(("x-request-id", "mine"),))

    assert mine.metadata == {"x-request-id": "mine", "x-model-version": "1", "x-error-code": "wrong_shape"}
    assert ask.infer(raw_request(x=fp32([1, 2]))).metadata == {"x-request-id": "made-1", "x-model-version": "1"}
    assert [(call.route.protocol, call.request_id, answer.status) for call, answer in served.noted if call.route] == [
        ("oip-grpc", "mine", 400),
        ("oip-grpc", "made-1", 200),
    ]


def test_a_store_that_is_down_is_unavailable(served: Served, ask: Client) -> None:
    served.world.store.is_down = True

    assert ask.infer(raw_request(x=fp32([1, 2]))).status.name == "UNAVAILABLE"


def test_a_message_above_the_limit_is_refused(served: Served) -> None:
    server = start_grpc(served.service, port=0, max_message_bytes=1000)
    with client(server.port) as small:
        assert small.infer(raw_request(x=("FP32", (125, 2), bytes(1000)))).status.name == "RESOURCE_EXHAUSTED"
        assert small.infer(raw_request(x=("FP32", (20, 2), bytes(160)))).status.name == "OK"
    server.stop(0)


def test_a_message_above_the_limit_once_it_is_decompressed_is_refused(served: Served) -> None:
    server = start_grpc(served.service, port=0, max_message_bytes=100_000)
    zeros = raw_request(x=("FP32", (1_000_000, 2), bytes(8_000_000))).SerializeToString()
    with client(server.port, compression=grpc.Compression.Gzip) as small:
        assert small.send(INFERENCE, "ModelInfer", zeros).status.name == "RESOURCE_EXHAUSTED"
    server.stop(0)


def test_an_answer_above_the_limit_is_told_and_not_sent(served: Served) -> None:
    served.world.publish(
        "expand", models.expand(), signature({"x": ("FP32", (1,)), "shape": ("INT64", (1,))}, {"y": ("FP32", (-1,))})
    )
    size = np.array([100_000], "<i8").tobytes()
    request = raw_request("expand", x=("FP32", (1,), bytes(4)), shape=("INT64", (1,), size))
    server = start_grpc(served.service, port=0, max_message_bytes=100_000)
    with client(server.port) as small:
        assert small.infer(request).status.name == "RESOURCE_EXHAUSTED"
    server.stop(0)


@pytest.mark.parametrize("letter", ["z", "é", "𝕏"])
def test_a_name_however_long_is_told_in_short(ask: Client, letter: str) -> None:
    request = raw_request(x=fp32([1, 2]))
    request.outputs.add(name=100_000 * letter)
    answered = ask.infer(request)

    assert (answered.status.name, answered.text) == ("INVALID_ARGUMENT", f"output '{592 * letter}...")


def test_a_port_that_is_taken_is_an_error(served: Served) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidSetting, match=f"grpc port: expected one that is free at 127.0.0.1, got {port}"):
            start_grpc(served.service, port=port)


@pytest.mark.parametrize(("service", "method"), [(INFERENCE, "ModelInfer"), (PREDICTION, "Predict")])
def test_bytes_that_are_no_message_are_refused(ask: Client, service: str, method: str) -> None:
    answered = ask.send(service, method, b"\x0a\xff")

    assert answered.status.name == "INVALID_ARGUMENT"
    assert answered.text.startswith("message: expected ")
