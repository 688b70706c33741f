"""Small seeded data sets that the matrix trains on, and cases made of them in a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import make_classification, make_regression

from model_store.convert.source import Batch
from tests.frameworks.matrix import Built

TRAIN = 160
"""Of 240 rows so many are for training; the last 80 are held out."""


class Data(NamedTuple):
    """Rows and what they stand for."""

    x: Any
    y: NDArray[Any]


def classes(count: int = 3, features: int = 6) -> Data:
    """Numbers of `count` classes. Drawn in FP64 and rounded to FP32: what a request can carry."""
    x, y = make_classification(240, features, n_informative=4, n_redundant=0, n_classes=count, random_state=7)
    return Data(x.astype(np.float32).astype(np.float64), y)


def values(targets: int = 1) -> Data:
    """Numbers, and one target or several."""
    x, y = make_regression(240, 6, n_targets=targets, noise=3.0, random_state=3)
    return Data(x.astype(np.float32).astype(np.float64), y / 50)


def people() -> Data:
    """A table with numbers, some of them missing, whole numbers and text: who buys."""
    rng = np.random.default_rng(11)
    age = rng.uniform(18, 80, 240).astype(np.float32).astype(np.float64)
    city = rng.choice(["Zürich", "Rome", "Oslo", "New York"], 240)
    visits = rng.integers(0, 9, 240)
    score = age / 40 + (city == "Rome") + visits / 4 + rng.normal(0, 0.3, 240)
    age[::9] = np.nan
    table = pd.DataFrame({"age": age, "city": city.astype(object), "visits": visits})
    return Data(table, np.where(score > np.median(score), "buys", "leaves").astype(object))


def reviews() -> Data:
    """Short texts with accents and punctuation, good or bad."""
    rng = np.random.default_rng(5)
    good, bad = ["superb", "délicieux", "lovely", "great"], ["awful", "fade", "stale", "boring"]
    plain = ["the", "soup", "was", "a", "dish", "and", "café", "2nd", "very", "I", "it's"]
    texts, marks = [], []
    for index in range(240):
        mark = index % 2
        words = [*rng.choice(good if mark else bad, 2), *rng.choice(plain, 5)]
        rng.shuffle(words)
        texts.append(" ".join(words).capitalize() + "!")
        marks.append(mark)
    return Data(np.array(texts, object), np.array(marks))


def fitted(estimator: Any, data: Data) -> Any:
    """Train on the first rows."""
    return estimator.fit(data.x[:TRAIN], data.y[:TRAIN])


def held_out(data: Data) -> Any:
    """Give the rows that were kept back."""
    return data.x[TRAIN:]


def column(array: Any) -> NDArray[Any]:
    """Lay values out as (rows, 1), texts as objects."""
    found = np.asarray(array).reshape(-1, 1)
    return found.astype(object) if found.dtype.kind in "UT" else found


def columns(table: pd.DataFrame) -> Batch:
    """Lay a table out as named inputs, (rows, 1) each."""
    return {str(name): column(table[name].to_numpy()) for name in table}


def table_sample(table: pd.DataFrame, rows: int = 60) -> Batch:
    """Give the first rows of a table as a publisher's sample."""
    return {str(name): table[name].to_numpy()[:rows] for name in table}


def labels(array: Any) -> NDArray[Any]:
    """Lay labels out: whole numbers, or objects."""
    found = np.asarray(array)
    return found.astype(object if found.dtype.kind in "OUT" else np.int64)


def two_sided(scores: NDArray[Any]) -> NDArray[Any]:
    """Give the scores of both of two classes."""
    return np.stack([-scores, scores], axis=1)


def classifier(make: Callable[[], Any], data: Data, scores: str = "predict_proba") -> Callable[[Path], Built]:
    """Build a classifier on a matrix, that answers with probabilities, or with `decision_function`."""

    def build(folder: Path) -> Built:
        model, rows = fitted(make(), data), held_out(data)
        expected = {"label": labels(model.predict(rows))}
        if scores == "predict_proba":
            expected["probabilities"] = model.predict_proba(rows)
        elif scores == "decision_function":
            found = model.decision_function(rows)
            expected["scores"] = two_sided(found) if found.ndim == 1 else found
        return Built(model, {"X": rows}, expected, {"X": data.x[:60]})

    return build


def regressor(make: Callable[[], Any], data: Data) -> Callable[[Path], Built]:
    """Build a regressor on a matrix."""

    def build(folder: Path) -> Built:
        model, rows = fitted(make(), data), held_out(data)
        found = model.predict(rows)
        expected = found.reshape(len(rows), -1)
        return Built(model, {"X": rows}, {"variable": expected}, {"X": data.x[:60]})

    return build
