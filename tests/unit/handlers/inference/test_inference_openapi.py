"""A model's OpenAPI document and its page; our answers against both that and the protocol's own document."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from model_store import keys
from model_store.manifest import ModelFile
from tests.build import classifier, inference, manifests, models, oip_schemas
from tests.build.inference import World, event, infer_body
from warmstart.tensors import Signature, TensorSpec

LABELS = ("setosa", "versicolor", "<b>virginica</b>")
FLOWERS = [5.1, 3.5, 1.4, 0.2, 6.2, 2.9, 4.3, 1.3]
GOLDEN = json.dumps(
    {
        "version": "1.0",
        "examples": [{"inputs": [{"name": "X", "datatype": "FP32", "shape": [2, 4], "data": FLOWERS}], "outputs": []}],
    }
).encode()


@pytest.fixture
def world(tmp_path: Path) -> World:
    built = World(tmp_path)
    built.publish_doubler()
    built.publish("adder", models.add(), inference.ADD)
    described = Signature(
        (TensorSpec("X", "FP32", (-1, 4)),),
        (TensorSpec("label", "INT64", (-1,)), TensorSpec("probabilities", "FP32", (-1, 3))),
    )
    manifest = manifests.manifest("iris", body=classifier.graph(), signature=described, labels=LABELS)
    golden = ModelFile(keys.GOLDEN, len(GOLDEN), hashlib.sha256(GOLDEN).hexdigest())
    manifests.store_version(built.store.objects, manifest._replace(documents=(golden,)), body=classifier.graph())
    manifests.store_alias(built.store.objects, "iris", 1)
    built.store.objects.put(keys.artifact("iris", 1, keys.GOLDEN), GOLDEN)
    return built


def document(world: World, path: str = "/v2/models/iris") -> dict[str, Any]:
    answered = world.ask("GET", f"{path}/openapi.json")
    assert answered.status == 200
    found: dict[str, Any] = answered.json
    return found


def check(described: dict[str, Any], schema: dict[str, Any], value: object) -> list[str]:
    return [error.message for error in Draft202012Validator({**schema, **described}).iter_errors(value)]


@pytest.mark.parametrize("path", ["/v2/models/iris", "/v2/models/iris/versions/1", "/v2/models/doubler@live"])
def test_it_is_valid_openapi(world: World, path: str) -> None:
    assert list(OpenAPIV31SpecValidator(document(world, path)).iter_errors()) == []


def test_it_has_the_models_routes_below_the_endpoint(world: World) -> None:
    found = document(world, "/v2/models/iris/versions/1")
    assert sorted(found["paths"]) == [
        "/predict/iris:1",
        "/v2/models/iris/versions/1",
        "/v2/models/iris/versions/1/infer",
        "/v2/models/iris/versions/1/ready",
    ]
    assert found["servers"] == [{"url": "../../../../.."}]


def test_its_examples_are_answered_as_its_schemas_say(world: World) -> None:
    found = document(world)
    asked = 0
    for path, verbs in found["paths"].items():
        for verb, operation in verbs.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is not None:
                assert check(found, body["schema"], body["example"]) == []
            answered = world.ask(verb.upper(), path, body and body["example"])
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            assert (answered.status, check(found, schema, answered.json)) == (200, [])
            asked += 1
    assert asked == 4


@pytest.mark.parametrize(
    "body", [{"a": 1, "b": 2}, [{"a": 1, "b": 2}], {"a": [1, 2], "b": [3, 4]}, {"a": [1], "b": None}]
)
def test_its_schema_has_each_form_of_records(world: World, body: object) -> None:
    found = document(world, "/v2/models/adder")
    assert check(found, {"$ref": "#/components/schemas/Records"}, body) == []


@pytest.mark.parametrize("body", [{}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": "1", "b": 2}, []])
def test_its_schema_refuses_what_the_model_does(world: World, body: object) -> None:
    found = document(world, "/v2/models/adder")
    assert check(found, {"$ref": "#/components/schemas/Records"}, body) != []
    assert world.ask("POST", "/predict/adder", body).status == 400


def test_errors_have_the_shape_that_it_says(world: World) -> None:
    found = document(world)
    plain = world.ask("POST", "/predict/iris", {}).json
    assert check(found, {"$ref": "#/components/schemas/PlainError"}, plain) == []
    oip = world.ask("POST", "/v2/models/iris/infer", {}).json
    assert check(found, {"$ref": "#/components/schemas/Error"}, oip) == []


def test_a_version_without_golden_examples_has_a_document_without_examples(world: World) -> None:
    found = document(world, "/v2/models/doubler")
    assert "example" not in found["paths"]["/predict/doubler"]["post"]["requestBody"]["content"]["application/json"]


@pytest.mark.parametrize("body", [None, GOLDEN[:-1], GOLDEN[:-1] + b" "])
def test_an_example_that_is_not_the_one_published_is_refused(world: World, body: bytes | None) -> None:
    key = keys.artifact("iris", 1, keys.GOLDEN)
    if body is None:
        world.store.objects.delete(key)
    else:
        world.store.objects.put(key, body)
    answered = world.ask("GET", "/v2/models/iris/openapi.json")
    assert (answered.status, answered.json["error"][: len(key)]) == (503, key)


def page(world: World, path: str = "/v2/models/iris/docs") -> tuple[dict[str, str], str]:
    answered = world.plane.answer(event("GET", path), "request-1")
    assert answered["statusCode"] == 200
    return answered["headers"], answered["body"]


def test_the_page_needs_no_other_host_and_lets_no_script_in_but_its_own(world: World) -> None:
    headers, body = page(world)
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", body) == ["data:,", "openapi.json"]
    script = re.findall(r"<script>(.*?)</script>", body, re.DOTALL)
    assert len(script) == 1
    digest = b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in headers["content-security-policy"]
    assert headers["content-security-policy"].startswith("default-src 'none';")


def test_the_page_shows_names_and_examples_as_text(world: World) -> None:
    _, body = page(world)
    assert "&lt;b&gt;virginica&lt;/b&gt;" in body
    assert "<b>" not in body
    data = json.loads(re.findall(r'id="data">(.*?)</script>', body)[0])
    assert json.loads(data["forms"][0]["body"]) == [{"X": FLOWERS[:4]}, {"X": FLOWERS[4:]}]
    assert [form["path"] for form in data["forms"]] == ["/predict/iris", "/v2/models/iris/infer"]


@pytest.mark.parametrize(
    ("name", "method", "path", "body"),
    [
        ("metadata_server_response", "GET", "/v2", None),
        ("metadata_model_response", "GET", "/v2/models/iris", None),
        ("metadata_model_response", "GET", "/v2/models/iris/versions/1", None),
        ("inference_response", "POST", "/v2/models/doubler/infer", infer_body([1, 2])),
        ("inference_response", "POST", "/v2/models/iris/infer", infer_body(FLOWERS, name="X", shape=[2, 4])),
        ("inference_error_response", "POST", "/v2/models/iris/infer", {}),
    ],
)
def test_the_protocols_own_document_describes_our_answers(
    world: World, name: str, method: str, path: str, body: object
) -> None:
    validator = Draft202012Validator(oip_schemas.schema(name))
    assert [error.message for error in validator.iter_errors(world.ask(method, path, body).json)] == []
    assert not validator.is_valid(["another answer"])
