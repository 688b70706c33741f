"""XGBoost and LightGBM through the whole gate: native files, wrappers, and steps of scikit-learn's pipelines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.frameworks.matrix import Built, Case, Prove
from tests.frameworks.tables import (
    TRAIN,
    Data,
    classes,
    classifier,
    columns,
    held_out,
    labels,
    people,
    regressor,
    table_sample,
    values,
)

QUIET: dict[str, Any] = {"n_estimators": 15, "verbose": -1}
SHORT: dict[str, Any] = {"n_estimators": 15}


def with_gaps(data: Data) -> Data:
    """Leave every seventh of the first column out, in training and in the sample; requests have no way to say so."""
    x = data.x.copy()
    x[:TRAIN:7, 0] = np.nan
    return Data(x, data.y)


def xgboost_file(name: str, parameters: dict[str, Any], data: Data) -> Callable[[Path], Built]:
    """XGBoost's own file of a booster, under any name."""

    def build(folder: Path) -> Built:
        matrix = xgboost.DMatrix(data.x[:TRAIN], data.y[:TRAIN])
        booster = xgboost.train({"max_depth": 3, **parameters}, matrix, 12)
        booster.save_model(folder / f"saved{Path(name).suffix or '.ubj'}")
        (folder / f"saved{Path(name).suffix or '.ubj'}").rename(folder / name)
        rows = held_out(data)
        found = booster.predict(xgboost.DMatrix(rows))
        return Built(folder / name, {"X": rows}, _answers(found, parameters["objective"]), {"X": data.x[:60]})

    return build


def lightgbm_file(parameters: dict[str, Any], data: Data) -> Callable[[Path], Built]:
    """LightGBM's own text file of a booster."""

    def build(folder: Path) -> Built:
        train = lightgbm.Dataset(data.x[:TRAIN], data.y[:TRAIN])
        booster = lightgbm.train({"verbose": -1, **parameters}, train, 12)
        booster.save_model(folder / "model.txt")
        rows = held_out(data)
        expected = _answers(np.asarray(booster.predict(rows)), parameters["objective"])
        return Built(folder / "model.txt", {"X": rows}, expected, {"X": data.x[:60]})

    return build


def _answers(found: Any, objective: str) -> dict[str, Any]:
    """Lay a booster's own answers out: the probability of one class, of each, or a number."""
    if objective.startswith("binary"):
        found = np.stack([1 - found, found], axis=1)
    if found.ndim == 2:
        return {"label": labels(found.argmax(axis=1)), "probabilities": found}
    return {"variable": found[:, np.newaxis]}


def named(make: Callable[[], Any]) -> Callable[[Path], Built]:
    """A wrapper that was fitted on a DataFrame, pickled."""

    def build(folder: Path) -> Built:
        data = classes(3)
        table = pd.DataFrame(data.x, columns=list("abcdef"))
        model = make().fit(
            table[:TRAIN], np.array(["low", "mid", "top"])[data.y[:TRAIN]] if _texts(make()) else data.y[:TRAIN]
        )
        joblib.dump(model, folder / "model.joblib")
        rows = table[TRAIN:]
        expected = {"label": labels(model.predict(rows)), "probabilities": model.predict_proba(rows)}
        return Built(folder / "model.joblib", columns(rows), expected, table_sample(table))

    return build


def _texts(model: Any) -> bool:
    """LightGBM takes classes of text, XGBoost whole numbers alone."""
    return isinstance(model, lightgbm.LGBMClassifier)


def in_a_pipeline(make: Callable[[], Any]) -> Callable[[Path], Built]:
    """The last step of a pipeline that encodes text."""

    def build(folder: Path) -> Built:
        data = people()
        bought = (data.y == "buys").astype(int)
        encode = ColumnTransformer([("city", OneHotEncoder(sparse_output=False), ["city"])], remainder="passthrough")
        model = make_pipeline(encode, make()).fit(data.x[:TRAIN], bought[:TRAIN])
        rows = data.x[TRAIN:].dropna()
        expected = {"label": labels(model.predict(rows)), "probabilities": model.predict_proba(rows)}
        return Built(model, columns(rows), expected, table_sample(data.x.dropna()))

    return build


