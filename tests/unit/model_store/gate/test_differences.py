"""How far two answers are apart."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from model_store.gate.differences import Scores, Tolerance, compare_labels, compare_numbers

LOOSE = Tolerance(0.1, 0.0)


def numbers(*values: Any) -> np.ndarray[Any, Any]:
    return np.array(values, np.float32)


def test_the_largest_differences_are_told() -> None:
    found = compare_numbers("y", numbers([1.0, 2.0], [4.0, 0.0]), numbers([1.0, 2.5], [4.25, 0.0]), Tolerance(1, 1))

    assert found.agrees
    assert found.says == "y within 0.5 (1 + 1·|expected| is tolerated)"
    assert found.figures["max_absolute_difference"] == 0.5
    assert found.figures["max_relative_difference"] == 0.25
    assert found.figures["mean_absolute_difference"] == 0.1875


def test_a_difference_is_measured_by_what_was_expected() -> None:
    relative = Tolerance(0.0, 0.01)

    assert compare_numbers("y", numbers(1000.0), numbers(1009.0), relative).agrees
    assert not compare_numbers("y", numbers(100.0), numbers(109.0), relative).agrees


def test_the_worst_row_is_the_one_farthest_beyond() -> None:
    found = compare_numbers("y", numbers([0, 0], [0, 0], [0, 0]), numbers([0.2, 0], [0, 0.75], [0.05, 0]), LOOSE)

    assert (found.agrees, found.row) == (False, 1)
    assert found.says == (
        "y: 2 of 3 rows differ by more than 0.1 + 0·|expected|; the worst is row 1, at [1]: expected 0, got 0.75; "
        "it would pass with a tolerance of 0.75"
    )
    assert (found.figures["values_beyond"], found.figures["rows_beyond"]) == (2, 2)


def test_nan_agrees_with_nan_and_infinity_with_itself() -> None:
    values = numbers(np.nan, np.inf, -np.inf, 1.0)

    assert compare_numbers("y", values, values.copy(), LOOSE).says == "y equal"


@pytest.mark.parametrize(
    ("expected", "got"), [(np.nan, 1.0), (1.0, np.nan), (np.inf, -np.inf), (1.0, np.inf), (np.inf, 1.0)]
)
def test_nan_or_infinity_on_one_side_never_agrees(expected: float, got: float) -> None:
    found = compare_numbers("y", numbers(0.0, expected), numbers(0.0, got), Tolerance(1e30, 1e30))

    assert (found.agrees, found.row) == (False, 1)
    assert found.figures["values_not_finite_on_one_side"] == 1


def test_differences_are_counted_by_their_power_of_ten() -> None:
    expected, got = np.zeros(5), np.array([0.0, 2e-7, 3e-7, 0.5, 1e9])
    figures: Any = compare_numbers("y", expected, got, LOOSE).figures

    assert figures["equal_values"] == 1
    assert [[edge, count] for edge, count in figures["log10_difference"] if count] == [[-7, 2], [-1, 1], [2, 1]]
    assert figures["log10_difference"][0] == [-12, 0]


def test_figures_are_json_without_nan() -> None:
    found = compare_numbers("y", numbers(1.0, np.nan, np.inf), numbers(np.nan, np.nan, 2.0), LOOSE)

    worst = json.loads(json.dumps(found.figures, allow_nan=False))["worst"]
    assert {"row": 2, "index": [], "expected": "inf", "got": 2.0} in worst
    assert {"row": 0, "index": [], "expected": 1.0, "got": "nan"} in worst


def test_a_scalar_is_one_row() -> None:
    found = compare_numbers("y", np.array(1.0), np.array(2.0), LOOSE)

    assert (found.agrees, found.row) == (False, 0)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0,)])
def test_nothing_is_equal_to_nothing(shape: tuple[int, ...]) -> None:
    assert compare_numbers("y", np.zeros(shape), np.zeros(shape), LOOSE).says == "y equal"
    assert compare_labels("y", np.zeros(shape, int), np.zeros(shape, int), None, LOOSE).agrees


def test_many_rows_are_compared_in_blocks_that_add_up() -> None:
    expected = np.zeros((3000, 200))
    got = expected.copy()
    got[2999, 7], got[0, 0] = 0.5, 0.25

    found = compare_numbers("y", expected, got, LOOSE)

    assert (found.row, found.figures["rows_beyond"], found.figures["values"]) == (2999, 2, 600_000)
    assert found.says.endswith(
        "the worst is row 2999, at [7]: expected 0, got 0.5; it would pass with a tolerance of 0.5"
    )


def test_labels_have_to_be_the_same() -> None:
    found = compare_labels("label", np.array([0, 1, 2, 1]), np.array([0, 1, 1, 1]), None, LOOSE)

    assert (found.agrees, found.row, found.figures["agreement"]) == (False, 2, 0.75)
    assert found.says == "label: 1 of 4 rows disagree; the first is row 2: expected 2, got 1"


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (np.array(["a", "b"]), np.array(["a", "b"], object)),
        (np.array([b"a", b"b"]), np.array(["a", "b"], object)),
        (np.array([1, 2]), np.array(["1", "2"], object)),
        (np.array([1, 2], np.int32), np.array([1, 2], np.int64)),
        (np.array([1.0, 2.0]), np.array([1, 2])),
        (np.array([True, False]), np.array([1, 0])),
    ],
)
def test_labels_of_another_type_are_the_same(expected: Any, got: Any) -> None:
    assert compare_labels("label", expected, got, None, LOOSE).agrees


def test_labels_whose_scores_are_as_good_as_equal_are_a_tie() -> None:
    scores = Scores(np.array([[0.5, 0.5 + 1e-9, 0.0], [0.9, 0.1, 0.0]]), ("x", "y", "z"))
    expected, got = np.array(["y", "x"], object), np.array(["x", "x"], object)

    found = compare_labels("label", expected, got, scores, Tolerance(1e-4, 1e-3))

    assert (found.agrees, found.figures["agreement"], found.figures["ties"]) == (True, 1.0, 1)
    assert found.says == "label agrees in every row, 1 ties"


def test_a_label_with_a_far_lower_score_is_no_tie() -> None:
    scores = Scores(np.array([[0.5, 0.5, 0.0]]), (0, 1, 2))

    found = compare_labels("label", np.array([0]), np.array([2]), scores, Tolerance(1e-4, 1e-3))

    assert (found.agrees, found.figures["ties"]) == (False, 0)


def test_the_nearest_of_two_equally_distant_clusters_is_a_tie() -> None:
    distances = Scores(np.array([[1.0, 1.0, 0.2]]), (0, 1, 2))

    assert compare_labels("label", np.array([0]), np.array([1]), distances, Tolerance(1e-4, 1e-3)).agrees
