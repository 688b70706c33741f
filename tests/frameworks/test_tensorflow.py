"""Keras and TensorFlow through the whole gate: held-out rows at the endpoint, against the model's own answers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.frameworks import keras_models
from tests.frameworks.keras_models import Trained, answers
from tests.frameworks.matrix import Built, Case, Prove

MODELS: dict[str, Callable[[], Trained]] = {
    "mlp": keras_models.mlp,
    "cnn": keras_models.cnn,
    "lstm": keras_models.lstm,
    "gru": keras_models.gru,
    "transformer": keras_models.transformer,
    "text-of-ids": keras_models.text_of_ids,
    "two-inputs-two-outputs": keras_models.two_inputs_two_outputs,
}
Build = Callable[[Path], Built]


def built(source: object, trained: Trained) -> Built:
    sample = {name: rows[:10] for name, rows in trained.seen.items()}
    return Built(source, trained.held_out, answers(trained), sample=sample)


@contextmanager
def keras_may_warn() -> Iterator[None]:
    """Let what a user calls warn of its own insides. The gate itself stays silent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def saved(make: Callable[[], Trained], name: str) -> Build:
    def build(folder: Path) -> Built:
        trained = make()
        with keras_may_warn():
            trained.model.save(folder / name)
        return built(folder / name, trained)

    return build


def in_process(make: Callable[[], Trained]) -> Build:
    def build(_: Path) -> Built:
        trained = make()
        return built(trained.model, trained)

    return build


def exported(make: Callable[[], Trained]) -> Build:
    def build(folder: Path) -> Built:
        trained = make()
        with keras_may_warn():
            trained.model.export(str(folder / "model"), verbose=False)
        given = built(folder / "model", trained)
        return given._replace(expected={"output_0": given.expected["output"]})

    return build


class Calibrated(tf.Module):
    """TensorFlow without Keras."""

    def __init__(self) -> None:
        super().__init__()
        random = np.random.default_rng(7)
        self.weights = tf.Variable(random.normal(size=(5, 3)).astype(np.float32))
        self.temperature = tf.Variable(1.7)

    @tf.function(input_signature=[tf.TensorSpec([None, 5], tf.float32, name="features")])  # type: ignore[untyped-decorator]
    def score(self, features: Any) -> dict[str, Any]:
        logits = tf.matmul(features, self.weights) / self.temperature
        return {"probabilities": tf.nn.softmax(logits), "label": tf.argmax(logits, axis=1)}


def of_tensorflow(folder: Path) -> Built:
    module = Calibrated()
    tf.saved_model.save(module, str(folder / "model"), signatures=module.score)
    held_out = np.random.default_rng(8).normal(size=(12, 5)).astype(np.float32)
    expected = {name: tensor.numpy() for name, tensor in module.score(tf.constant(held_out)).items()}
    return Built(folder / "model", {"features": held_out}, expected)


CASES = (
    *(Case(f"keras-{name}", saved(make, "model.keras")) for name, make in MODELS.items()),
    Case("keras-mlp-h5", saved(keras_models.mlp, "model.h5")),
    Case("keras-lstm-h5", saved(keras_models.lstm, "model.h5")),
    Case("keras-cnn-in-process", in_process(keras_models.cnn)),
    Case("keras-mlp-exported", exported(keras_models.mlp)),
    Case("keras-cnn-exported", exported(keras_models.cnn)),
    Case("tensorflow-module", of_tensorflow),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_endpoint_answers_as_the_source_does(case: Case, prove: Prove) -> None:
    prove(case)
