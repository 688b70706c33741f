# ruff: noqa: E501 - one refused table per line
"""Tables in JSON to tensors, and what was computed to lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.build.calls import computed
from warmstart.errors import MalformedBody, MissingTensor, UnknownTensor, UnrepresentableOutput, WrongShape
from warmstart.protocols import tables
from warmstart.protocols.json_tensors import dump
from warmstart.tensors import TensorSpec

AGE = TensorSpec("age", "INT64", (-1, 1))
CITY = TensorSpec("city", "BYTES", (-1,))
X = TensorSpec("x", "FP32", (-1, 2))
PRICE = TensorSpec("price", "FP32", (-1,))
BOTH = {"age": [[3], [4]], "city": ["Bern", "Zug"]}


def listed(found: dict[str, Any]) -> dict[str, Any]:
    return {name: array.tolist() for name, array in found.items()}


def split(document: object, *inputs: TensorSpec) -> dict[str, Any]:
    return listed(tables.from_split(document, inputs, "frame"))


def items(document: object, *inputs: TensorSpec) -> dict[str, Any]:
    return listed(tables.from_items(document, inputs, "instances"))


def test_columns_of_a_frame_are_matched_by_name() -> None:
    frame = {"columns": ["city", "age"], "index": [0, 1], "data": [["Bern", 3], ["Zug", 4]]}
    assert split(frame, AGE, CITY) == BOTH


@pytest.mark.parametrize("columns", [{}, {"columns": None}, {"columns": [0, 1]}])
def test_columns_without_names_are_in_the_order_of_the_model(columns: dict[str, Any]) -> None:
    assert split({"data": [[3, "Bern"], [4, "Zug"]], **columns}, AGE, CITY) == BOTH


@pytest.mark.parametrize("columns", [{}, {"columns": ["width", "height"]}])
def test_a_model_of_one_wide_input_takes_columns_of_any_name(columns: dict[str, Any]) -> None:
    assert split({"data": [[1, 2], [3, 4]], **columns}, X) == {"x": [[1, 2], [3, 4]]}


def test_a_column_may_hold_arrays() -> None:
    assert split({"columns": ["x"], "data": [[[1, 2]], [[3, 4]]]}, X) == {"x": [[1, 2], [3, 4]]}
    assert items([{"x": [1, 2]}], X) == {"x": [[1, 2]]}


def test_records_are_matched_by_name() -> None:
    assert items([{"age": 3, "city": "Bern"}, {"city": "Zug", "age": 4}], AGE, CITY) == BOTH


def test_records_of_one_wide_input_are_in_the_order_of_the_first() -> None:
    assert items([{"width": 1, "height": 2}, {"height": 4, "width": 3}], X) == {"x": [[1, 2], [3, 4]]}


@pytest.mark.parametrize(
    ("rows", "inputs", "expected"),
    [
        ([[1, 2], [3, 4]], (X,), {"x": [[1, 2], [3, 4]]}),
        ([1, 2], (X,), {"x": [[1, 2]]}),
        ([1, 2], (PRICE,), {"price": [1, 2]}),
        ([[3, "Bern"], [4, "Zug"]], (AGE, CITY), BOTH),
        (["a", "b"], (CITY,), {"city": ["a", "b"]}),
        ([3, 4], (AGE,), {"age": [[3], [4]]}),
    ],
)
def test_arrays_are_rows(rows: list[Any], inputs: tuple[TensorSpec, ...], expected: dict[str, Any]) -> None:
    assert items(rows, *inputs) == expected


@pytest.mark.parametrize(
    ("columns", "inputs", "expected"),
    [
        ({"age": [3, 4], "city": ["Bern", "Zug"]}, (AGE, CITY), BOTH),
        ({"age": 3, "city": "Bern"}, (AGE, CITY), {"age": [[3]], "city": ["Bern"]}),
        ({"x": [[1, 2], [3, 4]]}, (X,), {"x": [[1, 2], [3, 4]]}),
        ({"width": [1, 3], "height": [2, 4]}, (X,), {"x": [[1, 2], [3, 4]]}),
    ],
)
def test_columns_are_a_value_per_row(columns: Any, inputs: tuple[TensorSpec, ...], expected: dict[str, Any]) -> None:
    assert listed(tables.from_columns(columns, inputs)) == expected


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "frame: expected an object of 'data' and maybe 'columns' and 'index', got an array"),
        ({"columns": []}, "frame: expected an object of 'data' and maybe 'columns' and 'index', got an object with columns"),
        ({"data": [[1]], "z": 1}, "frame: expected an object of 'data' and maybe 'columns' and 'index', got an object with data, z"),
        ({"data": []}, "frame: data: expected a non-empty array of rows, got an empty array"),
        ({"data": 3}, "frame: data: expected a non-empty array of rows, got a number"),
        ({"data": [3]}, "body: expected an array per row, got 3 in record 0"),
        ({"data": [[1, "a"], [1]]}, "body: expected 2 columns in every row, got 1 in record 1"),
        ({"columns": {}, "data": [[1]]}, "frame: columns: expected an array of names, got an object"),
        ({"columns": ["age"], "data": [[1, "a"]]}, "body: expected 1 columns in every row, got 2 in record 0"),
        ({"columns": ["age", "age"], "data": [[1, 2]]}, "body: expected each column once, got 'age' again"),
        ({"columns": [], "data": [[]]}, "body: expected 2 columns (age: INT64 [-1, 1], city: BYTES [-1]), got 0 in record 0"),
        ({"data": [[1]]}, "body: expected 2 columns (age: INT64 [-1, 1], city: BYTES [-1]), got 1 in record 0"),
    ],
)  # fmt: skip
def test_what_is_no_frame_is_refused(document: object, message: str) -> None:
    with pytest.raises(MalformedBody) as refused:
        split(document, AGE, CITY)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (None, "instances: expected a non-empty array of rows, got null"),
        ([{"a": 1, "b": 2}, {"a": 1}], "body: expected the same columns in every record, not so 'b' in record 1"),
        ([{"a": 1}, [1]], "body: expected records of one form, got an array and an object"),
    ],
)
def test_what_are_no_rows_is_refused(rows: object, message: str) -> None:
    with pytest.raises(MalformedBody) as refused:
        items(rows, X)
    assert refused.value.message == message


def test_columns_of_another_model_are_refused() -> None:
    with pytest.raises(
        MissingTensor, match="input 'city': expected BYTES \\[-1\\], got no such tensor \\(came: age\\)"
    ):
        tables.from_columns({"age": [1]}, (AGE, CITY))
    with pytest.raises(UnknownTensor, match="input 'z': the model has no such input \\(it has: age, city\\)"):
        tables.from_columns({"age": [1], "city": ["a"], "z": [1]}, (AGE, CITY))
    with pytest.raises(WrongShape, match="input 'city': expected an array of a value per row, got an empty array"):
        tables.from_columns({"age": [1], "city": []}, (AGE, CITY))
    with pytest.raises(MalformedBody, match="body: expected columns of one length, got several"):
        tables.from_columns({"width": [1], "height": [1, 2]}, (X,))
    with pytest.raises(MalformedBody, match="expected columns of one length, got values 3 of 'age', 1 of 'city'"):
        tables.from_columns({"age": [[1], [2], [3]], "city": ["a"]}, (AGE, CITY))


def test_columns_of_a_model_that_takes_no_rows_are_as_long_as_it_declares() -> None:
    pair, three = TensorSpec("a", "INT64", (2,)), TensorSpec("b", "INT64", (3,))
    assert listed(tables.from_columns({"a": [1, 2], "b": [1, 2, 3]}, (pair, three))) == {"a": [1, 2], "b": [1, 2, 3]}


def test_one_output_is_its_values_and_several_are_records() -> None:
    label, scores = np.array([1, 0]), np.array([[0.5, 0.5], [1, 0]], np.float32)
    assert dump(tables.answers(computed(y=scores), ())) == b"[[0.5,0.5],[1.0,0.0]]"
    assert dump(tables.answers(computed(y=label), ("cat", "dog"))) == b'["dog","cat"]'
    both = tables.answers(computed(label=label, scores=scores), ("cat", "dog"))
    assert dump(both) == (
        b'[{"label":"dog","scores":{"cat":0.5,"dog":0.5}},{"label":"cat","scores":{"cat":1.0,"dog":0.0}}]'
    )


def test_an_output_that_has_no_rows_is_refused() -> None:
    with pytest.raises(UnrepresentableOutput):
        tables.answers(computed(y=np.float32(1)), ())


def test_a_column_that_comes_again_among_many_is_found_in_one_pass() -> None:
    names = [str(index) for index in range(200_000)]
    with pytest.raises(MalformedBody, match="body: expected each column once, got '0' again"):
        split({"columns": [*names, "0"], "data": [[0] * 200_001]}, AGE, CITY)
