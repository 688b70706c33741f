"""XGBoost's models as sources: what is recognised, and what is refused with a reason."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from model_store.convert import recognise
from model_store.convert.source import LoadOptions
from warmstart.errors import UnsupportedModel, Untrusted

X = np.random.default_rng(1).normal(size=(120, 4))
CLASSES = np.arange(120) % 3
SHORT: dict[str, Any] = {"n_estimators": 3}


def refusal(model: object, folder: Path) -> str:
    """Convert what cannot be converted, and give the reason."""
    with pytest.raises(UnsupportedModel) as refused:
        recognise.load(model, LoadOptions()).convert(folder, None)
    return refused.value.message


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (xgboost.XGBClassifier(booster="dart", **SHORT), "the booster 'dart': train with booster='gbtree'"),
        (xgboost.XGBRegressor(booster="gblinear", **SHORT), "the booster 'gblinear'"),
        (xgboost.XGBRFClassifier(**SHORT), "a forest of more than two classes: use XGBClassifier"),
        (xgboost.XGBRegressor(objective="binary:logitraw", **SHORT), "the objective 'binary:logitraw'"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_the_converter_gets_wrong_is_refused(model: Any, reason: str, tmp_path: Path) -> None:
    binary = model.objective == "binary:logitraw"

    message = refusal(model.fit(X, CLASSES % 2 if binary else CLASSES), tmp_path)

    assert reason in message


def test_several_targets_at_once_are_refused(tmp_path: Path) -> None:
    model = xgboost.XGBRegressor(**SHORT).fit(X, X[:, :2])

    assert "several targets at once" in refusal(model, tmp_path)


def test_categorical_features_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": X[:, 0], "b": pd.Categorical(["x", "y"] * 60)})
    model = xgboost.XGBClassifier(enable_categorical=True, **SHORT).fit(table, CLASSES)

    assert "categorical features: encode them before" in refusal(model, tmp_path)


def test_a_native_file_is_recognised_whatever_it_is_called(tmp_path: Path) -> None:
    xgboost.XGBClassifier(**SHORT).fit(X, CLASSES).get_booster().save_model(tmp_path / "a.json")
    (tmp_path / "a.json").rename(tmp_path / "artifact")

    origin = recognise.load(tmp_path / "artifact", LoadOptions()).origin

    assert (origin.framework, origin.version, origin.kind) == ("XGBoost", xgboost.__version__, "XGBClassifier")


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    xgboost.XGBClassifier(**SHORT).fit(X, CLASSES).save_model(tmp_path / "model.json")
    whole = (tmp_path / "model.json").read_bytes()
    (tmp_path / "model.json").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(UnsupportedModel, match=r"model\.json: XGBoost .* cannot read it"):
        recognise.load(tmp_path / "model.json", LoadOptions())


def test_a_pickle_of_an_estimator_needs_trust(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(xgboost.XGBRegressor(**SHORT).fit(X, X[:, 0])))

    with pytest.raises(Untrusted, match=r"XGBRegressor.*model\.save_model\('model\.json'\)"):
        recognise.load(tmp_path / "model.pkl", LoadOptions())
    assert recognise.load(tmp_path / "model.pkl", LoadOptions(trust=True)).origin.kind == "XGBRegressor"


def test_an_estimator_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="XGBClassifier: expected a fitted estimator"):
        recognise.load(xgboost.XGBClassifier(), LoadOptions())
