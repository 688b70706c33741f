"""From a fitted scikit-learn estimator or pipeline to ONNX, with skl2onnx."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import LoadOptions, SourceModel
from warmstart.errors import Unreachable, UnsupportedModel

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


class Converted(NamedTuple):
    """A serialized ONNX model, and the class labels of a classifier in the order of its score columns."""

    graph: bytes
    labels: tuple[str | int, ...]


def to_onnx(estimator: BaseEstimator, sample: NDArray[np.floating]) -> Converted:
    """Convert a fitted estimator. `sample`: (rows, features), of which only the number of features matters.

    The model has one input `X`, FP32 (-1, features). A classifier's outputs are `label` (-1,) and `probabilities`
    FP32 (-1, classes), without ZipMap; a regressor's is `variable` FP32 (-1, targets).
    Raises: UnsupportedModel if it is not fitted, or has a part that skl2onnx cannot convert; Unreachable if
    skl2onnx is not installed.
    """
    try:
        from skl2onnx import to_onnx as convert
        from sklearn.base import is_classifier
        from sklearn.exceptions import NotFittedError
        from sklearn.utils.validation import check_is_fitted
    except ImportError as error:
        raise Unreachable(f"converting needs the package {error.name}: pip install 'warmstart[convert]'") from error
    kind = type(estimator).__name__
    if sample.ndim != 2 or not len(sample):
        raise UnsupportedModel(f"{kind}: expected a sample of shape (rows, features), got {list(sample.shape)}")
    classifies = is_classifier(estimator)
    try:
        check_is_fitted(estimator)
        options = {id(estimator): {"zipmap": False}} if classifies else None
        model = convert(estimator, sample[:1].astype(np.float32), options=options)
    except NotFittedError as error:
        raise UnsupportedModel(f"{kind}: expected a fitted estimator: call fit first") from error
    except (RuntimeError, ValueError, TypeError, NameError, AttributeError, LookupError) as error:
        # skl2onnx has no class of its own for "cannot": a converter fails with whatever its code ran into.
        raise UnsupportedModel(f"{kind}: skl2onnx does not convert it: {error}") from error
    return Converted(model.SerializeToString(), _labels(estimator) if classifies else ())


def _labels(estimator: BaseEstimator) -> tuple[str | int, ...]:
    """Take a classifier's labels; numbers as the integers that the converted model answers with."""
    classes = np.asarray(estimator.classes_)
    return tuple(str(c) if classes.dtype.kind in "USO" else int(c) for c in classes)


def recognises(path: Path) -> bool:  # noqa: ARG001 - a framework's signature
    """Say that nothing is: not yet."""
    return False


def load(path: Path, options: LoadOptions) -> SourceModel:  # noqa: ARG001 - a framework's signature
    """Read it: not yet."""
    raise UnsupportedModel(f"{path}: not read yet")


def adopt(model: object, options: LoadOptions) -> SourceModel | None:  # noqa: ARG001 - a framework's signature
    """Take it: not yet."""
    return None
