"""scikit-learn's models as sources: recognised, refused with a reason, their inputs named and typed."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, PowerTransformer, StandardScaler

from model_store.convert import recognise
from model_store.convert.sklearn import SklearnModel
from model_store.convert.sklearn_inputs import Inputs, inputs_of
from model_store.convert.source import LoadOptions, Sample
from warmstart.errors import InvalidSample, UnsupportedModel, Untrusted

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X[:, 0] - X[:, 1]
TABLE = pd.DataFrame({"size": X[:, 0], "rooms": np.arange(40) % 5, "town": np.array(["Rome", "Oslo"] * 20, object)})


class Doubler(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A transformer of somebody's own."""

    def fit(self, x: Any, y: Any = None) -> Doubler:  # noqa: ARG002 - scikit-learn's signature
        self.fitted_ = True
        return self

    def transform(self, x: Any) -> Any:
        return x * 2


def prepared(**columns: Any) -> Any:
    """A fitted pipeline with a ColumnTransformer: each step by its columns' name."""
    steps = [(name, step, [name]) for name, step in columns.items()]
    return make_pipeline(ColumnTransformer(steps), Ridge()).fit(TABLE, Y)


def adopt(model: object) -> Any:
    """Take a live model."""
    return recognise.load(model, LoadOptions())


def convert(model: object, tmp_path: Path) -> None:
    """Convert a live model."""
    adopt(model).convert(tmp_path, None)


def test_a_skops_file_is_recognised_whatever_it_is_called(tmp_path: Path) -> None:
    skops.io.dump(make_pipeline(StandardScaler(), Ridge()).fit(X, Y), tmp_path / "weights.dat")

    origin = recognise.load(tmp_path / "weights.dat", LoadOptions()).origin

    assert (origin.framework, origin.kind) == ("scikit-learn", "Pipeline(StandardScaler, Ridge)")


def test_a_pickle_needs_trust(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Ridge().fit(X, Y)))

    with pytest.raises(Untrusted, match=r"a pickle of sklearn\.linear_model\._ridge\.Ridge"):
        recognise.load(tmp_path / "model.pkl", LoadOptions())
    assert recognise.load(tmp_path / "model.pkl", LoadOptions(trust=True)).origin.kind == "Ridge"


def test_a_pickle_of_a_container_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"model": Ridge().fit(X, Y)}))

    with pytest.raises(UnsupportedModel, match=r"got builtins\.dict: save the estimator alone"):
        recognise.load(tmp_path / "model.pkl", LoadOptions(trust=True))


def test_an_estimator_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="Ridge: expected a fitted estimator: call fit first"):
        adopt(Ridge())


def test_what_was_warned_of_is_said_with_its_origin() -> None:
    model = SklearnModel(
        Ridge().fit(X, Y), framework="scikit-learn", version="1.9.1", sample=None, warned=["written by version 1.2.0"]
    )

    assert model.origin.kind == "Ridge (written by version 1.2.0)"


def test_an_array_becomes_one_input() -> None:
    assert inputs_of(Ridge().fit(X, Y), None) == Inputs("matrix", (("X", "FP32"),), 3)


def test_a_table_of_numbers_becomes_an_input_for_each_column() -> None:
    model = RandomForestRegressor(3).fit(TABLE[["size", "rooms"]], Y)

    assert inputs_of(model, None) == Inputs("columns", (("size", "FP32"), ("rooms", "FP32")), joined=True)


def test_columns_have_the_datatypes_that_their_encoders_know() -> None:
    model = prepared(size=StandardScaler(), rooms=OneHotEncoder(), town=OneHotEncoder())

    assert inputs_of(model, None).specs == (("size", "FP32"), ("rooms", "INT64"), ("town", "BYTES"))


def test_texts_become_one_input() -> None:
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(["good day", "bad day"] * 5, [1, 0] * 5)

    assert inputs_of(model, None) == Inputs("texts", (("text", "BYTES"),))


