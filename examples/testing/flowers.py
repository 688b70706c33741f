"""The model under test: which iris it is, by four measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from model_store.convert.recognise import load
from model_store.convert.source import LoadOptions

LABELS = ("setosa", "versicolor", "virginica")


def measures() -> NDArray[np.float32]:
    """The data set's measures in cm, (150, 4)."""
    return np.asarray(load_iris().data, dtype=np.float32)


def train() -> LogisticRegression:
    """Train on all of it: the example is about serving."""
    return LogisticRegression(max_iter=1000).fit(measures(), load_iris().target)


def save(folder: Path) -> Path:
    """Train, convert and write the model; return its file."""
    return load(train(), LoadOptions()).convert(folder, None).graph
