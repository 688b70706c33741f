"""Plain JSON records to tensors and back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from warmstart.errors import (
    InvalidRequest,
    InvalidValue,
    MalformedBody,
    MissingTensor,
    UnknownTensor,
    UnrepresentableOutput,
    WrongShape,
)
from warmstart.protocols.json_tensors import dump
from warmstart.protocols.records import parse_records, predictions, tensors
from warmstart.tensors import TensorSpec

AGE = TensorSpec("age", "INT64", (-1, 1))
CITY = TensorSpec("city", "BYTES", (-1,))
PRICE = TensorSpec("price", "FP32", (-1,))
FEATURES = TensorSpec("features", "FP32", (-1, 4))


def gather(body: object, *inputs: TensorSpec) -> dict[str, Any]:
    gathered = tensors(parse_records(body), inputs)
    return {name: (array.dtype.name, array.tolist()) for name, array in gathered.items()}


def test_a_record_is_matched_to_the_inputs_by_name() -> None:
    assert gather({"city": "Bern", "age": 3}, AGE, CITY) == {"age": ("int64", [[3]]), "city": ("object", ["Bern"])}


def test_a_list_of_records_is_one_row_each() -> None:
    records = [{"age": 3, "city": "Bern"}, {"city": "Zug", "age": 4}]
    assert gather(records, AGE, CITY) == {"age": ("int64", [[3], [4]]), "city": ("object", ["Bern", "Zug"])}


@pytest.mark.parametrize("body", [{"price": None}, [None], [[None]]], ids=["named", "bare", "bare rows"])
def test_null_is_a_missing_value(body: object) -> None:
    found = tensors(parse_records(body), (PRICE,))["price"]
    assert (found.shape, bool(np.isnan(found).all())) == ((1,), True)


def test_a_row_may_lack_some_of_its_values() -> None:
    found = tensors(parse_records([[1, None, 3, 4], [5, 6, 7, None]]), (FEATURES,))["features"]
    assert np.array_equal(found, [[1, np.nan, 3, 4], [5, 6, 7, np.nan]], equal_nan=True)


def test_a_file_in_base64_may_be_marked_as_such() -> None:
    records = [{"city": {"b64": "QUJD"}}, {"city": "REVG"}]
    assert gather(records, CITY) == {"city": ("object", ["QUJD", "REVG"])}


@pytest.mark.parametrize("value", [{"b64": 3}, {"b64": "QUJD", "x": 1}, {}])
def test_another_object_is_no_value_of_a_record(value: object) -> None:
    with pytest.raises(InvalidValue, match="input 'city': expected BYTES values"):
        gather({"city": value}, CITY)


@pytest.mark.parametrize(
    "body", [{"features": [1, 2, 3, 4]}, [{"features": [1, 2, 3, 4]}], [1, 2, 3, 4], [[1, 2, 3, 4]]]
)
def test_a_model_of_one_input_reads_an_array_per_record_named_or_bare(body: object) -> None:
    assert gather(body, FEATURES) == {"features": ("float32", [[1.0, 2.0, 3.0, 4.0]])}


def test_several_bare_records_are_rows() -> None:
    assert gather([[1, 2, 3, 4], [5, 6, 7, 8]], FEATURES)["features"][1] == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize("image", [[[1, 2], [3, 4]], [1, 2, 3, 4]], ids=["nested", "flat"])
def test_a_record_holds_a_tensor_of_any_rank(image: list[object]) -> None:
    spec = TensorSpec("image", "UINT8", (-1, 2, 2))
    assert gather([{"image": image}, {"image": image}], spec)["image"][1] == [[[1, 2], [3, 4]]] * 2


def test_an_open_dimension_is_as_long_as_the_first_record_says() -> None:
    tokens = TensorSpec("tokens", "INT64", (-1, -1))
    assert gather([[7, 8, 9], [1, 2, 3]], tokens)["tokens"][1] == [[7, 8, 9], [1, 2, 3]]
    with pytest.raises(WrongShape, match="input 'tokens': expected an array of 3 INT64 values, got 2 in record 1"):
        gather([[7, 8, 9], [1, 2]], tokens)
    with pytest.raises(WrongShape, match=r"expected an array of shape \[-1, 2\] .*, got shape \[3\] in record 0"):
        gather([[7, 8, 9]], TensorSpec("tokens", "INT64", (-1, -1, 2)))


def test_a_model_of_a_fixed_number_of_rows_takes_that_many_records() -> None:
    one = TensorSpec("x", "FP32", (1, 2))
    assert gather([1, 2], one)["x"][1] == [[1.0, 2.0]]
    with pytest.raises(WrongShape, match="input 'x': the model takes 1 records at a time, got 2"):
        gather([[1, 2], [3, 4]], one)


def test_an_input_without_rows_is_no_field_of_a_record() -> None:
    with pytest.raises(InvalidRequest, match="input 'k': is one value for all records"):
        gather({"k": 1}, TensorSpec("k", "INT64", ()))


@pytest.mark.parametrize("body", [[], "a", 1, None, True, [1, [2]], [{"age": 1}, 2], [None, {}]])
def test_a_body_of_another_form_is_refused(body: object) -> None:
    with pytest.raises(MalformedBody, match="body: expected"):
        parse_records(body)


def test_what_is_missing_unknown_or_wrong_is_named_with_its_record() -> None:
    with pytest.raises(MissingTensor, match=r"input 'city': .* got none in record 1 \(which has: age\)"):
        gather([{"age": 1, "city": "Bern"}, {"age": 2}], AGE, CITY)
    with pytest.raises(UnknownTensor, match=r"input 'size': .* \(it has: age, city\); in record 0"):
        gather({"age": 1, "city": "Bern", "size": 2}, AGE, CITY)
    with pytest.raises(InvalidValue, match=r"input 'age': .*, got 2.5 \(a number\) in record 1"):
        gather([{"age": 1}, {"age": 2.5}], AGE)
    with pytest.raises(InvalidValue, match=r"input 'features': .*, got true \(a boolean\) in record 1, element 2"):
        gather([[1, 2, 3, 4], [1, 2, True, 4]], FEATURES)
    with pytest.raises(InvalidValue, match=r"input 'city': .*, got null \(a missing value: .*\) in record 0"):
        gather({"city": None}, CITY)
    with pytest.raises(MissingTensor, match="input 'price': expected FP32 in every record, got none in record 0"):
        gather([{}, {"price": 1}], PRICE)
    with pytest.raises(WrongShape, match="input 'features': expected an array of 4 FP32 values, got null in record 0"):
        gather({"features": None}, FEATURES)
    with pytest.raises(WrongShape, match="input 'features': expected an array of 4 FP32 values, got 3 in record 0"):
        gather({"features": 3}, FEATURES)
    with pytest.raises(InvalidRequest, match=r"name the model's 2 inputs \(age, city\), got bare arrays"):
        gather([1, "Bern"], AGE, CITY)


def render(*outputs: tuple[str, str, Any], count: int = 2, labels: tuple[str | int, ...] = ()) -> Any:
    rendered = [(TensorSpec(name, datatype, (-1, *array.shape[1:])), array) for name, datatype, array in outputs]
    return json.loads(dump(predictions(rendered, count=count, labels=labels)))


SCORES = ("scores", "FP32", np.array([[0.9, 0.1, 0.0], [0.25, 0.5, 0.25]], np.float32))
LABELS = ("label", "INT64", np.array([0, 1]))


def test_a_prediction_has_a_value_per_output() -> None:
    assert render(LABELS, SCORES) == [
        {"label": 0, "scores": [0.9, 0.1, 0.0]},
        {"label": 1, "scores": [0.25, 0.5, 0.25]},
    ]


def test_a_row_of_one_value_is_the_value() -> None:
    price = np.array([[0.1], [2.0]], np.float32)
    spec = TensorSpec("price", "FP32", (-1, 1))
    assert dump(predictions([(spec, price)], count=2)) == b'[{"price":0.1},{"price":2.0}]'


def test_whole_numbers_as_onnx_runtime_gives_them_are_written() -> None:
    label = ("label", "INT64", np.array([2, -1], np.longlong))
    count = ("count", "UINT64", np.array([[2**64 - 1], [0]], np.ulonglong))
    assert render(label, count) == [{"label": 2, "count": 2**64 - 1}, {"label": -1, "count": 0}]


def test_class_labels_name_the_scores_and_the_class() -> None:
    assert render(LABELS, SCORES, labels=("setosa", "versicolor", "virginica")) == [
        {"label": "setosa", "scores": {"setosa": 0.9, "versicolor": 0.1, "virginica": 0.0}},
        {"label": "versicolor", "scores": {"setosa": 0.25, "versicolor": 0.5, "virginica": 0.25}},
    ]


def test_labels_that_are_numbers_name_the_scores_and_leave_the_class_as_it_is() -> None:
    assert render(LABELS, SCORES, labels=(10, 20, 30))[1] == {
        "label": 1,
        "scores": {"10": 0.25, "20": 0.5, "30": 0.25},
    }


def test_a_label_that_is_text_already_stays() -> None:
    assert render(("label", "BYTES", np.array(["a", "b"], object)), labels=("a", "b")) == [
        {"label": "a"},
        {"label": "b"},
    ]


def test_an_index_outside_the_labels_stays_a_number() -> None:
    assert render(("label", "INT64", np.array([0, 9])), labels=("a", "b")) == [{"label": "a"}, {"label": 9}]


def test_two_outputs_of_whole_numbers_are_not_guessed_at() -> None:
    cluster = ("cluster", "INT64", np.array([1, 0]))
    assert render(LABELS, cluster, labels=("a", "b"))[0] == {"label": 0, "cluster": 1}


def test_labels_that_are_not_distinct_name_nothing() -> None:
    assert render(SCORES, labels=("a", "a", "b"))[0] == {"scores": [0.9, 0.1, 0.0]}


def test_text_and_tensors_of_any_rank_are_written() -> None:
    words = ("words", "BYTES", np.array([["a", "b"], ["c", "d"]], object))
    image = ("image", "UINT8", np.arange(8, dtype=np.uint8).reshape(2, 2, 2))
    assert render(words, image)[1] == {"words": ["c", "d"], "image": [[4, 5], [6, 7]]}


def test_an_output_without_a_row_per_record_is_refused() -> None:
    with pytest.raises(UnrepresentableOutput, match=r"output 'mean': expected a row per record \(2\), got shape \[1\]"):
        render(("mean", "FP32", np.zeros(1, np.float32)))
    with pytest.raises(UnrepresentableOutput, match=r"got shape \[\]"):
        render(("mean", "FP32", np.float32(1).reshape(())), count=1)


def test_nan_is_refused() -> None:
    with pytest.raises(UnrepresentableOutput, match="output 'price': expected finite FP32 values, got nan at index 1"):
        render(("price", "FP32", np.array([1, np.nan], np.float32)))
