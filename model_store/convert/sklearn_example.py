"""Rows that a fitted estimator can name itself: the categories that its encoders know, the words of its texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model_store.convert.sklearn_inputs import Inputs, first_step, groups_of
from model_store.convert.source import Batch

_ROWS: Final = 24
_WORDS: Final = 6


def example_of(estimator: Any, inputs: Inputs) -> Batch | None:
    """Make rows; None where numbers are all that is taken, as any will do."""
    first = first_step(estimator)
    if inputs.form == "texts":
        return {inputs.specs[0][0]: _texts(first)}
    if inputs.form == "matrix" or inputs.joined:
        return None
    known: dict[str, NDArray[Any]] = {}
    for group in groups_of(first, tuple(name for name, _ in inputs.specs)):
        for index, name in enumerate(group.columns):
            if (values := _known(group.transformer, index)) is not None:
                known[name] = values
    return {name: _column(name, kind, known) for name, kind in inputs.specs}


def _known(transformer: Any, index: int) -> NDArray[Any] | None:
    """Give the values that a transformer was fitted on, as far as it remembers them."""
    for step in (transformer, *(step for _, step in getattr(transformer, "steps", ()))):
        if (categories := getattr(step, "categories_", None)) is not None:
            found = [value for value in categories[index].tolist() if value is not None and value == value]
            return np.array(found, object) if found else None
        if hasattr(step, "vocabulary_"):
            return _texts(step)[:, 0]
        if (mean := getattr(step, "mean_", None)) is not None and getattr(step, "scale_", None) is not None:
            return np.asarray(mean[index] + step.scale_[index] * np.linspace(-1.5, 1.5, 7))
    return None


def _column(name: str, kind: str, known: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    values = known.get(name)
    if values is None:
        made = np.random.default_rng(len(name)).normal(size=_ROWS)
        values = np.array(["a", "b"], object) if kind == "BYTES" else made
    column = np.resize(values, _ROWS).reshape(-1, 1)
    types = {"FP32": np.float32, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}
    return column.astype(types[kind])


def _texts(vectorizer: Any) -> NDArray[Any]:
    """Write rows of known words, some of them capitalised, with punctuation, and with one that is not known."""
    words = list(dict.fromkeys(word for known in sorted(vectorizer.vocabulary_) for word in known.split()))
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, _WORDS)) for _ in range(_ROWS)]
    texts[1::3] = [f"{text.capitalize()}!" for text in texts[1::3]]
    texts[2::3] = [f"zyx, {text}" for text in texts[2::3]]
    return np.array(texts, object).reshape(-1, 1)
