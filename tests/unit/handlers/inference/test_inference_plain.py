"""The plain protocol's forms, asked over HTTP: columns, CSV, Arrow, text and images."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from model_store.preprocessing.declared import ImageInput, TextInput
from tests.build import inference, models
from tests.build.bad_bodies import stream
from tests.build.inference import World, event
from tests.build.prepared import colour_mean, image_folder, picture, publish, text_folder, token_counter

ARROW = "application/vnd.apache.arrow.stream"
ECHO = inference.signature({"words": ("BYTES", (-1,))}, {"said": ("BYTES", (-1,))})


def echo() -> bytes:
    """A model that gives back its text."""
    inputs, outputs = (
        models.tensor("words", TensorProto.STRING, ["rows"]),
        models.tensor("said", TensorProto.STRING, ["rows"]),
    )
    return models.model([helper.make_node("Identity", ["words"], ["said"])], [inputs], [outputs])


def largest() -> bytes:
    """A model that makes one row of all of its rows."""
    given, found = models.tensor("x", TensorProto.FLOAT, ["rows"]), models.tensor("most", TensorProto.FLOAT, ["one"])
    node = helper.make_node("ReduceMax", ["x"], ["most"], axes=[0], keepdims=1)
    return models.model([node], [given], [found])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    built = World(tmp_path_factory.mktemp("plain"))
    built.publish_doubler()
    built.publish("adder", models.add(), inference.ADD)
    built.publish("echo", echo(), ECHO)
    built.publish("largest", largest(), inference.signature({"x": ("FP32", (-1,))}, {"most": ("FP32", (-1,))}))
    return built


def ask(world: World, path: str, body: bytes, content_type: str, accept: str = "") -> tuple[int, str, bytes]:
    headers = {"content-type": content_type} | ({"accept": accept} if accept else {})
    fields: dict[str, Any] = {"headers": headers, "isBase64Encoded": True}
    answered = world.plane.answer(event("POST", path, b64encode(body).decode(), **fields), "request-1")
    content = answered["body"]
    return (
        answered["statusCode"],
        answered["headers"]["content-type"],
        b64decode(content) if answered["isBase64Encoded"] else content.encode(),
    )


def test_columns_are_records_the_other_way_round(world: World) -> None:
    answered = world.ask("POST", "/predict/adder", {"a": [1, 2, 3], "b": [10, 20, 30]})
    assert answered.json["predictions"] == [{"sum": 11.0}, {"sum": 22.0}, {"sum": 33.0}]


def test_a_list_of_n_is_a_record_and_a_list_of_lists_are_columns(world: World) -> None:
    assert world.ask("POST", "/predict/doubler", {"x": [1, 2]}).json["predictions"] == [{"y": [2.0, 4.0]}]
    answered = world.ask("POST", "/predict/doubler", {"x": [[1, 2], [3, 4]]})
    assert answered.json["predictions"] == [{"y": [2.0, 4.0]}, {"y": [6.0, 8.0]}]


def test_one_value_in_a_list_means_the_same_either_way(world: World) -> None:
    assert world.ask("POST", "/predict/adder", {"a": [5], "b": [1]}).json["predictions"] == [{"sum": 6.0}]
    assert world.ask("POST", "/predict/adder", {"a": [5], "b": 1}).json["predictions"] == [{"sum": 6.0}]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b'[{"x": 1}, {"x": 2}]', "application/json"), (b"x\n1\n2\n", "text/csv"), (stream(x=[1.0, 2.0]), ARROW)],
    ids=["JSON", "CSV", "Arrow"],
)
def test_fewer_rows_than_came_are_refused_whatever_they_came_in(world: World, body: bytes, content_type: str) -> None:
    status, _, said = ask(world, "/predict/largest", body, content_type)
    assert (status, b"expected a row per record (2), got shape [1]" in said) == (422, True)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            {"a": [1, 2], "b": [1]},
            "malformed_body",
            "body: expected columns of one length, got 2 values of 'a' and 1 of 'b'",
        ),
        ({"a": [1, 2], "b": [1, 2], "c": [1, 2]}, "unknown_tensor", "input 'c': the model has no such input"),
        ({"a": [1, 2], "b": 1}, "wrong_shape", "input 'a': expected an array of 1 FP32 values, got 2 in record 0"),
        ({"a": [1, "2"], "b": [1, 2]}, "invalid_value", 'got "2" (a string) in record 1'),
    ],
)
def test_columns_that_are_none_are_refused(world: World, body: object, code: str, message: str) -> None:
    answered = world.ask("POST", "/predict/adder", body)
    assert (answered.status, answered.json["error"]["code"]) == (400, code)
    assert message in answered.json["error"]["message"]


def test_csv_is_answered_in_csv(world: World) -> None:
    answered = ask(world, "/predict/adder", b"b,a\n10,1\n20,2\n", "text/csv")
    assert answered == (200, "text/csv; charset=utf-8; header=present", b"sum\n11.0\n22.0\n")


def test_arrow_is_answered_in_arrow(world: World) -> None:
    status, content_type, body = ask(world, "/predict/adder", stream(a=[1, 2], b=[10.0, 20.5]), ARROW)
    assert (status, content_type) == (200, ARROW)
    assert pyarrow.ipc.open_stream(body).read_all().to_pylist() == [{"sum": 11.0}, {"sum": 22.5}]


@pytest.mark.parametrize(
    ("accept", "content_type", "body"),
    [
        ("text/csv", "text/csv; charset=utf-8; header=present", b"sum\n3.0\n"),
        (
            "application/json",
            "application/json",
            b'{"model_name":"adder","model_version":"1","predictions":[{"sum":3.0}]}',
        ),
        (
            "*/*",
            "application/json",
            b'{"model_name":"adder","model_version":"1","predictions":[{"sum":3.0}]}',
        ),
    ],
)
def test_accept_decides(world: World, accept: str, content_type: str, body: bytes) -> None:
    assert ask(world, "/predict/adder", b'{"a": 1, "b": 2}', "application/json", accept) == (200, content_type, body)


def test_an_answer_in_arrow_to_json(world: World) -> None:
    _, _, body = ask(world, "/predict/doubler", b'{"x": [1, 2]}', "application/json", ARROW)
    assert pyarrow.ipc.open_stream(body).read_all().to_pylist() == [{"y": [2.0, 4.0]}]


def test_what_is_not_written_is_not_acceptable(world: World) -> None:
    status, _, body = ask(world, "/predict/adder", b'{"a": 1, "b": 2}', "application/json", "application/xml")
    assert (status, b"text/csv" in body) == (406, True)


def test_a_file_for_a_model_that_takes_none_is_an_unsupported_media_type(world: World) -> None:
    status, _, body = ask(world, "/predict/adder", b"good film", "text/plain")
    assert status == 415
    assert b"for the model adder, got text/plain: it has no input 'text' alone" in body


def test_bytes_that_are_no_text_are_refused_where_text_belongs(world: World) -> None:
    header = b'{"inputs":[{"name":"words","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":12}}]}'
    body = b64encode(header + b"\x02\x00\x00\x00ok\x02\x00\x00\x00\xff\xd8").decode()
    headers = {"Inference-Header-Content-Length": str(len(header))}
    answered = world.ask("POST", "/v2/models/echo/infer", body, headers=headers, isBase64Encoded=True)
    assert answered.status == 400
    assert answered.json == {"error": "input 'words': expected text in UTF-8, got other bytes at index 1"}


@pytest.fixture
def image(tmp_path: Path) -> World:
    world = World(tmp_path / "lambda")
    declared = ImageInput("pixel_values", "bilinear", size=(4, 4), rescale=1 / 255)
    publish(world, tmp_path, colour_mean(), image_folder(tmp_path, declared))
    return world


@pytest.mark.parametrize(("form", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png")])
def test_an_image_is_a_body(image: World, form: str, content_type: str) -> None:
    body = b64decode(picture((5, 5), (51, 51, 51), form))
    status, answered, content = ask(image, "/predict/model", body, content_type, "text/csv")
    assert (status, answered[:8], content[:27]) == (200, "text/csv", b"colour.0,colour.1,colour.2\n")


def test_an_image_is_an_element_of_a_binary_tensor(image: World) -> None:
    file = b64decode(picture((9, 7), (255, 0, 0), "PNG"))
    item = len(file).to_bytes(4, "little") + file
    header = b'{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":%d}}]}' % len(
        item
    )
    headers = {"Inference-Header-Content-Length": str(len(header))}
    body = b64encode(header + item).decode()
    answered = image.ask("POST", "/v2/models/model/infer", body, headers=headers, isBase64Encoded=True)
    assert answered.json["outputs"][0]["data"] == [1.0, 0.0, 0.0]


def test_text_is_a_body(tmp_path: Path) -> None:
    world = World(tmp_path / "lambda")
    publish(world, tmp_path, token_counter(), text_folder(tmp_path, TextInput(("input_ids", "attention_mask"))))
    status, _, body = ask(world, "/predict/model", b"good film", "text/plain; charset=utf-8")
    assert (status, b'"predictions":[{"length":4,"ids":[2,4,6,3]}]' in body) == (200, True)
    assert ask(world, "/predict/model", b"\xff", "text/plain")[0] == 400
    assert ask(world, "/predict/model", b"", "text/plain")[0] == 400
    assert ask(world, "/predict/model", b"\xff\xd8", "image/jpeg")[0] == 415


GOOD = stream(a=[1, 2], b=[10.0, 20.5])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=5),
    end=st.integers(0, len(GOOD)) | st.just(len(GOOD)),
)
def test_a_stream_that_lies_is_no_fault_of_ours(world: World, changes: list[tuple[int, int]], end: int) -> None:
    body = bytearray(GOOD)
    for place, value in changes:
        body[place] = value
    assert ask(world, "/predict/adder", bytes(body[:end]), ARROW)[0] in (200, 400, 422)
