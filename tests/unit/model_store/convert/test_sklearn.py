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

from model_store.convert.recognise import load
from model_store.convert.source import Converted, LoadOptions
from model_store.gate.onnx_source import read_onnx
from warmstart.errors import UnsupportedModel
from warmstart.tensors import Signature, TensorSpec

TOLERANCE = 1e-6
"""Absolute, on probabilities."""


def convert(estimator: Any, folder: Path) -> Converted:
    return load(estimator, LoadOptions()).convert(folder, None)


def answers(graph: Path, x: NDArray[np.float32]) -> list[NDArray[Any]]:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return list(session.run(None, {"X": x}))


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(50, max_depth=8, random_state=0)


@pytest.mark.parametrize("dataset", [load_iris, load_breast_cancer, load_digits])
@pytest.mark.parametrize(
    "estimator",
    [
        forest(),
        GradientBoostingClassifier(n_estimators=5, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    ],
    ids=["forest", "boosting", "pipeline"],
)
def test_a_converted_classifier_answers_as_the_estimator(dataset: Any, estimator: Any, tmp_path: Path) -> None:
    x, y = dataset(return_X_y=True)
    estimator.fit(x, y)
    x = x.astype(np.float32)

    graph, labels, *_ = convert(estimator, tmp_path)
    label, probabilities = answers(graph, x)

    np.testing.assert_array_equal(label, estimator.predict(x))
    np.testing.assert_allclose(probabilities, estimator.predict_proba(x), rtol=0, atol=TOLERANCE)
    assert labels == tuple(range(len(np.unique(y))))


def test_labels_that_are_text_are_kept_in_the_order_of_the_columns(tmp_path: Path) -> None:
    x, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]

    graph, labels, *_ = convert(forest().fit(x, names), tmp_path)
    label, probabilities = answers(graph, x[:1].astype(np.float32))

    assert labels == ("setosa", "versicolor", "virginica")
    assert (list(label), labels[int(np.argmax(probabilities))]) == (["setosa"], "setosa")


def test_labels_that_are_truth_values_are_the_integers_that_the_model_answers(tmp_path: Path) -> None:
    x, y = load_iris(return_X_y=True)

    graph, labels, *_ = convert(forest().fit(x, y == 0), tmp_path)

    assert labels == (0, 1)
    assert list(answers(graph, x[:1].astype(np.float32))[0]) == [1]


def test_a_converted_regressor_answers_as_the_estimator(tmp_path: Path) -> None:
    x, _ = load_iris(return_X_y=True)
    features, target = x[:, 1:], x[:, 0]
    estimator = LinearRegression().fit(features, target)

    graph, labels, *_ = convert(estimator, tmp_path)
    [answer] = answers(graph, features.astype(np.float32))

    assert labels == ()
    np.testing.assert_allclose(answer.ravel(), estimator.predict(features), rtol=1e-6)


def test_what_is_converted_can_be_published(tmp_path: Path) -> None:
    x, y = load_iris(return_X_y=True)

    assert read_onnx(convert(forest().fit(x, y), tmp_path).graph).signature == Signature(
        (TensorSpec("X", "FP32", (-1, 4)),),
        (TensorSpec("label", "INT64", (-1,)), TensorSpec("probabilities", "FP32", (-1, 3))),
    )


def test_an_estimator_without_a_converter_is_refused(tmp_path: Path) -> None:
    x, y = load_iris(return_X_y=True)

    with pytest.raises(UnsupportedModel, match="DummyClassifier: skl2onnx has no converter for it"):
        convert(DummyClassifier().fit(x, y), tmp_path)
