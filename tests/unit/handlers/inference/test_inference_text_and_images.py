"""Models that take text or images, published with what they declare, asked over HTTP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from model_store.gate.candidate import Candidate, Layout
from model_store.gate.onnx_source import read_onnx
from model_store.gate.prepare import Preparation
from model_store.manifest import RunOptions
from model_store.preprocessing.declared import ImageInput, TextInput
from tests.build import manifests, models
from tests.build.inference import World
from tests.build.prepared import colour_mean, image_folder, picture, publish, text_folder, token_counter


@pytest.fixture
def text(tmp_path: Path) -> World:
    world = World(tmp_path / "lambda")
    publish(world, tmp_path, token_counter(), text_folder(tmp_path, TextInput(("input_ids", "attention_mask"), True)))
    return world


@pytest.fixture
def image(tmp_path: Path) -> World:
    world = World(tmp_path / "lambda")
    declared = ImageInput("pixel_values", "bilinear", size=(4, 4), rescale=1 / 255)
    publish(world, tmp_path, colour_mean(), image_folder(tmp_path, declared))
    return world


def test_text_is_a_field_of_a_record(text: World) -> None:
    answered = text.ask("POST", "/predict/model", [{"text": "good film"}, {"text": "bad"}])
    assert answered.json["predictions"] == [
        {
            "length": 4,
            "ids": [2, 4, 6, 3],
            "token": ["[CLS]", "good", "film", "[SEP]"],
            "offsets": [[0, 0], [0, 4], [5, 9], [0, 0]],
        },
        {
            "length": 3,
            "ids": [2, 5, 3, 0],
            "token": ["[CLS]", "bad", "[SEP]", ""],
            "offsets": [[0, 0], [0, 3], [0, 0], [0, 0]],
        },
    ]


def test_text_is_a_bytes_tensor_of_the_open_inference_protocol(text: World) -> None:
    metadata = text.ask("GET", "/v2/models/model").json
    assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    body = {
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [2], "data": ["good", ""]}],
        "outputs": [{"name": "token"}, {"name": "length"}],
    }
    outputs = text.ask("POST", "/v2/models/model/infer", body).json["outputs"]
    assert [output["name"] for output in outputs] == ["token", "length"]
    assert outputs[0]["data"] == ["[CLS]", "good", "[SEP]", "[CLS]", "[SEP]", ""]
    assert outputs[1]["data"] == [3, 2]


def test_an_image_is_a_file_in_base64_marked_or_not(image: World) -> None:
    red, grey = picture((9, 7), (255, 0, 0)), picture((5, 5), (51, 51, 51), "JPEG")
    predictions = image.ask("POST", "/predict/model", [{"image": red}, {"image": {"b64": grey}}]).json["predictions"]
    assert predictions[0] == {"colour": [1.0, 0.0, 0.0]}
    assert predictions[1]["colour"] == pytest.approx([0.2, 0.2, 0.2])


def test_an_image_is_a_tensors_bytes_alone(image: World) -> None:
    headers = {"content-type": "application/octet-stream", "inference-header-content-length": "0"}
    headers["accept"] = "application/json"
    sent = {"headers": headers, "isBase64Encoded": True}
    answered = image.ask("POST", "/v2/models/model/infer", picture((9, 7), (255, 0, 0)), **sent)
    assert answered.json["outputs"][0] == {
        "name": "colour",
        "datatype": "FP32",
        "shape": [1, 3],
        "data": [1.0, 0.0, 0.0],
    }


def test_a_file_that_is_no_image_is_answered_400(image: World) -> None:
    answered = image.ask("POST", "/predict/model", {"image": "QUJD"})
    assert (answered.status, answered.json["error"]["code"]) == (400, "invalid_value")
    assert "expected a JPEG or PNG file, got 3 bytes in row 0" in answered.json["error"]["message"]


def test_a_graph_of_custom_operators_without_their_library_is_refused_with_the_remedy(tmp_path: Path) -> None:
    world = World(tmp_path)
    described = manifests.manifest("model", body=models.scale(2.0))._replace(run=RunOptions(extensions=True))
    manifests.store_version(world.store.objects, described, body=models.scale(2.0))
    manifests.store_alias(world.store.objects, "model", 1)
    answered = world.ask("POST", "/predict/model", {"x": [1, 2]})
    assert answered.json["error"]["code"] == "model_not_loadable"
    assert "onnxruntime-extensions, which the inference layer does not hold: publish it" in answered.text


def test_a_model_that_declares_what_does_not_lie_beside_it_is_refused_with_the_remedy(tmp_path: Path) -> None:
    world = World(tmp_path)
    described = manifests.manifest("model", body=models.scale(2.0))._replace(run=RunOptions(preprocess=True))
    manifests.store_version(world.store.objects, described, body=models.scale(2.0))
    manifests.store_alias(world.store.objects, "model", 1)
    answered = world.ask("POST", "/predict/model", {"x": [1, 2]})
    assert answered.json["error"]["code"] == "model_not_loadable"
    assert "expected what it declares beside its graph: No such file or directory; publish it again" in answered.text


def test_layouts_of_every_processor_carry_what_is_declared(tmp_path: Path) -> None:
    files = text_folder(tmp_path, TextInput(("input_ids",)))
    (tmp_path / "graph.onnx").write_bytes(token_counter())
    read = read_onnx(tmp_path / "graph.onnx")
    layout = Layout(read.files, RunOptions())
    graph = Candidate(signature=read.signature, layout=layout, variants={"x86_64-avx2-ort1.28": layout})
    found = Preparation(files).candidate(graph)
    assert found.variants["x86_64-avx2-ort1.28"] == found.layout
    assert [name for name, _ in found.layout.files] == ["model.onnx", "preprocessing.json", "tokenizer.json"]
    assert found.layout.run == RunOptions(preprocess=True)
    assert Preparation(()).candidate(graph) == replace(graph)
