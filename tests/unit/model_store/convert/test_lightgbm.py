"""LightGBM's models as sources: text files, boosters, estimators."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

from model_store.convert import recognise
from model_store.convert.source import LoadOptions, SourceModel
from model_store.gate.candidate import Layout, open_session, run
from model_store.manifest import RunOptions
from warmstart.errors import UnsupportedModel, Untrusted

X = np.random.default_rng(1).normal(size=(120, 4)).astype(np.float32).astype(np.float64)
CLASSES = (X[:, 0] + X[:, 1] > 0).astype(int)


def trained(objective: str, y: Any, **parameters: Any) -> lightgbm.Booster:
    """Train a small booster."""
    return lightgbm.train({"objective": objective, "verbose": -1, **parameters}, lightgbm.Dataset(X, y), 5)


def answers(model: SourceModel, folder: Path, rows: Any) -> Any:
    """Convert, and ask the graph."""
    graph = model.convert(folder, None).graph
    return run(open_session(Layout(((graph.name, graph),), RunOptions())), {"X": rows.astype(np.float32)})


def test_a_text_file_is_recognised_whatever_it_is_called(tmp_path: Path) -> None:
    booster = trained("binary", CLASSES)
    booster.save_model(tmp_path / "artifact")

    model = recognise.load(tmp_path / "artifact", LoadOptions())

    assert (model.origin.framework, model.origin.kind) == ("LightGBM", "LGBMClassifier")
    expected = np.asarray(booster.predict(X))
    np.testing.assert_allclose(answers(model, tmp_path, X)["probabilities"][:, 1], expected, atol=1e-6)
    np.testing.assert_allclose(model.predict({"X": X})["probabilities"][:, 1], expected, atol=1e-12)


def test_a_booster_of_several_classes_answers_with_each(tmp_path: Path) -> None:
    booster = trained("multiclass", np.arange(120) % 3, num_class=3)

    model = recognise.load(booster, LoadOptions())

    np.testing.assert_allclose(answers(model, tmp_path, X)["probabilities"], booster.predict(X), atol=1e-6)


def test_a_pickle_of_an_estimator_needs_trust(tmp_path: Path) -> None:
    model = lightgbm.LGBMRegressor(n_estimators=3, verbose=-1).fit(X, X[:, 0])
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))

    with pytest.raises(Untrusted, match=r"LGBMRegressor.*model\.booster_\.save_model"):
        recognise.load(tmp_path / "model.pkl", LoadOptions())
    assert recognise.load(tmp_path / "model.pkl", LoadOptions(trust=True)).origin.kind == "LGBMRegressor"


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("tree\nversion=v4\nnum_class=1\n")

    with pytest.raises(UnsupportedModel, match=r"LightGBM .* cannot read it"):
        recognise.load(tmp_path / "model.txt", LoadOptions())


def test_an_estimator_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="LGBMClassifier: expected a fitted estimator"):
        recognise.load(lightgbm.LGBMClassifier(), LoadOptions())


def test_a_booster_whose_objective_is_a_function_is_refused() -> None:
    def squares(predicted: Any, data: Any) -> tuple[Any, Any]:
        return predicted - data.get_label(), np.ones_like(predicted)

    booster = lightgbm.train({"objective": squares, "verbose": -1}, lightgbm.Dataset(X, X[:, 0]), 1)

    with pytest.raises(UnsupportedModel, match="expected one of LightGBM's own objectives, got one that is a function"):
        recognise.load(booster, LoadOptions())


def test_a_forest_is_refused(tmp_path: Path) -> None:
    forest = lightgbm.LGBMClassifier(
        n_estimators=3, boosting_type="rf", bagging_freq=1, bagging_fraction=0.5, verbose=-1
    ).fit(X, CLASSES)

    with pytest.raises(UnsupportedModel, match="does not convert forests"):
        recognise.load(forest, LoadOptions()).convert(tmp_path, None)


def test_pandas_categories_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": X[:, 0], "b": pd.Categorical(["x", "y"] * 60)})
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(table, CLASSES)

    with pytest.raises(UnsupportedModel, match="does not convert pandas's categories"):
        recognise.load(model, LoadOptions()).convert(tmp_path, None)