def test_a_column_that_is_dropped_has_the_samples_datatype() -> None:
    model = prepared(size=StandardScaler())
    sample = Sample({str(name): TABLE[name].to_numpy() for name in TABLE}, "rows.csv")

    assert inputs_of(model, sample).specs == (("size", "FP32"), ("rooms", "INT64"), ("town", "BYTES"))
    with pytest.raises(InvalidSample, match=r"column 'rooms'.*give rows with --sample"):
        inputs_of(model, None)


def test_text_where_numbers_are_taken_is_refused() -> None:
    model = prepared(size=StandardScaler(), rooms=StandardScaler(), town=OneHotEncoder())
    sample = Sample(
        {"size": np.array(["a"], object), "rooms": X[:1, 0], "town": np.array(["Rome"], object)}, "rows.csv"
    )

    with pytest.raises(InvalidSample, match="columns 'size': the model takes numbers, the sample has text"):
        inputs_of(model, sample)


def test_a_transformer_of_ones_own_is_named(tmp_path: Path) -> None:
    model = adopt(make_pipeline(Doubler(), Ridge()).fit(X, Y))

    with pytest.raises(InvalidSample, match="does not know how many columns"):
        model.convert(tmp_path, None)
    with pytest.raises(UnsupportedModel, match="Doubler: skl2onnx has no converter for it"):
        model.convert(tmp_path, Sample({"X": X}, "rows.npz"))


def test_a_function_of_ones_own_is_named_with_those_that_would_do(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(lambda x: x * 3), Ridge()).fit(X, Y)

    with pytest.raises(UnsupportedModel, match=r"ONNX has no form of <lambda>.*log1p"):
        convert(model, tmp_path)


def test_an_imputer_that_would_end_the_process_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"KNNImputer: .*use SimpleImputer"):
        convert(make_pipeline(KNNImputer(), Ridge()).fit(X, Y), tmp_path)


def test_stop_words_between_the_words_of_an_n_gram_are_refused(tmp_path: Path) -> None:
    words = CountVectorizer(stop_words="english", ngram_range=(1, 2))
    model = make_pipeline(words, Ridge()).fit(["a good day", "a bad day"] * 5, [1, 0] * 5)

    with pytest.raises(UnsupportedModel, match="CountVectorizer: skl2onnx does not leave out stop words"):
        convert(model, tmp_path)


def test_a_target_without_a_way_back_is_refused(tmp_path: Path) -> None:
    model = TransformedTargetRegressor(Ridge(), transformer=PowerTransformer()).fit(X, Y)

    with pytest.raises(UnsupportedModel, match="no way back from PowerTransformer"):
        convert(model, tmp_path)


def test_rows_that_the_estimator_itself_refuses_are_its_own_failure() -> None:
    with pytest.raises(UnsupportedModel, match=r"Ridge: .*NaN"):
        adopt(Ridge().fit(X, Y)).predict({"X": np.full((1, 3), np.nan)})


def test_a_model_gives_the_categories_that_it_knows_as_its_example() -> None:
    example = adopt(prepared(size=StandardScaler(), rooms=OneHotEncoder(), town=OneHotEncoder())).example

    assert {name: (array.shape, array.dtype.kind) for name, array in example.items()} == {
        "size": ((24, 1), "f"),
        "rooms": ((24, 1), "i"),
        "town": ((24, 1), "O"),
    }
    assert set(example["rooms"].ravel()) == {0, 1, 2, 3, 4}
    assert set(example["town"].ravel()) == {"Oslo", "Rome"}


def test_a_model_of_texts_gives_its_words_as_its_example() -> None:
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(["good day", "bad day"] * 5, [1, 0] * 5)

    texts = adopt(model).example["text"].ravel().tolist()

    assert set(" ".join(texts).lower().replace("!", "").replace("zyx,", "").split()) == {"good", "bad", "day"}


def test_a_model_of_numbers_needs_no_example() -> None:
    assert adopt(Ridge().fit(X, Y)).example is None
