"""TensorFlow Serving's REST protocol: rows and columns, names or none, tokens and files."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.build.calls import model, request
from warmstart.errors import InvalidRequest, InvalidValue, MalformedBody, UnrepresentableOutput, WrongShape
from warmstart.protocols import tensorflow_serving as tfs
from warmstart.protocols.tensorflow_examples import read_classify, read_regress
from warmstart.tensors import TensorSpec

X = TensorSpec("x", "FP32", (-1,))
TAG = TensorSpec("tag", "BYTES", (-1,))
SIGNAL = TensorSpec("signal", "INT64", (-1, 5))
SENSOR = TensorSpec("sensor", "FP32", (-1, 2, 2))
ONE = model((X,), (TensorSpec("y", "FP32", (-1,)),))
THREE = model((TAG, SIGNAL, SENSOR), (TensorSpec("y", "FP32", (-1,)),))


def read(document: object, *, of: Any = ONE) -> dict[str, Any]:
    tensors = tfs.read_predict(request(document)).tensors(of)
    return {name: (array.shape, array.tolist()) for name, array in tensors.items()}


def answer(asked: object, *outputs: tuple[TensorSpec, Any]) -> Any:
    return json.loads(tfs.read_predict(request(asked)).render(ONE, outputs).body)


def test_rows_of_a_model_of_one_input_need_no_name() -> None:
    assert read({"instances": [1.0, 2.0, 5.0]}) == {"x": ((3,), [1.0, 2.0, 5.0])}
    assert read({"instances": [{"x": 1}, {"x": 2}]}) == {"x": ((2,), [1.0, 2.0])}


def test_the_documents_rows_of_several_inputs() -> None:
    rows = [
        {"tag": "foo", "signal": [1, 2, 3, 4, 5], "sensor": [[1, 2], [3, 4]]},
        {"tag": "bar", "signal": [3, 4, 1, 2, 5], "sensor": [[4, 5], [6, 8]]},
    ]
    assert read({"instances": rows}, of=THREE) == {
        "tag": ((2,), ["foo", "bar"]),
        "signal": ((2, 5), [[1, 2, 3, 4, 5], [3, 4, 1, 2, 5]]),
        "sensor": ((2, 2, 2), [[[1.0, 2.0], [3.0, 4.0]], [[4.0, 5.0], [6.0, 8.0]]]),
    }


def test_the_documents_columns_of_several_inputs() -> None:
    columns = {
        "tag": ["foo", "bar"],
        "signal": [[1, 2, 3, 4, 5], [3, 4, 1, 2, 5]],
        "sensor": [[[1, 2], [3, 4]], [[4, 5], [6, 8]]],
    }
    assert read({"inputs": columns}, of=THREE)["sensor"][0] == (2, 2, 2)


def test_columns_of_a_model_of_one_input_need_no_name() -> None:
    assert read({"inputs": [1, 2]}) == read({"inputs": {"x": [1, 2]}}) == {"x": ((2,), [1.0, 2.0])}


def test_a_column_may_be_a_single_value() -> None:
    assert read({"inputs": 7}, of=model((TensorSpec("k", "INT64", ()),), ())) == {"k": ((), 7)}


def test_single_values_fill_a_column_of_one() -> None:
    assert read({"instances": [1, 2]}, of=model((TensorSpec("x", "FP32", (-1, 1)),), ())) == {"x": ((2, 1), [[1], [2]])}


def test_files_come_in_base64_and_text_as_it_is_or_so() -> None:
    rows = [{"b64": "aGVsbG8="}, "world", {"b64": "/9g="}]
    assert read({"instances": rows}, of=model((TAG,), ())) == {"tag": ((3,), ["hello", "world", b"\xff\xd8"])}
    assert read({"inputs": {"b64": "aGVsbG8="}}, of=model((TensorSpec("t", "BYTES", ()),), ())) == {"t": ((), "hello")}


def test_nan_and_infinity_are_tokens() -> None:
    found = tfs.read_predict(request(b'{"instances": [NaN, Infinity, -Infinity, 1]}')).tensors(ONE)["x"]
    assert np.array_equal(found, [np.nan, np.inf, -np.inf, 1], equal_nan=True)


def test_a_signature_is_the_default_or_refused() -> None:
    assert read({"signature_name": "serving_default", "instances": [1]})["x"][1] == [1.0]
    with pytest.raises(InvalidRequest, match="signature_name: expected 'serving_default', the only one here"):
        read({"signature_name": "regress", "instances": [1]})


@pytest.mark.parametrize(
    ("document", "error", "message"),
    [
        ([1], MalformedBody, "body: expected an object, got an array"),
        ({}, MalformedBody, r"expected 'instances' \(rows\) or 'inputs' \(columns\), got neither"),
        ({"instances": [1], "inputs": [1]}, MalformedBody, "got instances and inputs"),
        ({"instances": 1}, MalformedBody, "instances: expected a non-empty array, one element per row; got a number"),
        ({"instances": []}, MalformedBody, "got an empty array"),
        ({"instances": [{"z": 1}]}, InvalidRequest, r"instances\[0\]: expected an object with x; got z"),
        ({"instances": [{"x": 1}, 2]}, InvalidRequest, r"instances\[1\]: expected an object with x; got a number"),
        ({"inputs": {"z": 1}}, InvalidRequest, r"input 'z': the model has no such input \(it has: x\)"),
        ({"instances": [[1], [2, 3]]}, WrongShape, "input 'x': expected data flat, or nested as its shape"),
        ({"instances": ["a"]}, InvalidValue, "input 'x': expected FP32 values"),
        ({"inputs": {"x": {"b64": "AA=="}}}, InvalidValue, "input 'x': expected FP32 values"),
    ],
)
def test_what_is_wrong_is_named(document: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(document)


def test_values_without_names_are_refused_where_there_are_several_inputs() -> None:
    with pytest.raises(InvalidRequest, match="expected objects that name the model's 3 inputs"):
        read({"instances": [1, 2]}, of=THREE)


@pytest.mark.parametrize("value", [{"b64": "="}, {"b64": 1}, {"b64": "AA==", "x": 1}, 3, None, ["a"]])
def test_what_is_neither_text_nor_a_file_is_refused(value: object) -> None:
    with pytest.raises((InvalidValue, WrongShape), match="input 'tag'"):
        read({"inputs": {"tag": ["a", value]}}, of=model((TAG,), ()))


def test_deep_nesting_is_refused_in_bounded_time() -> None:
    for deep in (b"[" * 100_000 + b"]" * 100_000, b"[" * 900 + b"NaN" + b"]" * 900):
        with pytest.raises((MalformedBody, WrongShape)):
            tfs.read_predict(request(b'{"instances": ' + deep + b"}")).tensors(ONE)


Y = (TensorSpec("y", "FP32", (-1,)), np.array([2.5, 3.0], np.float32))
Z = (TensorSpec("z", "INT64", (-1, 2)), np.array([[1, 2], [3, 4]]))


def test_one_output_has_no_name_and_several_have() -> None:
    assert answer({"instances": [1, 2]}, Y) == {"predictions": [2.5, 3.0]}
    assert answer({"instances": [1, 2]}, Y, Z) == {"predictions": [{"y": 2.5, "z": [1, 2]}, {"y": 3.0, "z": [3, 4]}]}
    assert answer({"inputs": [1, 2]}, Y) == {"outputs": [2.5, 3.0]}
    assert answer({"inputs": [1, 2]}, Y, Z) == {"outputs": {"y": [2.5, 3.0], "z": [[1, 2], [3, 4]]}}


def test_whole_numbers_as_onnx_runtime_gives_them_are_written_beside_others() -> None:
    label = (TensorSpec("label", "INT64", (-1,)), np.array([2, 0], np.longlong))
    flag = (TensorSpec("flag", "BOOL", (-1,)), np.array([True, False]))
    assert answer({"instances": [1, 2]}, label, flag, Y) == {
        "predictions": [{"label": 2, "flag": True, "y": 2.5}, {"label": 0, "flag": False, "y": 3.0}]
    }
    assert answer({"instances": [1, 2]}, label) == {"predictions": [2, 0]}
    assert answer({"inputs": [1, 2]}, label, Y) == {"outputs": {"label": [2, 0], "y": [2.5, 3.0]}}


def test_rows_need_as_many_rows_in_each_output_and_columns_do_not() -> None:
    mean = (TensorSpec("mean", "FP32", ()), np.array(1.5, np.float32))
    with pytest.raises(
        UnrepresentableOutput, match=r"outputs: expected as many rows in each, got y: \[2\], mean: \[\]"
    ):
        answer({"instances": [1, 2]}, Y, mean)
    assert answer({"inputs": [1, 2]}, Y, mean) == {"outputs": {"y": [2.5, 3.0], "mean": 1.5}}


def test_what_is_not_finite_is_written_as_tokens_and_the_rest_with_its_own_digits() -> None:
    array = np.array([0.1, np.nan, np.inf, -np.inf], np.float32)
    body = tfs.read_predict(request({"instances": [1]})).render(ONE, [(Y[0], array)]).body
    assert body == b'{"predictions":[0.1,NaN,Infinity,-Infinity]}'
    both = tfs.read_predict(request({"instances": [1]})).render(ONE, [(Y[0], array[:2]), Z]).body
    assert both == b'{"predictions":[{"y":0.1,"z":[1,2]},{"y":NaN,"z":[3,4]}]}'


def test_outputs_called_bytes_are_base64() -> None:
    image = (TensorSpec("image_bytes", "BYTES", (-1,)), np.array(["hello"], object))
    text = (TensorSpec("text", "BYTES", (-1,)), np.array(["hello"], object))
    assert answer({"instances": [1]}, image, text) == {
        "predictions": [{"image_bytes": {"b64": "aGVsbG8="}, "text": "hello"}]
    }


def test_status_and_metadata_have_the_servers_shape() -> None:
    assert json.loads(tfs.render_status(ONE).body) == {
        "model_version_status": [
            {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    }
    statuses = json.loads(tfs.render_statuses([2, 10]).body)["model_version_status"]
    assert [status["version"] for status in statuses] == ["2", "10"]
    document = json.loads(tfs.render_metadata(THREE).body)
    assert document["model_spec"] == {"name": "iris", "signature_name": "", "version": "3"}
    signature = document["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["signal"] == {
        "dtype": "DT_INT64",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "5", "name": ""}], "unknown_rank": False},
        "name": "signal:0",
    }
    assert signature["method_name"] == "tensorflow/serving/predict"


def test_an_error_has_the_servers_shape() -> None:
    assert json.loads(tfs.render_error(404, "model_not_found", "no").body) == {"error": "no"}


SCORES = TensorSpec("probabilities", "FP32", (-1, 2))
FLOWERS = model(
    (X, TensorSpec("w", "FP32", (-1, 1))), (TensorSpec("label", "INT64", (-1,)), SCORES), labels=("no", "yes")
)


def test_examples_are_classified_with_what_they_have_in_common() -> None:
    asked = read_classify(request({"context": {"w": [2.0]}, "examples": [{"x": 1.0}, {"x": [3.0]}]}))
    assert asked.outputs(FLOWERS) == ("probabilities",)
    assert {name: array.tolist() for name, array in asked.tensors(FLOWERS).items()} == {
        "x": [1.0, 3.0],
        "w": [[2.0], [2.0]],
    }
    scores = np.array([[0.25, 0.75], [1, 0]], np.float32)
    assert json.loads(asked.render(FLOWERS, [(SCORES, scores)]).body) == {
        "results": [[["no", 0.25], ["yes", 0.75]], [["no", 1.0], ["yes", 0.0]]]
    }
    assert b'["no",NaN]' in asked.render(FLOWERS, [(SCORES, scores * np.nan)]).body


def test_examples_are_regressed_to_numbers() -> None:
    asked = read_regress(request({"examples": [{"x": 1.0}, {"x": 2.0}]}))
    assert asked.outputs(ONE) == ("y",)
    assert json.loads(asked.render(ONE, [Y]).body) == {"results": [2.5, 3.0]}
    assert asked.render(ONE, [(Y[0], np.array([[np.nan]], np.float32))]).body == b'{"results":[NaN]}'


def test_a_model_without_the_numbers_says_so() -> None:
    with pytest.raises(InvalidRequest, match="iris:3: expected an output of floating point with one number per row"):
        read_regress(request({"examples": [{"x": 1}]})).outputs(FLOWERS)
    with pytest.raises(
        InvalidRequest, match="with a score per class, in two dimensions, it has none; ask it by :predict"
    ):
        read_classify(request({"examples": [{"x": 1}]})).outputs(ONE)


@pytest.mark.parametrize(
    "document", [{}, {"examples": []}, {"examples": 1}, {"examples": [1]}, {"examples": [{}], "context": 1}]
)
def test_examples_of_another_form_are_refused(document: object) -> None:
    with pytest.raises(MalformedBody, match="expected"):
        read_classify(request(document))
