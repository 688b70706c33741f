"""What is converted answers as the estimator does, on the data that scikit-learn ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_store.convert.sklearn import to_onnx
from model_store.gate.onnx_source import read_onnx
from warmstart.errors import UnsupportedModel
from warmstart.tensors import Signature, TensorSpec

TOLERANCE = 1e-6
"""Absolute, on probabilities: what docs/store.md says."""


def answers(graph: bytes, x: NDArray[np.float32]) -> list[NDArray[Any]]:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return list(session.run(None, {"X": x}))


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(50, max_depth=8, random_state=0)


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer, load_digits])
@pytest.mark.parametrize(
    "estimator",
    [
        forest(),
        GradientBoostingClassifier(n_estimators=5, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    ],
    ids=["forest", "boosting", "pipeline"],
)
def test_a_converted_classifier_answers_as_the_estimator(load: Any, estimator: Any) -> None:
    x, y = load(return_X_y=True)
    estimator.fit(x, y)
    x = x.astype(np.float32)

    graph, labels = to_onnx(estimator, x)
    label, probabilities = answers(graph, x)

    np.testing.assert_array_equal(label, estimator.predict(x))
    np.testing.assert_allclose(probabilities, estimator.predict_proba(x), rtol=0, atol=TOLERANCE)
    assert labels == tuple(range(len(np.unique(y))))


def test_labels_that_are_text_are_kept_in_the_order_of_the_columns() -> None:
    x, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]

    graph, labels = to_onnx(forest().fit(x, names), x)
    label, probabilities = answers(graph, x[:1].astype(np.float32))

    assert labels == ("setosa", "versicolor", "virginica")
    assert (list(label), labels[int(np.argmax(probabilities))]) == (["setosa"], "setosa")


def test_labels_that_are_truth_values_are_the_integers_that_the_model_answers() -> None:
    x, y = load_iris(return_X_y=True)

    graph, labels = to_onnx(forest().fit(x, y == 0), x)

    assert labels == (0, 1)
    assert list(answers(graph, x[:1].astype(np.float32))[0]) == [1]


def test_a_converted_regressor_answers_as_the_estimator() -> None:
    x, _ = load_iris(return_X_y=True)
    features, target = x[:, 1:], x[:, 0]
    estimator = LinearRegression().fit(features, target)

    graph, labels = to_onnx(estimator, features)
    [answer] = answers(graph, features.astype(np.float32))

    assert labels == ()
    np.testing.assert_allclose(answer.ravel(), estimator.predict(features), rtol=1e-6)


def test_what_is_converted_can_be_published(tmp_path: Path) -> None:
    x, y = load_iris(return_X_y=True)
    path = tmp_path / "model.onnx"
    path.write_bytes(to_onnx(forest().fit(x, y), x).graph)

    assert read_onnx(path).signature == Signature(
        (TensorSpec("X", "FP32", (-1, 4)),),
        (TensorSpec("label", "INT64", (-1,)), TensorSpec("probabilities", "FP32", (-1, 3))),
    )


def test_an_estimator_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="RandomForestClassifier: expected a fitted estimator"):
        to_onnx(forest(), np.zeros((1, 4), np.float32))


def test_an_estimator_without_a_converter_is_refused() -> None:
    x, y = load_iris(return_X_y=True)

    with pytest.raises(UnsupportedModel, match="DummyClassifier: skl2onnx has no converter for it"):
        to_onnx(DummyClassifier().fit(x, y), x)


@pytest.mark.parametrize("shape", [(4,), (0, 4), (1, 2, 4)])
def test_a_sample_that_is_no_table_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedModel, match=r"expected a sample of shape \(rows, features\)"):
        to_onnx(LinearRegression().fit([[1.0]], [1.0]), np.zeros(shape, np.float32))
