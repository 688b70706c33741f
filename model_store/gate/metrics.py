"""How good a model's answers are against the truth, by one number: without scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch
from warmstart.errors import InvalidSample

Array = NDArray[Any]


def accuracy(truth: Array, labels: Array) -> float:
    """Share of equal labels. Shapes: both (rows,)."""
    return float(np.mean(truth == labels))


def macro_f1(truth: Array, labels: Array) -> float:
    """Mean over all classes of the harmonic mean of precision and recall. Shapes: both (rows,)."""
    classes = np.unique(np.concatenate([truth, labels]))
    hits = np.array([np.sum((truth == one) & (labels == one)) for one in classes])
    seen = np.array([np.sum(truth == one) + np.sum(labels == one) for one in classes])
    return float(np.mean(2 * hits / seen))


def r2(truth: Array, values: Array) -> float:
    """Coefficient of determination: 1 is exact, 0 no better than the mean. Shapes: both (rows,)."""
    spread = float(np.sum((truth - truth.mean()) ** 2))
    return 1.0 - float(np.sum((truth - values) ** 2)) / spread if spread else float(np.array_equal(truth, values))


def rmse(truth: Array, values: Array) -> float:
    """Root of the mean squared error. Shapes: both (rows,)."""
    return float(np.sqrt(np.mean((truth - values) ** 2)))


def mae(truth: Array, values: Array) -> float:
    """Mean absolute error. Shapes: both (rows,)."""
    return float(np.mean(np.abs(truth - values)))


_OF_LABELS: Final[Mapping[str, Callable[[Array, Array], float]]] = {"accuracy": accuracy, "f1": macro_f1}
_OF_VALUES: Final[Mapping[str, Callable[[Array, Array], float]]] = {"r2": r2, "rmse": rmse, "mae": mae}
METRICS: Final = (*_OF_LABELS, *_OF_VALUES)
_LESS_IS_BETTER: Final = ("rmse", "mae")


def score(metric: str, truth: Array, outputs: Batch, labels: tuple[str | int, ...]) -> float:
    """Compute a metric of a model's outputs. `labels` are the classes of its score columns, if they are known.

    Raises: InvalidSample if the metric is unknown, or the model has no output that it can be computed from.
    """
    check_metric(metric)
    if metric in _OF_LABELS:
        return _OF_LABELS[metric](_names(truth), _predicted_labels(metric, outputs, labels))
    return _OF_VALUES[metric](_numbers(metric, truth), _predicted_values(metric, outputs))


def check_metric(metric: str) -> None:
    """Refuse what is no metric. Raises: InvalidSample."""
    if metric not in METRICS:
        raise InvalidSample(f"--max-drop: expected one of {', '.join(METRICS)}, got {metric!r}")


def drop(metric: str, before: float, after: float) -> float:
    """By how much a metric got worse; negative if it got better."""
    return after - before if metric in _LESS_IS_BETTER else before - after


def _predicted_labels(metric: str, outputs: Batch, labels: tuple[str | int, ...]) -> Array:
    arrays = [np.asarray(array) for array in outputs.values()]
    for array in arrays:
        if array.dtype.kind in "iubOSU" and (array.ndim == 1 or array.shape[1:] == (1,)):
            return _names(array.reshape(-1))
    for array in arrays:
        if array.dtype.kind == "f" and array.ndim == 2 and array.shape[1] > 1:
            best = array.argmax(axis=1)
            known = len(labels) == array.shape[1]
            return _names(np.array([labels[index] for index in best], dtype=object) if known else best)
    raise InvalidSample(
        f"--max-drop: {metric} needs an output of labels (rows,) or of scores (rows, classes); "
        f"the model gives {', '.join(outputs)}; for a regressor, take r2, rmse or mae"
    )


def _predicted_values(metric: str, outputs: Batch) -> Array:
    for array in map(np.asarray, outputs.values()):
        if array.dtype.kind == "f" and (array.ndim == 1 or array.shape[1:] == (1,)):
            return array.reshape(-1).astype(np.float64)
    raise InvalidSample(
        f"--max-drop: {metric} needs a floating-point output (rows,) or (rows, 1); "
        f"the model gives {', '.join(outputs)}; for a classifier, take accuracy or f1"
    )


def _numbers(metric: str, truth: Array) -> Array:
    try:
        return truth.reshape(-1).astype(np.float64)
    except (ValueError, TypeError) as error:
        raise InvalidSample(f"--max-drop: {metric} needs a truth of numbers: {error}") from error


def _names(array: Array) -> Array:
    """Write labels as text: a CSV's 1.0 is the label 1."""
    flat = array.reshape(-1)
    if flat.dtype.kind == "f" and np.all(np.isfinite(flat)) and np.array_equal(flat, np.round(flat)):
        flat = flat.astype(np.int64)
    return np.array([one.decode() if isinstance(one, bytes) else str(one) for one in flat.tolist()])
