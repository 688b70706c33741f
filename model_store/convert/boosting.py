"""XGBoost's and LightGBM's estimators taught to skl2onnx, with onnxmltools's converters; alone, or inside pipelines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from model_store.convert.source import lacks, of_package
from warmstart.errors import UnsupportedModel


def register(parts: Sequence[Any]) -> None:
    """Register the converters of the packages that have a part in a model. Raises: Unreachable, UnsupportedModel."""
    boosted = [part for part in parts if of_package(part, ("xgboost", "lightgbm"))]
    for part in boosted:
        _refuse(part)
    if any(of_package(part, ("xgboost",)) for part in boosted):
        _register_xgboost()
    if any(of_package(part, ("lightgbm",)) for part in boosted):
        _register_lightgbm()


def _register_xgboost() -> None:
    try:
        import xgboost
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    except ImportError as error:
        raise lacks(error, "xgboost") from error
    for kind in (xgboost.XGBClassifier, xgboost.XGBRFClassifier):
        _register_classifier(kind, f"XGBoost{kind.__name__}", convert_xgboost)
    for kind in (xgboost.XGBRegressor, xgboost.XGBRFRegressor, xgboost.XGBRanker):
        _register_regressor(kind, f"XGBoost{kind.__name__}", convert_xgboost)


def _register_lightgbm() -> None:
    try:
        import lightgbm
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    except ImportError as error:
        raise lacks(error, "lightgbm") from error
    _register_classifier(lightgbm.LGBMClassifier, "LightGbmLGBMClassifier", convert_lightgbm)
    for kind in (lightgbm.LGBMRegressor, lightgbm.LGBMRanker):
        _register_regressor(kind, f"LightGbm{kind.__name__}", convert_lightgbm, {"split": None})


def _register_classifier(kind: type[Any], alias: str, convert: Any) -> None:
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

    options = {"zipmap": [True, False, "columns"], "nocl": [True, False]}
    update_registered_converter(kind, alias, calculate_linear_classifier_output_shapes, convert, options=options)


def _register_regressor(kind: type[Any], alias: str, convert: Any, options: dict[str, Any] | None = None) -> None:
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_regressor_output_shapes

    update_registered_converter(kind, alias, calculate_linear_regressor_output_shapes, convert, options=options)


def _refuse(part: Any) -> None:
    """Refuse what onnxmltools 1.16 converts wrongly, or not at all. Raises: UnsupportedModel."""
    kind = type(part).__name__
    if (why := _xgboost_fault(part) if of_package(part, ("xgboost",)) else _lightgbm_fault(part)) is not None:
        raise UnsupportedModel(f"{kind}: onnxmltools does not convert {why}")


def _xgboost_fault(part: Any) -> str | None:
    if not hasattr(part, "get_booster"):
        return None
    booster = part.get_booster()
    learner = json.loads(booster.save_config())["learner"]
    kind, objective = learner["gradient_booster"]["name"], learner["objective"]["name"]
    if kind != "gbtree":
        return f"the booster {kind!r}: train with booster='gbtree'"
    if "c" in (booster.feature_types or ()):
        return "categorical features: encode them before (OrdinalEncoder, OneHotEncoder)"
    if objective in ("reg:logistic", "binary:logitraw", "binary:hinge"):
        return f"the objective {objective!r}: use binary:logistic"
    if type(part).__name__ == "XGBRFClassifier" and part.n_classes_ > 2:
        return "a forest of more than two classes: use XGBClassifier"
    if int(learner["learner_model_param"].get("num_target", 1)) > 1:
        return "several targets at once: train a regressor for each (MultiOutputRegressor)"
    return None


def _lightgbm_fault(part: Any) -> str | None:
    booster = getattr(part, "booster_", None)
    if getattr(booster, "pandas_categorical", None):
        return (
            "pandas's categories: encode them as whole numbers (OrdinalEncoder), and name them in categorical_feature"
        )
    if getattr(part, "boosting_type", None) in ("rf", "random_forest"):
        return "forests (boosting_type='rf'): train with 'gbdt', or a forest of scikit-learn's"
    return None
