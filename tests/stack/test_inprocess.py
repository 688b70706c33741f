"""The data plane in the test's own process, through the plugin's fixture."""

from __future__ import annotations

from pathlib import Path

from local.inprocess import InProcess
from model_store.gate import publish_file
from tests.build import models

X = {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1.0, 2.0]}


def publish(inprocess: InProcess, tmp_path: Path, factor: float) -> None:
    source = tmp_path / "model.onnx"
    source.write_bytes(models.scale(factor))
    publish_file(source, "scale", inprocess.objects)


def test_a_published_model_answers(inprocess: InProcess, tmp_path: Path) -> None:
    publish(inprocess, tmp_path, 2.0)
    answer = inprocess.infer("scale", [X])
    assert answer.status == 200
    assert answer.headers["x-model-version"] == "1"
    assert answer.json()["outputs"][0]["data"] == [2.0, 4.0]


def test_the_next_version_answers_at_once(inprocess: InProcess, tmp_path: Path) -> None:
    publish(inprocess, tmp_path, 2.0)
    inprocess.infer("scale", [X])
    publish(inprocess, tmp_path, 3.0)
    assert inprocess.infer("scale", [X]).json()["outputs"][0]["data"] == [3.0, 6.0]


def test_each_test_has_an_empty_store(inprocess: InProcess) -> None:
    assert inprocess.registry.models() == []
    assert inprocess.infer("scale", [X]).status == 404


def test_malformed_json_can_be_sent_as_it_is(inprocess: InProcess, tmp_path: Path) -> None:
    publish(inprocess, tmp_path, 2.0)
    assert inprocess.request("POST", "/v2/models/scale/infer", "{").status == 400


def test_the_log_can_be_read(inprocess: InProcess) -> None:
    inprocess.request("GET", "/v2/health/live")
    assert len(inprocess.log) == 1
