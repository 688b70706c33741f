"""Rows laid out as a graph takes them, cast to its datatypes, made from its signature."""

# ruff: noqa: E501 - tables of messages
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from model_store.convert.source import Sample
from model_store.gate.sample import arrange, cast, generate, thin
from model_store.gate.sample_made import is_generated
from warmstart.datatypes import DATATYPES
from warmstart.errors import InvalidSample
from warmstart.tensors import TensorSpec, check

X = TensorSpec("X", "FP32", (-1, 2))
A, B = TensorSpec("age", "FP32", (-1, 1)), TensorSpec("city", "BYTES", (-1, 1))


def sample(**columns: Any) -> Sample:
    return Sample(
        {name: values if isinstance(values, np.ndarray) else column(values) for name, values in columns.items()}, "test"
    )


def column(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    return np.array(values, object if isinstance(values[0], str) else None)


def test_a_tables_columns_are_stacked_into_the_one_input_in_their_order() -> None:
    batch = arrange(sample(b=[1, 2, 3], a=[0.5, 1.5, 2.5]), (X,))

    assert list(batch) == ["X"]
    assert batch["X"].tolist() == [[1, 0.5], [2, 1.5], [3, 2.5]]


def test_columns_that_are_inputs_of_their_own_are_matched_by_name() -> None:
    batch = arrange(sample(city=["x", "y"], age=[1, 2]), (A, B))

    assert {name: array.tolist() for name, array in batch.items()} == {"age": [[1], [2]], "city": [["x"], ["y"]]}
    assert batch["age"].dtype == np.int64  # as it came: casting is another step


def test_one_unnamed_tensor_is_the_one_input() -> None:
    batch = arrange(sample(arr_0=np.zeros((4, 2))), (X,))

    assert batch["X"].shape == (4, 2)


def test_one_column_is_an_input_of_one_axis() -> None:
    assert arrange(sample(text=["a", "b"]), (TensorSpec("t", "BYTES", (-1,)),))["t"].tolist() == ["a", "b"]


def test_named_tensors_of_one_column_fit_an_input_of_one_axis() -> None:
    batch = arrange(
        sample(t=np.zeros((3, 1)), u=np.zeros(3)), (TensorSpec("t", "FP32", (-1,)), TensorSpec("u", "FP32", (-1, 1)))
    )

    assert [array.shape for array in batch.values()] == [(3,), (3, 1)]


@pytest.mark.parametrize(
    ("columns", "inputs", "message"),
    [
        ({"a": [1], "b": [2], "kind": [3]}, (X,), "expected 2 columns, got 3: 'a', 'b', 'kind': if 'kind' is the right answer, say so (--truth kind)"),
        ({"a": [1], "b": ["x"]}, (X,), "X: FP32 [-1, 2]: column 'b': expected numbers, got text"),
        ({"Age": [1], "city": ["x"]}, (A, B), "the sample lacks 'age' (did you mean it by 'Age'?): name its columns as the model's inputs"),
        ({"age": [1], "z": [2]}, (A, B), "the sample lacks 'city', and has 'z' beside: name its columns as the model's inputs"),
        ({"age": [1]}, (A, B), "the model takes 'age', 'city'; the sample lacks 'city'"),
        ({"age": [1], "city": ["x"], "y": [1]}, (A, B), "the sample has 'y' beside: remove what is no input, or, if it is the right answer, say so (--truth y)"),
        ({"a": [1], "day": np.array(["2024-01-31"], "M8[D]")}, (X,), "column 'day': expected numbers, booleans or text, got datetime64[D]: convert it"),
        ({"X": np.zeros((3, 5))}, (X,), "'X': expected X: FP32 [-1, 2] (-1 is any size), got the shape [3, 5]"),
        ({"a": [1.0, 2.0]}, (TensorSpec("x", "FP32", (-1, 3, 4)),), "'a': expected x: FP32 [-1, 3, 4] (-1 is any size), got the shape [2]: give tensors as npz"),
        ({"x": np.zeros((3, 2))}, (TensorSpec("x", "FP32", (1, 2)),), "the model takes 1 rows at a time, the sample has 3"),
        ({"age": np.zeros((3, 1)), "city": ["x", "y"]}, (A, B), "expected as many rows of each input, got 3 of 'age', 2 of 'city'"),
    ],
)  # fmt: skip
def test_a_sample_that_does_not_fit_the_model_is_refused(
    columns: dict[str, Any], inputs: tuple[TensorSpec, ...], message: str
) -> None:
    with pytest.raises(InvalidSample) as caught:
        arrange(sample(**columns), inputs)

    assert message in caught.value.message


def test_a_float_may_lose_digits() -> None:
    assert cast({"X": np.array([[0.1, 1e-50]])}, (X,))["X"].dtype == np.float32


def test_nan_and_infinity_stay() -> None:
    got = cast({"X": np.array([[np.nan, np.inf]])}, (X,))["X"]

    assert np.array_equal(got, np.array([[np.nan, np.inf]], np.float32), equal_nan=True)


@pytest.mark.parametrize(
    ("values", "datatype", "expected"),
    [
        (np.array([1.0, -2.0]), "INT64", [1, -2]),
        (np.array([0, 255]), "UINT8", [0, 255]),
        (np.array([True, False]), "FP32", [1.0, 0.0]),
        (np.array([0, 1]), "BOOL", [False, True]),
        (np.array(["a", "é"]), "BYTES", ["a", "é"]),
        (np.array([2**24 + 1]), "FP32", [2.0**24]),
        (np.array([257, 1e38]), "BF16", [256.0, float(ml_dtypes.bfloat16(1e38))]),
    ],
)
def test_values_that_their_datatype_holds_are_cast(values: Any, datatype: str, expected: list[Any]) -> None:
    got = cast({"x": values}, (TensorSpec("x", datatype, (-1,)),))["x"]

    assert (got.tolist(), got.dtype.name) == (expected, DATATYPES[datatype].numbers)


@pytest.mark.parametrize(
    ("values", "datatype", "message"),
    [
        (np.array([1.0, 1.5]), "INT64", "expected whole numbers from -9223372036854775808 to 9223372036854775807, got 1.5 in row 1"),
        (np.array([1, 300]), "UINT8", "expected whole numbers from 0 to 255, got 300 in row 1"),
        (np.array([-1]), "UINT64", "got -1 in row 0"),
        (np.array([2**63], np.uint64), "INT64", "got 9223372036854775808 in row 0"),
        (np.array([2.0**63]), "INT64", "got 9.223372036854775808e+18 in row 0"),
        (np.array([np.nan]), "INT32", "got nan in row 0"),
        (np.array([2]), "BOOL", "expected true or false, got 2 in row 0"),
        (np.array([1.0, 1e39]), "FP32", "expected numbers up to 3.403e+38, got 1e+39 in row 1"),
        (np.array([70000.0]), "FP16", "expected numbers up to 6.55e+04, got 70000.0 in row 0"),
        (np.array([0, 3.4e38]), "BF16", "expected numbers up to 3.39e+38, got 3.4e+38 in row 1"),
        (np.array(["1"], object), "FP32", "expected numbers up to 3.403e+38, got text ('1')"),
        (np.array([1]), "BYTES", "expected text, got int64: CSV cannot tell numbers from codes"),
        (np.array(["x", None], object), "BYTES", "expected text, got None in row 1"),
    ],
)  # fmt: skip
def test_values_that_their_datatype_cannot_hold_are_refused(values: Any, datatype: str, message: str) -> None:
    with pytest.raises(InvalidSample) as caught:
        cast({"x": values}, (TensorSpec("x", datatype, (-1,)),))

    assert message.replace("9.223372036854775808e+18", str(2.0**63)) in caught.value.message


@pytest.mark.parametrize("name", [name for name in DATATYPES if name != "BF16"])
@pytest.mark.parametrize("shape", [(-1, 4), (-1,), (3, 2), (), (-1, 3, -1, -1)])
def test_generated_rows_fit_the_signature_they_are_made_from(name: str, shape: tuple[int, ...]) -> None:
    specs = (TensorSpec("x", name, shape),)
    made = generate(specs, None)

    check(cast(arrange(made, specs), specs), specs)
    assert is_generated(made)


def test_generated_bf16_is_fp32_with_the_digits_of_bf16() -> None:
    specs = (TensorSpec("x", "BF16", (-1, 4)),)
    values = cast(generate(specs, None).columns, specs)["x"]

    assert (values.dtype.name, values.shape) == ("float32", (32, 4))
    assert values.tolist() == values.astype(ml_dtypes.bfloat16).tolist()
    assert {0.0, 1.0, -1.0, 1000.0} <= set(values.reshape(-1).tolist())


def test_generated_rows_are_the_same_each_time() -> None:
    first, second = (generate((X,), None).columns["X"] for _ in range(2))

    assert first.tolist() == second.tolist()


def test_generated_numbers_have_edge_values() -> None:
    values = generate((X,), None).columns["X"]

    assert {0.0, 1.0, -1.0, 1000.0} <= set(values.reshape(-1).tolist())
    assert np.isfinite(values).all()


def test_generated_text_has_the_empty_one_and_other_scripts() -> None:
    assert {"", "日本語", "a"} <= set(generate((B,), None).columns["city"].reshape(-1).tolist())


def test_generated_integers_are_small_as_they_may_be_indices() -> None:
    ids, mask = (TensorSpec(name, "INT64", (-1, -1)) for name in ("input_ids", "attention_mask"))
    made = generate((ids, mask), None).columns

    assert made["input_ids"].shape == made["attention_mask"].shape
    assert set(made["input_ids"].reshape(-1).tolist()) == {0, 1}
    assert (made["attention_mask"].sum(axis=1) > 0).all()


def test_fewer_rows_are_generated_of_images() -> None:
    assert generate((TensorSpec("x", "FP32", (-1, 3, 224, 224)),), None).rows == 6


def test_an_example_is_varied() -> None:
    example = {"X": np.array([[1.0, 2.0]], np.float32), "n": np.array([[7]])}
    made = generate((X, TensorSpec("n", "INT64", (-1, 1))), example)

    assert made.rows == 2
    assert made.columns["X"][0].tolist() == [1.0, 2.0]
    assert made.columns["X"][1] == pytest.approx([1.0, 2.0], rel=0.011)
    assert made.columns["n"].tolist() == [[7], [7]]
    assert is_generated(made)


def test_a_large_sample_is_thinned_evenly_its_right_answers_too() -> None:
    large = Sample({"x": np.arange(5000)}, "test", np.arange(5000))
    few = thin(large)

    assert (few.rows, few.columns["x"][0], few.columns["x"][-1]) == (1000, 0, 4999)
    assert few.truth is not None
    assert few.truth.tolist() == few.columns["x"].tolist()


def test_a_small_sample_stays_as_it_is() -> None:
    small = sample(x=[1, 2, 3])

    assert thin(small) is small
