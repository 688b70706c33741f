"""TorchServe's inference API, through the data plane."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from tests.build import scoring
from tests.build.inference import World
from tests.build.scoring import ask

JPEG = b"\xff\xd8\xff\xe0 a photo"
BASE64 = "/9j/4CBhIHBob3Rv"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return scoring.world(tmp_path_factory.mktemp("torchserve"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"a": 1, "b": 2}, 3.0),
        ([{"a": 1, "b": 2}], [3.0]),
        ([[1, 2], [3, 4]], [3.0, 7.0]),
        ({"data": [[1, 2]]}, 3.0),
        ({"body": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}, [3.0, 7.0]),
    ],
)
def test_an_answer_is_as_many_as_were_asked(world: World, body: object, expected: object) -> None:
    assert ask(world, "/predictions/adder", body).json == expected


def test_a_row_of_one_input_may_be_bare(world: World) -> None:
    assert ask(world, "/predictions/doubler", [1, 2]).json == [2.0, 4.0]
    assert ask(world, "/predictions/doubler", [[1, 2]]).json == [[2.0, 4.0]]


def test_several_outputs_are_an_object(world: World) -> None:
    scores = {"setosa": 0.75, "versicolor": 0.25, "virginica": 0.0}
    answered = ask(world, "/predictions/iris", [5.1, 3.5, 1.4, 0.2])
    assert answered.json == {"label": "setosa", "probabilities": scores}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/predictions/doubler/2", 3.0),
        ("/predictions/doubler/1.0", 2.0),
        ("/predictions/doubler@canary", 3.0),
    ],
)
def test_a_version_may_be_in_the_path(world: World, path: str, expected: float) -> None:
    assert ask(world, path, [1, 0]).json == [expected, 0.0]


@pytest.mark.parametrize("kind", ["", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded"])
def test_a_body_that_is_text_is_the_input_of_a_model_that_takes_text(world: World, kind: str) -> None:
    assert ask(world, "/predictions/text", "I loved it 🙂".encode(), content_type=kind).json == "I loved it 🙂"


def test_json_says_that_it_is_json_to_a_model_that_takes_text(world: World) -> None:
    assert ask(world, "/predictions/text", {"text": "a"}).json == "a"
    assert ask(world, "/predictions/text", {"data": "a"}).json == "a"
    assert ask(world, "/predictions/text", b'{"text": "a"}', content_type="").json == "a"
    assert ask(world, "/predictions/text", b'{"text": "a"}', content_type="text/plain").json == '{"text": "a"}'
    assert ask(world, "/predictions/text", ["a", "b"]).json == ["a", "b"]


@pytest.mark.parametrize("kind", ["", "image/jpeg", "application/octet-stream"])
def test_a_file_is_the_input_of_a_model_that_takes_images(world: World, kind: str) -> None:
    assert ask(world, "/predictions/image", JPEG, content_type=kind).json == BASE64


@pytest.mark.parametrize(("count", "expected"), [(1, BASE64), (2, [BASE64, BASE64])])
def test_files_may_come_in_a_form(world: World, count: int, expected: object) -> None:
    field = b'--B\r\nContent-Disposition: form-data; name="data"; filename="a.jpg"\r\n\r\n' + JPEG + b"\r\n"
    kind = "multipart/form-data; boundary=B"
    assert ask(world, "/predictions/image", field * count + b"--B--\r\n", content_type=kind).json == expected


def test_models_are_listed_once_with_their_newest_version(world: World) -> None:
    models = world.ask("GET", "/models").json["models"]
    assert [model["modelName"] for model in models] == ["adder", "divider", "doubler", "image", "iris", "text"]
    assert models[2] == {"modelName": "doubler", "modelUrl": "doubler:2"}


@pytest.mark.parametrize(("path", "version"), [("/models/doubler", "1"), ("/models/doubler/2.0", "2")])
def test_a_model_is_described(world: World, path: str, version: str) -> None:
    (described,) = world.ask("GET", path).json
    named: dict[str, Any] = {key: described[key] for key in ("modelName", "modelVersion", "modelUrl", "workers")}
    assert named == {
        "modelName": "doubler",
        "modelVersion": version,
        "modelUrl": f"doubler:{version}",
        "workers": [],
    }
    assert described["customizedMetadata"] == {
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
    }


def test_a_file_may_be_put_as_curl_does(world: World) -> None:
    answered = world.ask("PUT", "/predictions/image", b64encode(JPEG).decode(), isBase64Encoded=True, headers={})
    assert (answered.status, answered.json) == (200, BASE64)


def test_a_wrong_method_names_both(world: World) -> None:
    answered = world.ask("GET", "/predictions/image")
    assert (answered.status, answered.headers["allow"]) == (405, "POST, PUT")
    assert answered.json == {
        "code": 405,
        "type": "MethodNotAllowedException",
        "message": "/predictions/image: expected POST or PUT, got GET",
    }