def categories(folder: Path) -> Built:
    """LightGBM's own splits by category."""
    data = values()
    x = data.x.copy()
    x[:, 2] = np.random.default_rng(2).integers(0, 8, len(x))
    y = data.y + x[:, 2] % 3
    model = lightgbm.LGBMRegressor(min_data_per_group=2, cat_smooth=1, **QUIET)
    model.fit(x[:TRAIN], y[:TRAIN], categorical_feature=[2])
    rows = x[TRAIN:]
    expected = {"variable": np.asarray(model.booster_.predict(rows))[:, np.newaxis]}
    return Built(model, {"X": rows}, expected, {"X": x[:60]})


def ranker(make: Callable[[], Any], **groups: Any) -> Callable[[Path], Built]:
    """A model that orders the rows of a group."""

    def build(folder: Path) -> Built:
        data = classes(3)
        model, rows = make().fit(data.x[:TRAIN], data.y[:TRAIN], **groups), held_out(data)
        expected = {"variable": np.asarray(model.predict(rows))[:, np.newaxis]}
        return Built(model, {"X": rows}, expected, {"X": data.x[:60]})

    return build


TWO, THREE, ONE = classes(2), with_gaps(classes(3)), with_gaps(values())
COUNTS = Data(ONE.x, np.round(np.exp(ONE.y / 8)))

CASES = (
    Case("xgboost-json", xgboost_file("model.json", {"objective": "binary:logistic"}, TWO)),
    Case("xgboost-ubj", xgboost_file("model.ubj", {"objective": "multi:softprob", "num_class": 3}, THREE)),
    Case("xgboost-unnamed", xgboost_file("artifact", {"objective": "reg:squarederror", "base_score": 2.5}, ONE)),
    Case("xgboost-poisson", xgboost_file("model.json", {"objective": "count:poisson"}, COUNTS)),
    Case("xgboost-classifier", classifier(lambda: xgboost.XGBClassifier(**SHORT), THREE)),
    Case("xgboost-regressor", regressor(lambda: xgboost.XGBRegressor(**SHORT), ONE)),
    Case("xgboost-forest", regressor(lambda: xgboost.XGBRFRegressor(**SHORT), ONE)),
    Case("xgboost-ranker", ranker(lambda: xgboost.XGBRanker(**SHORT), qid=np.repeat(np.arange(16), 10))),
    Case("xgboost-named", named(lambda: xgboost.XGBClassifier(**SHORT))),
    Case("xgboost-pipeline", in_a_pipeline(lambda: xgboost.XGBClassifier(**SHORT))),
    Case("lightgbm-text", lightgbm_file({"objective": "binary"}, TWO)),
    Case("lightgbm-text-classes", lightgbm_file({"objective": "multiclass", "num_class": 3}, THREE)),
    Case("lightgbm-text-regression", lightgbm_file({"objective": "regression"}, ONE)),
    Case("lightgbm-poisson", lightgbm_file({"objective": "poisson"}, COUNTS)),
    Case("lightgbm-classifier", classifier(lambda: lightgbm.LGBMClassifier(**QUIET), THREE)),
    Case("lightgbm-regressor", regressor(lambda: lightgbm.LGBMRegressor(**QUIET), ONE)),
    Case("lightgbm-categories", categories),
    Case("lightgbm-ranker", ranker(lambda: lightgbm.LGBMRanker(**QUIET), group=[10] * 16)),
    Case("lightgbm-named", named(lambda: lightgbm.LGBMClassifier(**QUIET))),
    Case("lightgbm-pipeline", in_a_pipeline(lambda: lightgbm.LGBMClassifier(**QUIET))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
# LightGBM names the columns of an array, and warns when it is then asked with one.
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_the_endpoint_answers_as_the_source_does(case: Case, prove: Prove) -> None:
    prove(case)
