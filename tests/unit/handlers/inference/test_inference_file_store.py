"""The data plane on a folder, as a container reads one."""

from __future__ import annotations

from pathlib import Path

from handlers.inference.data_plane import build_data_plane
from handlers.inference.settings import InferenceSettings
from model_store.file import FileObjects
from model_store.gate import publish_file
from tests.build import models
from tests.build.inference import Answered, env, event, infer_body


def test_a_model_that_was_published_into_a_folder_answers_and_follows_its_alias(tmp_path: Path) -> None:
    objects = FileObjects(tmp_path / "store")
    now = 1_700_000_000.0
    plane = build_data_plane(
        InferenceSettings.from_env(env(tmp_path)), objects, write=lambda _: None, setup_ns=0, clock=lambda: now
    )
    for factor, expected in ((2.0, [2.0, 4.0]), (3.0, [3.0, 6.0])):
        (tmp_path / "model.onnx").write_bytes(models.scale(factor))
        publish_file(tmp_path / "model.onnx", "scale", objects)
        now += 3600

        answer = Answered(plane.answer(event("POST", "/v2/models/scale/infer", infer_body([1.0, 2.0])), "request-1"))

        assert (answer.status, answer.json["outputs"][0]["data"]) == (200, expected)
