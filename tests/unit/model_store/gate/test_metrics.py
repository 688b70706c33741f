"""Metrics, against values computed by hand; scikit-learn's are the same."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as independent

from model_store.gate.metrics import drop, macro_f1, mae, r2, rmse, score
from warmstart.errors import InvalidSample

TRUTH = np.array(["a", "b", "b", "c", "a", "c"])
LABELS = np.array(["a", "b", "c", "c", "b", "d"])
VALUES, GUESSES = np.array([1.0, 2.0, 4.0, 7.0]), np.array([1.5, 2.0, 3.0, 9.0])


def test_accuracy_is_the_share_of_equal_labels() -> None:
    assert score("accuracy", TRUTH, {"label": LABELS}, ()) == 0.5


def test_f1_is_that_of_scikit_learn() -> None:
    expected = independent.f1_score(TRUTH, LABELS, average="macro", zero_division=0.0)
    assert macro_f1(TRUTH, LABELS) == pytest.approx(expected, abs=1e-12)


def test_those_of_regressors_are_that_of_scikit_learn() -> None:
    assert r2(VALUES, GUESSES) == pytest.approx(independent.r2_score(VALUES, GUESSES), abs=1e-12)
    assert rmse(VALUES, GUESSES) == pytest.approx(independent.root_mean_squared_error(VALUES, GUESSES), abs=1e-12)
    assert mae(VALUES, GUESSES) == pytest.approx(independent.mean_absolute_error(VALUES, GUESSES), abs=1e-12)


def test_r2_of_a_truth_that_never_changes_is_1_if_it_was_met() -> None:
    constant = np.array([2.0, 2.0])
    assert (r2(constant, constant), r2(constant, constant + 1)) == (1.0, 0.0)


@pytest.mark.parametrize(
    "truth", [np.array([1, 0]), np.array([1.0, 0.0]), np.array(["1", "0"], dtype=object)], ids=["int", "float", "text"]
)
def test_labels_are_compared_as_they_are_written(truth: np.ndarray[tuple[int], np.dtype[np.generic]]) -> None:
    assert score("accuracy", truth, {"label": np.array([1, 0])}, ()) == 1.0


def test_without_labels_the_highest_score_names_one() -> None:
    scores = {"probabilities": np.array([[0.1, 0.9], [0.8, 0.2]], np.float32)}
    assert score("accuracy", np.array(["dog", "cat"]), scores, ("cat", "dog")) == 1.0
    assert score("accuracy", np.array([1, 1]), scores, ()) == 0.5


def test_a_drop_is_what_got_worse() -> None:
    assert drop("accuracy", 0.9, 0.85) == pytest.approx(0.05)
    assert drop("r2", 0.9, 0.95) == pytest.approx(-0.05)
    assert drop("rmse", 1.0, 1.5) == pytest.approx(0.5)
    assert drop("mae", 1.0, 0.5) == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("metric", "outputs", "message"),
    [
        ("auc", {"y": VALUES}, r"expected one of accuracy, f1, r2, rmse, mae, got 'auc'"),
        ("accuracy", {"y": VALUES}, "accuracy needs an output of labels .*; the model gives y; for a regressor, take"),
        ("rmse", {"y": np.ones((4, 2))}, "rmse needs a floating-point output .*; for a classifier, take accuracy"),
    ],
)
def test_a_metric_that_does_not_fit_is_refused(metric: str, outputs: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(InvalidSample, match=message):
        score(metric, VALUES, outputs, ())


def test_a_truth_that_is_no_number_is_refused_for_a_regressor() -> None:
    with pytest.raises(InvalidSample, match="mae needs a truth of numbers"):
        score("mae", TRUTH, {"y": np.ones(6)}, ())
