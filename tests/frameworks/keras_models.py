"""Small Keras models of each kind, trained here, with rows that they have not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from model_store.convert.source import Batch

SEED = 7


class Trained(NamedTuple):
    """A model, the rows it was trained on and others, by the graph's input names."""

    model: Any
    seen: Batch
    held_out: Batch


def rng() -> np.random.Generator:
    keras.utils.set_random_seed(SEED)
    return np.random.default_rng(SEED)


def train(model: Any, seen: Batch, held_out: Batch, targets: Any) -> Trained:
    """Fit a model for a few steps; a functional one with several inputs takes a dict."""
    model.compile("adam", "mse")
    model.fit(dict(seen) if len(seen) > 1 else next(iter(seen.values())), targets, epochs=2, verbose=0)
    return Trained(model, seen, held_out)


def mlp() -> Trained:
    random = rng()
    model = keras.Sequential(
        [layers.Input((6,), name="features"), layers.Dense(16, "relu"), layers.Dense(3, "softmax")]
    )
    seen, held_out = random.normal(size=(64, 6)), random.normal(size=(20, 6))
    return train(model, {"features": single(seen)}, {"features": single(held_out)}, random.random((64, 3)))


def cnn() -> Trained:
    random = rng()
    model = keras.Sequential(
        [
            layers.Input((16, 16, 3), name="image"),
            layers.Conv2D(8, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.3),
            layers.SeparableConv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4),
        ]
    )
    seen, held_out = random.normal(size=(16, 16, 16, 3)), random.normal(size=(6, 16, 16, 3))
    return train(model, {"image": single(seen)}, {"image": single(held_out)}, random.random((16, 4)))


def recurrent(cells: Any) -> Trained:
    random = rng()
    model = keras.Sequential(
        [layers.Input((9, 5), name="series"), cells(12, return_sequences=True), cells(8), layers.Dense(2)]
    )
    seen, held_out = random.normal(size=(32, 9, 5)), random.normal(size=(7, 9, 5))
    return train(model, {"series": single(seen)}, {"series": single(held_out)}, random.random((32, 2)))


def lstm() -> Trained:
    return recurrent(layers.LSTM)


def gru() -> Trained:
    return recurrent(layers.GRU)


def transformer() -> Trained:
    random = rng()
    given = layers.Input((10,), dtype="int32", name="input_ids")
    words = layers.Embedding(60, 16)(given)
    attended = layers.LayerNormalization()(words + layers.MultiHeadAttention(2, 8)(words, words))
    hidden = layers.LayerNormalization()(attended + layers.Dense(16, "gelu")(attended))
    model = keras.Model(given, layers.Dense(3)(layers.GlobalAveragePooling1D()(hidden)))
    seen, held_out = ids(random, 32, 10, 60), ids(random, 7, 10, 60)
    return train(model, {"input_ids": seen}, {"input_ids": held_out}, random.random((32, 3)))


def text_of_ids() -> Trained:
    """A bidirectional LSTM over the ids of words."""
    random = rng()
    model = keras.Sequential(
        [
            layers.Input((8,), dtype="int32", name="input_ids"),
            layers.Embedding(40, 8),
            layers.Bidirectional(layers.LSTM(6)),
            layers.Dense(1, "sigmoid"),
        ]
    )
    seen, held_out = ids(random, 64, 8, 40), ids(random, 11, 8, 40)
    return train(model, {"input_ids": seen}, {"input_ids": held_out}, random.random((64, 1)))


def two_inputs_two_outputs() -> Trained:
    random = rng()
    amounts, kind = layers.Input((3,), name="amounts"), layers.Input((1,), dtype="int64", name="kind")
    hidden = layers.Dense(8, "relu")(layers.Concatenate()([amounts, layers.Flatten()(layers.Embedding(5, 4)(kind))]))
    outputs = {"price": layers.Dense(1)(hidden), "risk": layers.Dense(2, "softmax")(hidden)}
    model = keras.Model({"amounts": amounts, "kind": kind}, outputs)
    targets = {"price": random.random((64, 1)), "risk": random.random((64, 2))}
    seen = {"amounts": single(random.normal(size=(64, 3))), "kind": ids(random, 64, 1, 5).astype(np.int64)}
    held_out = {"amounts": single(random.normal(size=(9, 3))), "kind": ids(random, 9, 1, 5).astype(np.int64)}
    return train(model, seen, held_out, targets)


def single(array: Any) -> Any:
    return array.astype(np.float32)


def ids(random: np.random.Generator, rows: int, length: int, below: int) -> Any:
    return random.integers(0, below, (rows, length)).astype(np.int32)


def answers(trained: Trained) -> Batch:
    """Ask the model as its user does."""
    rows = trained.held_out
    answer = trained.model.predict(dict(rows) if len(rows) > 1 else next(iter(rows.values())), verbose=0)
    return dict(answer) if isinstance(answer, Mapping) else {"output": answer}
