"""The matrix sees what it is for: answers that differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.frameworks.matrix import Built, Case, Tolerances, compare, write_sample


def built(_: Path) -> Built:
    return Built(None, {}, {})


CASE = Case("m", built, Tolerances(numbers=0.01, labels=0.5))


def test_numbers_within_the_tolerance_pass_and_the_largest_difference_is_told() -> None:
    difference, agreement = compare(CASE, {"y": np.array([1.0, 100.0])}, {"y": np.array([1.0, 101.0])})

    assert (difference, agreement) == (1.0, None)


def test_numbers_beyond_the_tolerance_fail() -> None:
    with pytest.raises(AssertionError, match=r"m: y\(.*1.*\): 102.0, the source: 100.0"):
        compare(CASE, {"y": np.array([1.0, 100.0])}, {"y": np.array([1.0, 102.0])})


def test_numbers_that_are_nan_on_one_side_fail() -> None:
    with pytest.raises(AssertionError, match=r"nan, the source: 1.0"):
        compare(CASE, {"y": np.array([1.0])}, {"y": np.array([np.nan])})


def test_labels_that_agree_often_enough_pass() -> None:
    expected, got = np.array(["a", "b"], object), np.array(["a", "c"], object)

    assert compare(CASE, {"label": expected}, {"label": got, "more": got}) == (None, 0.5)


def test_labels_that_agree_too_seldom_fail() -> None:
    with pytest.raises(AssertionError, match=r"0\.0% of the labels agree"):
        compare(CASE, {"label": np.array([1, 2])}, {"label": np.array([2, 1])})


def test_answers_of_another_shape_fail() -> None:
    with pytest.raises(AssertionError, match=r"shape \(2, 1\), the source's is \(2,\)"):
        compare(CASE, {"y": np.ones(2)}, {"y": np.ones((2, 1))})


def test_an_output_that_is_missing_fails() -> None:
    with pytest.raises(AssertionError, match="output 'y' is missing; there are z"):
        compare(CASE, {"y": np.ones(2)}, {"z": np.ones(2)})


def test_a_table_is_written_as_csv_with_what_is_missing_left_empty(tmp_path: Path) -> None:
    path = write_sample(tmp_path / "sample", {"a": np.array([1.5, np.nan]), "b": np.array(["x", None], object)})

    assert path.read_text().splitlines() == ["a,b", "1.5,x", ","]
