"""Which array becomes which input, and in which shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from warmstart.client.arrays import match
from warmstart.errors import InvalidValue, MissingTensor, UnknownTensor, WrongDatatype, WrongShape
from warmstart.tensors import TensorSpec

X = (TensorSpec("X", "FP32", (-1, 2)),)
PERSON = (TensorSpec("age", "FP32", (-1, 1)), TensorSpec("city", "BYTES", (-1,)))
PEOPLE = pd.DataFrame({"age": [3.0, 44.0], "city": ["Bern", "Genf"]})


def matched(values: Any, inputs: tuple[TensorSpec, ...]) -> dict[str, Any]:
    return {spec.name: array.tolist() for spec, array in match(values, inputs)}


def test_columns_become_the_inputs_of_their_names() -> None:
    assert matched(PEOPLE, PERSON) == {"age": [[3.0], [44.0]], "city": ["Bern", "Genf"]}
    assert matched(PEOPLE[["city", "age"]], PERSON) == matched(PEOPLE, PERSON)


def test_columns_stand_side_by_side_for_an_input_that_takes_a_row() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})

    assert matched(frame, X) == {"X": [[1.0, 0.5], [2.0, 1.5]]}
    assert matched(frame[["b", "a"]], X) == {"X": [[0.5, 1.0], [1.5, 2.0]]}
    assert matched(frame, (TensorSpec("X", "FP32", (-1, -1)),)) == {"X": [[1.0, 0.5], [2.0, 1.5]]}


def test_columns_may_be_numbered() -> None:
    assert matched(pd.DataFrame(np.array([[1, 2]])), X) == {"X": [[1.0, 2.0]]}


def test_a_column_of_the_inputs_own_name_is_that_input() -> None:
    inputs = (TensorSpec("text", "BYTES", (-1, 1)),)

    assert matched(pd.DataFrame({"text": ["a", "b"]}), inputs) == {"text": [["a"], ["b"]]}


def test_a_frame_without_rows_is_sent() -> None:
    assert [array.shape for _, array in match(PEOPLE[:0], PERSON)] == [(0, 1), (0,)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.5, None], [1.5, None]),
        (pd.array([1, None], "Int64"), [1.0, None]),
        (pd.array([2, 3], "Int64"), [2.0, 3.0]),
        (pd.array([True, None], "boolean"), [1.0, None]),
        (pd.Categorical([7, 8]), [7.0, 8.0]),
    ],
)
def test_what_is_missing_in_a_column_is_nan(values: Any, expected: list[float | None]) -> None:
    found = matched(pd.DataFrame({"x": values}), (TensorSpec("x", "FP32", (-1,)),))["x"]

    assert [None if value != value else value for value in found] == expected


def test_what_is_missing_where_there_is_no_nan_is_refused() -> None:
    with pytest.raises(InvalidValue, match="'n': expected INT64, got a missing value in row 1; fill it"):
        matched(pd.DataFrame({"n": pd.array([1, None], "Int64")}), (TensorSpec("n", "INT64", (-1,)),))
    with pytest.raises(InvalidValue, match="'city': expected BYTES, got a missing value in row 0"):
        matched(pd.DataFrame({"age": [1], "city": [None]}), PERSON)


def test_a_column_that_would_lose_something_is_named() -> None:
    with pytest.raises(InvalidValue, match="input 'b': expected FP32 to hold it; got 16777217"):
        matched(pd.DataFrame({"a": [1], "b": [16_777_217]}), X)


def test_a_whole_column_with_something_missing_loses_nothing() -> None:
    with pytest.raises(InvalidValue, match="got 9007199254740993"):
        matched(pd.DataFrame({"x": pd.array([2**53 + 1, None], "Int64")}), (TensorSpec("x", "FP64", (-1,)),))


@pytest.mark.parametrize(
    ("frame", "inputs", "error", "message"),
    [
        (
            PEOPLE[["age"]],
            PERSON,
            MissingTensor,
            r"input 'city': expected BYTES \[-1\], got no such column \(came: age\)",
        ),
        (PEOPLE.assign(x=1), PERSON, UnknownTensor, "input 'x': .*it has: age, city.*; leave the column out"),
        (
            pd.concat([PEOPLE, PEOPLE[["age"]]], axis=1),
            PERSON,
            UnknownTensor,
            "input 'age': expected one column, got 2",
        ),
        (PEOPLE, X, WrongDatatype, "input 'city': expected FP32, got an array of"),
        (PEOPLE[["age"]], X, WrongShape, r"expected 2 columns for shape \[-1, 2\], got 1 columns and 2 rows \(age\)"),
        (PEOPLE, (TensorSpec("image", "FP32", (-1, 3, 8, 8)),), MissingTensor, "input 'image': .* no such column"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(
    frame: Any, inputs: tuple[TensorSpec, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        match(frame, inputs)


def test_arrays_become_the_inputs_of_their_names() -> None:
    values = {"city": np.array(["Bern", "Genf"]), "age": np.array([3, 44])}

    assert matched(values, PERSON) == {"age": [[3.0], [44.0]], "city": ["Bern", "Genf"]}


def test_beside_an_array_lists_and_columns_are_read() -> None:
    values = {"age": np.array([3, 44]), "city": ["Bern", "Genf"]}

    assert matched(values, PERSON) == {"age": [[3.0], [44.0]], "city": ["Bern", "Genf"]}
    assert matched({**values, "city": PEOPLE["city"]}, PERSON)["city"] == ["Bern", "Genf"]


def test_a_list_loses_nothing_on_its_way_to_an_array() -> None:
    age, city = np.array([1.0]), (TensorSpec("age", "FP32", (-1, 1)), TensorSpec("city", "BYTES", (-1,)))

    assert matched({"age": age, "city": [b"a\0", "b"]}, city)["city"] == [b"a\0", "b"]
    with pytest.raises(WrongDatatype, match="input 'city': expected BYTES"):
        match({"age": age, "city": ["a", 1]}, city)
    with pytest.raises(InvalidValue, match=r"input 'age': .* got 16777217"):
        match({"age": [16_777_217, 0.5], "city": np.array(["a"])}, city)


def test_a_masked_value_is_refused_and_not_what_lies_below_it() -> None:
    masked = np.ma.masked_array([[1.0, 2.0]], mask=[[False, True]])

    with pytest.raises(InvalidValue, match=r"input 'X': expected FP32, got an array with masked values; fill them"):
        match(masked, X)
    assert matched(masked.filled(0.0), X) == {"X": [[1.0, 0.0]]}


def test_names_may_be_numbers() -> None:
    inputs = (TensorSpec("0", "FP32", (-1,)), TensorSpec("1", "FP32", (-1,)))

    assert matched({0: np.array([0.5]), 1: np.array([1.5])}, inputs) == {"0": [0.5], "1": [1.5]}


def test_a_frame_may_be_one_of_several_inputs() -> None:
    inputs = (TensorSpec("rows", "FP32", (-1, 2)), TensorSpec("n", "INT64", (-1,)))
    frame = pd.DataFrame({"a": [1.0, None], "b": [2, 3]})

    rows, n = match({"rows": frame, "n": np.array([1, 2])}, inputs)

    assert str(rows.array.tolist()) == "[[1.0, 2.0], [nan, 3.0]]"
    assert n.array.tolist() == [1, 2]


def test_one_record_may_have_single_values_beside_its_array() -> None:
    inputs = (*PERSON, TensorSpec("face", "FP32", (-1, 3)))

    assert matched({"age": 3, "city": "Bern", "face": np.array([1, 2, 3])}, inputs) == {
        "age": [[3.0]],
        "city": ["Bern"],
        "face": [[1.0, 2.0, 3.0]],
    }


def test_a_list_that_is_no_array_is_refused() -> None:
    with pytest.raises(WrongShape, match=r"input 'age': expected an array of shape \[-1, 1\], got setting an array"):
        match({"city": np.array(["Bern"]), "age": [[1, 2], [3]]}, PERSON)


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["age"], MissingTensor, "input 'city': .* got no such array"),
        (["age", "city", "x"], UnknownTensor, "input 'x': the model has no such input"),
    ],
)
def test_arrays_of_other_names_are_refused(names: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        match({name: np.array([1.0]) for name in names}, PERSON)


def test_one_array_is_for_a_model_with_one_input() -> None:
    assert matched(np.array([[1, 2], [3, 4]]), X) == {"X": [[1.0, 2.0], [3.0, 4.0]]}
    with pytest.raises(MissingTensor, match=r"expected 2 arrays by name \(age, city\), got one array"):
        match(np.array([1.0]), PERSON)


@pytest.mark.parametrize(
    ("came", "declared", "sent"),
    [
        ((5,), (-1, 1), (5, 1)),
        ((5, 1), (-1,), (5,)),
        ((4,), (-1, 4), (1, 4)),
        ((4,), (-1, -1), (1, 4)),
        ((3, 8, 8), (-1, 3, 8, 8), (1, 3, 8, 8)),
        ((), (-1,), (1,)),
        ((), (), ()),
        ((2, 4), (-1, 4), (2, 4)),
        ((0, 4), (-1, 4), (0, 4)),
    ],
)
def test_a_shape_that_says_the_same_becomes_the_declared_one(
    came: tuple[int, ...], declared: tuple[int, ...], sent: tuple[int, ...]
) -> None:
    [found] = match(np.zeros(came), (TensorSpec("x", "FP32", declared),))

    assert found.array.shape == sent


@pytest.mark.parametrize(("came", "declared"), [((2, 3), (-1, 4)), ((5,), (-1, 4)), ((2, 2, 4), (-1, 4)), ((4,), (5,))])
def test_another_shape_is_refused(came: tuple[int, ...], declared: tuple[int, ...]) -> None:
    with pytest.raises(WrongShape) as caught:
        match(np.zeros(came), (TensorSpec("x", "FP32", declared),))

    assert caught.value.message == (
        f"input 'x': expected shape {list(declared)} (-1 is any size), got {list(came)}; reshape it"
    )
