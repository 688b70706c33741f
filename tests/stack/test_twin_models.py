"""What more than a plain graph is asked of a version, on the twin: text, images, tables, a processor's own layout."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from handlers.inference.variants import read_cpuinfo
from local.process import TwinProcess
from model_store import publish
from model_store.gate.apply import apply
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.onnx_source import read_onnx
from model_store.gate.plan import plan_publish
from model_store.gate.prepare import Preparation
from model_store.manifest import RunOptions
from model_store.preprocessing.declared import ImageInput, TextInput
from model_store.stores import Store
from tests.build import models
from tests.build.prepared import colour_mean, image_folder, picture, text_folder, token_counter
from tests.build.twin_client import ask, infer, store, until
from warmstart.processor import layout_name


def layout(folder: Path, graph: bytes) -> Candidate:
    """Read a graph as the gate does."""
    folder.mkdir(exist_ok=True)
    (folder / "graph.onnx").write_bytes(graph)
    read = read_onnx(folder / "graph.onnx")
    return Candidate(signature=read.signature, layout=Layout(read.files, RunOptions()))


def register(twin: TwinProcess, name: str, candidate: Candidate) -> None:
    """Publish without the gate's measurements."""
    objects = store(twin)
    plan = plan_publish(candidate, name, objects)
    apply(plan, objects, by="test", clock=lambda: 1.7e9, new_id=lambda: f"{name}-1")


def opened_file(twin: TwinProcess, model: str) -> str:
    """Return the graph that an environment opened, as its log says."""
    found: list[str] = []

    def logged() -> bool:
        lines = [line for line in twin.logs("/warmstart/prod/inference") if line.startswith("{")]
        documents: list[Mapping[str, str]] = [json.loads(line) for line in lines]
        found[:] = [line["model_file"] for line in documents if line.get("model") == model and "model_file" in line]
        return bool(found)

    until(logged)
    return found[0]


def test_a_model_of_text_takes_text(twin: TwinProcess, tmp_path: Path) -> None:
    files = text_folder(tmp_path, TextInput(("input_ids", "attention_mask"), True))
    register(twin, "texts", Preparation(files).candidate(layout(tmp_path, token_counter())))

    record = ask(twin.address, "POST", "/predict/texts", {"text": "good film"})
    tensor = infer(twin.address, "texts", "text", "BYTES", ["good", "bad film"], [2])

    assert (record.status, tensor.status) == (200, 200), (record, tensor)
    assert record.body["predictions"][0]["token"] == ["[CLS]", "good", "film", "[SEP]"]
    assert {output["name"]: output["data"] for output in tensor.body["outputs"]}["length"] == [3, 4]


def test_a_model_of_images_takes_files(twin: TwinProcess, tmp_path: Path) -> None:
    declared = ImageInput("pixel_values", "bilinear", size=(4, 4), rescale=1 / 255)
    files = image_folder(tmp_path, declared)
    register(twin, "images", Preparation(files).candidate(layout(tmp_path, colour_mean())))
    red, grey = picture((9, 7), (255, 0, 0)), picture((5, 5), (51, 51, 51), "JPEG")

    records = ask(twin.address, "POST", "/predict/images", [{"image": {"b64": red}}, {"image": grey}])
    tensor = infer(twin.address, "images", "image", "BYTES", [red], [1])

    assert (records.status, tensor.status) == (200, 200), (records, tensor)
    assert records.body["predictions"][0] == {"colour": [1.0, 0.0, 0.0]}
    assert records.body["predictions"][1]["colour"] == pytest.approx([0.2, 0.2, 0.2])
    assert tensor.body["outputs"][0]["data"] == [1.0, 0.0, 0.0]


def test_a_version_laid_out_for_this_processor_is_opened_as_that(twin: TwinProcess, tmp_path: Path) -> None:
    name = layout_name(read_cpuinfo(), os.uname().machine, onnxruntime.__version__)
    assert name is not None
    portable, own = layout(tmp_path / "all", models.scale(2.0)), layout(tmp_path / "own", models.scale(3.0))
    variants = {name: own.layout, "arm64-neon-of-another": portable.layout}
    register(twin, "laid-out", Candidate(signature=portable.signature, layout=portable.layout, variants=variants))

    answer = infer(twin.address, "laid-out", "x", "FP32", [1.0, 2.0], [1, 2])

    assert (answer.status, answer.body["outputs"][0]["data"]) == (200, [3.0, 6.0])
    assert opened_file(twin, "laid-out") == f"{name}/model.onnx"


def test_a_pipeline_of_a_table_takes_records_with_text_and_missing_values(twin: TwinProcess) -> None:
    frame = pd.DataFrame({"age": [20.0, np.nan, 60.0, 40.0] * 6, "city": ["Bern", "Zug", "Basel", "Bern"] * 6})
    columns = ColumnTransformer([("age", SimpleImputer(), ["age"]), ("city", OneHotEncoder(), ["city"])])
    pipeline = make_pipeline(columns, LogisticRegression()).fit(frame, np.array(["no", "yes", "yes", "no"] * 6))
    publish(pipeline, name="table", store=Store("twin", store(twin)), sample=frame)

    answer = ask(twin.address, "POST", "/predict/table", [{"age": None, "city": "Zug"}, {"age": 20, "city": "Bern"}])

    assert answer.status == 200, answer
    expected = pipeline.predict_proba(pd.DataFrame({"age": [np.nan, 20.0], "city": ["Zug", "Bern"]}))
    found = [[row["probabilities"][name] for name in ("no", "yes")] for row in answer.body["predictions"]]
    assert [row["label"] for row in answer.body["predictions"]] == ["yes", "no"]
    assert np.allclose(found, expected, atol=1e-5)
