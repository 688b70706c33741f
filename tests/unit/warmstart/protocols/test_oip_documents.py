"""The protocol's other documents: the server, a model, the repository, statistics."""

from __future__ import annotations

import json

import pytest

from tests.build.calls import model, request
from warmstart.errors import MalformedBody
from warmstart.protocols.oip_documents import (
    LIVE,
    READY,
    SERVER,
    Duration,
    Statistics,
    render_index,
    render_metadata,
    render_model_ready,
    render_statistics,
    wants_ready_only,
)
from warmstart.refs import ModelRef
from warmstart.tensors import TensorSpec

IRIS = model((TensorSpec("x", "FP32", (-1, 4)),), (TensorSpec("label", "INT64", (-1,)),))


def test_readiness_of_the_server_says_live_as_the_markdown_does_and_ready_as_its_grpc_twin_does() -> None:
    assert json.loads(READY.body) == {"live": True, "ready": True}
    assert json.loads(LIVE.body) == {"live": True}


def test_the_server_names_itself_and_the_extensions_it_has() -> None:
    document = json.loads(SERVER.body)
    assert (document["name"], set(document)) == ("warmstart", {"name", "version", "extensions"})
    assert document["extensions"] == ["classification", "binary_tensor_data", "model_repository", "statistics"]


def test_metadata_names_the_version_the_platform_and_each_tensor() -> None:
    assert json.loads(render_metadata(IRIS).body) == {
        "name": "iris",
        "versions": ["3"],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}],
        "outputs": [{"name": "label", "datatype": "INT64", "shape": [-1]}],
    }


def test_a_ready_model_says_so() -> None:
    assert json.loads(render_model_ready(IRIS).body) == {"name": "iris", "ready": True}


def test_the_index_lists_every_version_as_ready() -> None:
    assert json.loads(render_index([ModelRef("iris", 1, None), ModelRef("iris", 2, None)]).body) == [
        {"name": "iris", "version": "1", "state": "READY", "reason": ""},
        {"name": "iris", "version": "2", "state": "READY", "reason": ""},
    ]


def test_a_request_for_the_index_may_ask_for_what_is_ready() -> None:
    assert not wants_ready_only(request())
    assert wants_ready_only(request({"ready": True}))
    for body in ([1], {"ready": 1}, b"{"):
        with pytest.raises(MalformedBody):
            wants_ready_only(request(body))


def test_statistics_have_the_extensions_fields() -> None:
    found = Statistics(
        last_ms=5, rows=7, runs=2, success=Duration(2, 60), fail=Duration(1, 9),
        read=Duration(2, 10), run=Duration(2, 30), write=Duration(2, 20),
    )  # fmt: skip
    [document] = json.loads(render_statistics({ModelRef("iris", 3, None): found}).body)["model_stats"]
    durations = document.pop("inference_stats")
    assert document == {
        "name": "iris",
        "version": "3",
        "last_inference": 5,
        "inference_count": 7,
        "execution_count": 2,
        "batch_stats": [],
        "memory_usage": [],
    }
    assert {name: (each["count"], each["ns"]) for name, each in durations.items()} == {
        "success": (2, 60),
        "fail": (1, 9),
        "queue": (2, 0),
        "compute_input": (2, 10),
        "compute_infer": (2, 30),
        "compute_output": (2, 20),
        "cache_hit": (0, 0),
        "cache_miss": (0, 0),
    }
