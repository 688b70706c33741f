"""LightGBM: native text files, boosters, and the estimators in scikit-learn's manner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from model_store.convert.pickles import load_saved, saved
from model_store.convert.sklearn import SklearnModel
from model_store.convert.source import LoadOptions, SourceModel, lacks, of_package
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    from lightgbm import Booster, LGBMModel

_START: Final = b"tree\nversion="
"""How LightGBM's `save_model` begins: `GBDT::SaveModelToString`."""


def recognises(path: Path) -> bool:
    """Say whether a file is LightGBM's own, or a pickle of one of its classes."""
    return _is_native(path) or ((found := saved(path)) is not None and found.package == "lightgbm")


def load(path: Path, options: LoadOptions) -> SourceModel:
    """Read a native file, or a pickle. Raises: Untrusted (a pickle), UnsupportedModel, Unreachable."""
    if not _is_native(path):
        model, warned = load_saved(path, options)
        return _adopted(model, options, warned)
    try:
        import lightgbm
    except ImportError as error:
        raise lacks(error, "lightgbm") from error
    try:
        booster = lightgbm.Booster(model_str=path.read_text(encoding="utf-8"))
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
        raise UnsupportedModel(f"{path}: LightGBM {lightgbm.__version__} cannot read it: {error}") from error
    return _adopted(booster, options, ())


def adopt(model: object, options: LoadOptions) -> SourceModel | None:
    """Take a booster or an estimator."""
    return _adopted(model, options, ()) if of_package(model, ("lightgbm",)) else None


def _is_native(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_START)) == _START


def _adopted(model: Any, options: LoadOptions, warned: Sequence[str]) -> SourceModel:
    import lightgbm

    if isinstance(model, lightgbm.Booster):
        model = _estimator(model)
    if not isinstance(model, lightgbm.LGBMModel):
        raise UnsupportedModel(f"{type(model).__name__}: expected a Booster, or an estimator of LightGBM's")
    if not model.__sklearn_is_fitted__():
        raise UnsupportedModel(f"{type(model).__name__}: expected a fitted estimator: call fit first")
    return SklearnModel(model, framework="LightGBM", version=lightgbm.__version__, sample=options.sample, warned=warned)


def _estimator(booster: Booster) -> LGBMModel:
    """Give the estimator that a booster would be inside of, by its objective.

    LightGBM has no way to make one of a file: its fitted attributes are set. Source: lightgbm/sklearn.py.
    """
    import lightgbm

    described = booster.dump_model(num_iteration=1)
    if "objective" not in described:
        raise UnsupportedModel(
            "Booster: expected one of LightGBM's own objectives, got one that is a function: what "
            "its scores mean is not in the model; train with the name of an objective"
        )
    objective, _, more = described["objective"].partition(" ")
    kind = {
        "binary": lightgbm.LGBMClassifier,
        "multiclass": lightgbm.LGBMClassifier,
        "lambdarank": lightgbm.LGBMRanker,
        "rank_xendcg": lightgbm.LGBMRanker,
    }.get(objective, lightgbm.LGBMRegressor)
    estimator = kind(objective=objective)
    estimator._Booster, estimator.fitted_, estimator._objective = booster, True, objective
    estimator._n_features = estimator._n_features_in = booster.num_feature()
    if kind is lightgbm.LGBMClassifier:
        classes = int(dict(_pairs(more)).get("num_class", 2))
        estimator._n_classes, estimator._classes = classes, np.arange(classes)
        estimator._class_map = {index: index for index in range(classes)}
        estimator._le = _labels(classes)
    return estimator


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (part.partition(":") for part in text.split())]


def _labels(classes: int) -> Any:
    from sklearn.preprocessing import LabelEncoder

    return LabelEncoder().fit(np.arange(classes))
