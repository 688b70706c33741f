"""XGBoost: native files (JSON, UBJSON), boosters, and the estimators in scikit-learn's manner."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from model_store.convert.pickles import load_saved, saved
from model_store.convert.sklearn import SklearnModel
from model_store.convert.source import LoadOptions, SourceModel, lacks, of_package
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    from xgboost import Booster, XGBModel

_HEAD_BYTES: Final = 64


def recognises(path: Path) -> bool:
    """Say whether a file is XGBoost's own, or a pickle of one of its classes."""
    return _is_native(path) or ((found := saved(path)) is not None and found.package == "xgboost")


def load(path: Path, options: LoadOptions) -> SourceModel:
    """Read a native file, or a pickle. Raises: Untrusted (a pickle), UnsupportedModel, Unreachable."""
    if not _is_native(path):
        model, warned = load_saved(path, options)
        return _adopted(model, options, warned)
    try:
        import xgboost
    except ImportError as error:
        raise lacks(error, "xgboost") from error
    try:
        booster = xgboost.Booster()
        booster.load_model(bytearray(path.read_bytes()))
    except (xgboost.core.XGBoostError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UnsupportedModel(f"{path}: XGBoost {xgboost.__version__} cannot read it: {reason}") from error
    return _adopted(booster, options, ())


def adopt(model: object, options: LoadOptions) -> SourceModel | None:
    """Take a booster or an estimator."""
    return _adopted(model, options, ()) if of_package(model, ("xgboost",)) else None


def _is_native(path: Path) -> bool:
    """Say whether it is an object whose first field is `learner`, in JSON or UBJSON. Source: XGBoost, "Model IO"."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return head.startswith(b"{") and b"learner" in head


def _adopted(model: Any, options: LoadOptions, warned: Sequence[str]) -> SourceModel:
    import xgboost

    if isinstance(model, xgboost.Booster):
        model = _estimator(model)
    if not isinstance(model, xgboost.XGBModel):
        raise UnsupportedModel(f"{type(model).__name__}: expected a Booster, or an estimator of XGBoost's")
    if not model.__sklearn_is_fitted__():
        raise UnsupportedModel(f"{type(model).__name__}: expected a fitted estimator: call fit first")
    return SklearnModel(
        model,
        framework="XGBoost",
        version=xgboost.__version__,
        sample=options.sample,
        warned=warned,
        stand_in=_without_names(model),
    )


def _estimator(booster: Booster) -> XGBModel:
    """Give the estimator that a booster would be inside of, by its objective."""
    import xgboost

    objective = str(json.loads(booster.save_config())["learner"]["objective"]["name"])
    if objective.startswith(("binary:", "multi:")):
        kind = xgboost.XGBClassifier
    else:
        kind = xgboost.XGBRanker if objective.startswith("rank:") else xgboost.XGBRegressor
    return _loaded(kind, booster)


def _loaded(kind: type[XGBModel], booster: Booster) -> XGBModel:
    estimator = kind()
    estimator.load_model(booster.save_raw("ubj"))
    return estimator


def _without_names(estimator: XGBModel) -> XGBModel:
    """Copy an estimator, its features named f0, f1, ...: onnxmltools reads their numbers from their names."""
    booster = estimator.get_booster().copy()
    if booster.feature_names is None:
        return estimator
    booster.feature_names = None
    copied = _loaded(type(estimator), booster)
    if (classes := getattr(estimator, "classes_", None)) is not None and not hasattr(type(copied), "classes_"):
        copied.classes_ = classes
    return copied
