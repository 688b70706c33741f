"""Clients of TensorFlow Serving and Vertex AI through the gateway, whose template has to let their paths through."""

from __future__ import annotations

from pathlib import Path

from local.process import TwinProcess
from tests.build import models
from tests.build.twin_client import ask, publish


def test_tensorflow_serving_s_documented_example_is_answered(twin: TwinProcess, tmp_path: Path) -> None:
    publish(twin, tmp_path, "half-plus-three", models.half_plus(3))

    predicted = ask(twin.address, "POST", "/v1/models/half-plus-three:predict", {"instances": [1.0, 2.0, 5.0]})
    status = ask(twin.address, "GET", "/v1/models/half-plus-three/labels/live")
    missing = ask(twin.address, "POST", "/v1/models/half:predict", {"instances": [1.0, 5.0]})

    assert (predicted.status, predicted.body) == (200, {"predictions": [3.5, 4.0, 5.5]})
    assert status.body["model_version_status"][0]["state"] == "AVAILABLE"
    assert (missing.status, missing.body) == (404, {"error": "Servable not found for request: Latest(half)"})


def test_vertex_s_path_is_answered(twin: TwinProcess, tmp_path: Path) -> None:
    publish(twin, tmp_path, "half-plus-two", models.half_plus(2))

    path = "/v1/projects/p/locations/l/endpoints/half-plus-two:predict"
    answer = ask(twin.address, "POST", path, {"instances": [1.0]})

    assert (answer.status, answer.body["predictions"]) == (200, [2.5]), answer
