"""Statistics of columns, against the standard library's and scipy's, and against numbers worked out by hand."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from model_store.gate.column_statistics import Column, Numbers, Texts, columns_of, describe


def column(values: NDArray[Any]) -> Column:
    [found] = describe({"x": values})
    return found


def numbers(values: NDArray[Any]) -> Numbers:
    found = column(values).numbers
    assert found is not None
    return found


def texts(*values: object) -> Texts:
    found = column(np.array(values, dtype=object)).texts
    assert found is not None
    return found


RANDOM = np.random.default_rng(7).lognormal(size=10_007)


def test_moments_are_those_of_the_standard_library() -> None:
    found, values = numbers(RANDOM), RANDOM.tolist()

    assert found.mean == pytest.approx(statistics.fmean(values), rel=1e-12)
    assert found.total == pytest.approx(sum(values), rel=1e-12)
    assert found.std_dev == pytest.approx(statistics.pstdev(values), rel=1e-12)
    assert (found.least, found.most) == (min(values), max(values))


def test_ten_buckets_count_as_scipy_does() -> None:
    found = numbers(RANDOM)
    expected = stats.binned_statistic(RANDOM, None, "count", bins=10)

    assert found.counts == tuple(expected.statistic.astype(int))
    assert found.edges == pytest.approx(expected.bin_edges)
    assert (found.edges[0], found.edges[-1]) == (found.least, found.most)


def test_a_bucket_is_closed_below_and_open_above_and_the_last_is_closed() -> None:
    assert numbers(np.arange(11)).counts == (1, 1, 1, 1, 1, 1, 1, 1, 1, 2)


def test_a_constant_lies_in_the_last_bucket() -> None:
    found = numbers(np.full(7, 0.1))

    assert found.counts == (0, 0, 0, 0, 0, 0, 0, 0, 0, 7)
    assert set(found.edges) == {0.1}


@pytest.mark.parametrize("count", [1, 2, 511, 512, 513, 1000, 1024, 1025, 100_003])
def test_a_sketch_stands_for_every_value_once(count: int) -> None:
    levels = numbers(np.arange(count)).levels

    assert sum(len(values) << level for level, values in enumerate(levels)) == count


def test_up_to_512_values_are_all_in_the_sketch() -> None:
    assert numbers(np.array([3.0, 1.0, 2.0])).levels == ((1.0, 2.0, 3.0),)


def test_a_rank_read_off_a_sketch_is_wrong_by_one_in_512_at_most() -> None:
    values = np.random.default_rng(3).normal(size=100_003)
    weighted = [(value, 1 << level) for level, kept in enumerate(numbers(values).levels) for value in kept]
    kept, weights = (np.array(part) for part in zip(*weighted, strict=True))
    asked = np.sort(values)[::97]

    exact = stats.percentileofscore(values, asked, kind="weak") / 100
    read = np.array([weights[kept <= value].sum() for value in asked]) / len(values)

    assert np.abs(exact - read).max() <= 1 / 512


def test_nan_and_infinity_are_missing() -> None:
    found = column(np.array([1.0, np.nan, np.inf, -np.inf, 3.0]))

    assert (found.present, found.missing, found.completeness) == (2, 3, 0.4)
    assert found.numbers is not None
    assert (found.numbers.mean, found.numbers.std_dev) == (2.0, 1.0)


def test_a_column_without_a_value_is_of_unknown_type() -> None:
    assert column(np.full(3, np.nan)) == Column(name="x", kind="Unknown", present=0, missing=3)
    assert column(np.array([None, ""], dtype=object)) == Column(name="x", kind="Unknown", present=0, missing=2)


@pytest.mark.parametrize(
    ("dtype", "kind"), [("int64", "Integral"), ("uint8", "Integral"), ("bool", "Integral"), ("float16", "Fractional")]
)
def test_the_datatype_says_what_a_column_is(dtype: str, kind: str) -> None:
    assert column(np.ones(3, dtype)).kind == kind


def test_the_largest_numbers_there_are_stay_numbers() -> None:
    found = numbers(np.array([1.7e308, -1.7e308, 1.7e308]))

    assert np.isfinite([found.mean, found.total, found.std_dev, *found.edges]).all()
    assert sum(found.counts) == 3


def test_text_with_few_values_has_a_domain_most_frequent_first() -> None:
    assert texts("b", "a", "b", "c", "a", "b", "c", None, "") == Texts(
        distinct=3, domain=(("b", 3), ("a", 2), ("c", 2))
    )


def test_text_whose_values_hardly_repeat_has_none() -> None:
    assert texts("one", "two", "three", "three", "four") == Texts(distinct=4, domain=None)


def test_text_with_more_than_120_values_has_none() -> None:
    assert texts(*[str(value) for value in range(120)] * 2).domain is not None
    assert texts(*[str(value) for value in range(121)] * 2) == Texts(distinct=121, domain=None)


def test_fixed_width_text_and_dates_are_text() -> None:
    assert column(np.array(["a", "a", "b", "b"])).kind == "String"
    assert column(np.array(["2026-01-31", "2026-01-31"], "datetime64[D]")).kind == "String"


def test_a_tensor_is_taken_apart_into_its_elements() -> None:
    columns = dict(columns_of("X", np.array([[1, 2, 3], [4, 5, 6]])))

    assert {name: values.tolist() for name, values in columns.items()} == {
        "X[0]": [1, 4],
        "X[1]": [2, 5],
        "X[2]": [3, 6],
    }


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_one_value_per_row_is_one_column(shape: tuple[int, ...]) -> None:
    assert [(name, values.shape) for name, values in columns_of("x", np.zeros(shape))] == [("x", (4,))]


@pytest.mark.parametrize("shape", [(4, 101), (4, 3, 8, 8), (4, 1, 1)])
def test_a_large_tensor_is_one_column_of_all_its_values(shape: tuple[int, ...]) -> None:
    assert [(name, values.size) for name, values in columns_of("x", np.zeros(shape))] == [("x", math.prod(shape))]


def test_of_a_very_large_tensor_evenly_spaced_rows_are_looked_at() -> None:
    rows = np.repeat(np.arange(90, dtype=np.uint8), 100_000).reshape(90, 100_000)
    [(_, values)] = columns_of("x", rows)

    assert values.size <= 4_000_000
    assert np.unique(values).tolist() == list(range(0, 90, 3))
