"""Models of scikit-learn, trained here: of every kind that is served, from every format and from this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC
from sklearn.tree import DecisionTreeRegressor

from tests.frameworks.matrix import Built, Case, Tolerances
from tests.frameworks.tables import (
    TRAIN,
    Data,
    classes,
    classifier,
    column,
    columns,
    fitted,
    held_out,
    labels,
    people,
    regressor,
    reviews,
    table_sample,
    values,
)

Save = Callable[[Any, Path], object]


def as_skops(model: Any, folder: Path) -> Path:
    """Save a model as skops."""
    skops.io.dump(model, folder / "model.skops")
    return folder / "model.skops"


def as_joblib(model: Any, folder: Path) -> Path:
    """Save a model as joblib, compressed, under a name that says nothing."""
    joblib.dump(model, folder / "artifact.bin", compress=("gzip", 3))
    return folder / "artifact.bin"


def named_columns(folder: Path) -> Built:
    """A model that was fitted on a DataFrame of numbers, names with spaces and all."""
    data = classes(2)
    table = pd.DataFrame(data.x, columns=[f"feature {name} (cm)" for name in "abcdef"])
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table[:TRAIN], data.y[:TRAIN])
    rows = table[TRAIN:]
    expected = {"label": model.predict(rows), "probabilities": model.predict_proba(rows)}
    return Built(as_skops(model, folder), columns(rows), expected, table_sample(table))


def mixed_columns(
    encoder: Any, last: Callable[[], Any], save: Save, *, sampled: bool = True
) -> Callable[[Path], Built]:
    """A ColumnTransformer: numbers imputed, text encoded, whole numbers passed through."""

    def build(folder: Path) -> Built:
        data = people()
        numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        prepare = ColumnTransformer([("n", numbers, ["age"]), ("c", encoder, ["city"])], remainder="passthrough")
        model = make_pipeline(prepare, last()).fit(data.x[:TRAIN], data.y[:TRAIN])
        rows = data.x[TRAIN:].dropna()
        expected = {"label": labels(model.predict(rows)), "probabilities": model.predict_proba(rows)}
        return Built(save(model, folder), columns(rows), expected, table_sample(data.x) if sampled else None)

    return build


def texts(make: Callable[[], Any], save: Save, *, sampled: bool = True) -> Callable[[Path], Built]:
    """A pipeline that takes texts."""

    def build(folder: Path) -> Built:
        data = reviews()
        model, rows = fitted(make(), data), held_out(data)
        expected = {"label": model.predict(rows), "probabilities": model.predict_proba(rows)}
        sample = {"text": data.x[:60]} if sampled else None
        return Built(save(model, folder), {"text": column(rows)}, expected, sample)

    return build


def text_beside_numbers(folder: Path) -> Built:
    """A ColumnTransformer with a column of texts."""
    written, data = reviews(), values()
    table = pd.DataFrame({"review": written.x, "stars": data.x[:, 0], "price": data.x[:, 1]})
    prepare = ColumnTransformer([("t", TfidfVectorizer(), "review"), ("n", StandardScaler(), ["stars", "price"])])
    model = make_pipeline(prepare, Ridge()).fit(table[:TRAIN], data.y[:TRAIN])
    rows = table[TRAIN:]
    expected = {"variable": model.predict(rows)[:, np.newaxis]}
    return Built(as_joblib(model, folder), columns(rows), expected, table_sample(table))


def several_labels(folder: Path) -> Built:
    """A classifier of two labels at once, one of three classes and one of two."""
    data = classes(3)
    both = np.c_[data.y, data.y > 1].astype(int)
    model = MultiOutputClassifier(LogisticRegression()).fit(data.x[:TRAIN], both[:TRAIN])
    rows = held_out(data)
    first, second = model.predict_proba(rows)
    expected = {"label": model.predict(rows), "probabilities_0": first, "probabilities_1": second}
    return Built(as_skops(model, folder), {"X": rows}, expected, {"X": data.x[:60]})


def yes_or_no_to_each(folder: Path) -> Built:
    """A network that answers yes or no to each of three labels."""
    data = classes(3)
    each = (data.y[:, np.newaxis] == np.arange(3)) | (data.x[:, :1] > 1)
    model = MLPClassifier((8,), solver="lbfgs", alpha=1, max_iter=2000, random_state=0)
    model.fit(data.x[:TRAIN], each[:TRAIN].astype(int))
    rows = held_out(data)
    expected = {"label": model.predict(rows), "probabilities": model.predict_proba(rows)}
    return Built(model, {"X": rows}, expected, {"X": data.x[:60]})


def several_labels_of_a_forest(folder: Path) -> Built:
    """A forest of two labels at once, of three classes each."""
    data = classes(3)
    both = np.c_[data.y, (data.y + (data.x[:, 0] > 0)) % 3]
    model = RandomForestClassifier(8, max_depth=4, random_state=0).fit(data.x[:TRAIN], both[:TRAIN])
    rows = held_out(data)
    first, second = model.predict_proba(rows)
    expected = {"label": model.predict(rows), "probabilities_0": first, "probabilities_1": second}
    return Built(model, {"X": rows}, expected, {"X": data.x[:60]})


def clusters(folder: Path) -> Built:
    """Clusters: the nearest, and the distance to each."""
    data = classes(3)
    model, rows = KMeans(4, n_init=2, random_state=0).fit(data.x[:TRAIN]), held_out(data)
    expected = {"label": labels(model.predict(rows)), "scores": model.transform(rows)}
    return Built(as_skops(model, folder), {"X": rows}, expected, {"X": data.x[:60]})


def mixture(folder: Path) -> Built:
    """A density of three bells."""
    data = classes(3)
    model, rows = GaussianMixture(3, random_state=0).fit(data.x[:TRAIN]), held_out(data)
    expected = {"label": labels(model.predict(rows)), "probabilities": model.predict_proba(rows)}
    return Built(model, {"X": rows}, expected, {"X": data.x[:60]})


def outliers(folder: Path) -> Built:
    """What is unlike the rest: -1 or 1, and how much."""
    data = classes(2)
    model, rows = IsolationForest(n_estimators=20, random_state=0).fit(data.x[:TRAIN]), held_out(data)
    expected = {"label": labels(model.predict(rows)), "scores": model.decision_function(rows)[:, np.newaxis]}
    return Built(model, {"X": rows}, expected, {"X": data.x[:60]})


def components(folder: Path) -> Built:
    """A transformer as a model of its own."""
    data = values()
    model, rows = make_pipeline(StandardScaler(), PCA(3)).fit(data.x[:TRAIN]), held_out(data)
    return Built(as_skops(model, folder), {"X": rows}, {"variable": model.transform(rows)}, {"X": data.x[:60]})


def scaled_svc(**options: Any) -> Any:
    """A support vector classifier on scaled numbers."""
    return make_pipeline(StandardScaler(), SVC(**options))


def logistic() -> LogisticRegression:
    """The plainest classifier."""
    return LogisticRegression(max_iter=300)


def bigrams() -> Any:
    """Words and pairs of words, counted."""
    return make_pipeline(CountVectorizer(ngram_range=(1, 2)), logistic())


def positive(data: Data) -> Data:
    """Make the target positive, for models that take its logarithm."""
    return Data(data.x, np.exp(data.y / 4))


TWO, THREE, ONE, MANY = classes(2), classes(3), values(), values(3)
ONE_HOT = OneHotEncoder(handle_unknown="ignore")
STACKED = [("forest", RandomForestClassifier(5, random_state=0)), ("bayes", GaussianNB())]

CASES = (
    Case("linear-regression", regressor(LinearRegression, MANY)),
    Case("ridge", regressor(Ridge, ONE)),
    Case("logistic-regression", classifier(logistic, THREE)),
    Case("sgd-classifier", classifier(lambda: SGDClassifier(random_state=0), TWO, "decision_function")),
    Case("linear-svc", classifier(lambda: LinearSVC(C=0.1), TWO, "decision_function")),
    Case("svc", classifier(scaled_svc, TWO, "decision_function")),
    Case("svc-three-classes", classifier(scaled_svc, THREE, "decision_function")),
    Case("svr", regressor(lambda: make_pipeline(StandardScaler(), SVR()), ONE)),
    Case("decision-tree", regressor(lambda: DecisionTreeRegressor(max_depth=6, random_state=0), MANY)),
    Case("random-forest", classifier(lambda: RandomForestClassifier(20, random_state=0), THREE)),
    Case("extra-trees", regressor(lambda: ExtraTreesRegressor(20, random_state=0), ONE)),
    Case("gradient-boosting", classifier(lambda: GradientBoostingClassifier(n_estimators=20), THREE)),
    Case("hist-gradient-boosting", classifier(lambda: HistGradientBoostingClassifier(max_iter=20), THREE)),
    Case("hist-gradient-boosting-regressor", regressor(lambda: HistGradientBoostingRegressor(max_iter=20), ONE)),
    Case("ada-boost", classifier(lambda: AdaBoostClassifier(n_estimators=15, random_state=0), TWO)),
    Case("k-neighbors", classifier(KNeighborsClassifier, THREE)),
    Case("naive-bayes", classifier(GaussianNB, THREE)),
    Case("discriminant-analysis", classifier(LinearDiscriminantAnalysis, TWO)),
    Case("discriminant-three-classes", classifier(LinearDiscriminantAnalysis, THREE)),
    Case("quadratic-discriminant", classifier(QuadraticDiscriminantAnalysis, THREE)),
    Case("ridge-classifier", classifier(RidgeClassifier, TWO, "decision_function")),
    Case("nu-svc", classifier(lambda: NuSVC(nu=0.3), TWO, "decision_function")),
    Case("one-vs-one", classifier(lambda: OneVsOneClassifier(LinearSVC(C=0.1)), THREE, "none")),
    Case("voting-hard", classifier(lambda: VotingClassifier(STACKED), THREE, "none")),
    Case("mlp", classifier(lambda: MLPClassifier((16,), solver="lbfgs", max_iter=200, random_state=0), THREE)),
    Case("one-vs-rest", classifier(lambda: OneVsRestClassifier(logistic()), THREE)),
    Case("voting", classifier(lambda: VotingClassifier(STACKED, voting="soft"), THREE)),
    Case("stacking", classifier(lambda: StackingClassifier(STACKED, logistic(), cv=2), TWO)),
    Case("calibrated", classifier(lambda: CalibratedClassifierCV(LinearSVC(C=0.1), cv=2), TWO)),
    Case("grid-search", classifier(lambda: GridSearchCV(scaled_svc(), {"svc__C": [0.5, 2]}, cv=2), TWO, "none")),
    Case(
        "log-features",
        regressor(lambda: make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(np.log1p), Ridge()), ONE),
    ),
    Case(
        "log-target",
        regressor(lambda: TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp), positive(ONE)),
    ),
    Case("named-columns", named_columns),
    Case("columns-of-text", mixed_columns(ONE_HOT, logistic, as_skops)),
    Case("columns-of-text-boosted", mixed_columns(OrdinalEncoder(), lambda: GradientBoostingClassifier(), as_joblib)),
    Case("columns-without-sample", mixed_columns(OneHotEncoder(), logistic, as_skops, sampled=False)),
    Case("tfidf", texts(lambda: make_pipeline(TfidfVectorizer(), logistic()), as_skops)),
    Case("bigrams", texts(bigrams, as_joblib, sampled=False)),
    Case(
        "feature-union",
        texts(
            lambda: make_pipeline(
                FeatureUnion([("words", TfidfVectorizer()), ("counts", CountVectorizer(max_features=8))]), logistic()
            ),
            as_joblib,
        ),
    ),
    Case("text-beside-numbers", text_beside_numbers),
    Case("several-labels", several_labels),
    Case("several-labels-mlp", yes_or_no_to_each),
    Case("several-labels-forest", several_labels_of_a_forest),
    Case("k-means", clusters),
    Case("gaussian-mixture", mixture, Tolerances(numbers=1e-3)),
    Case("isolation-forest", outliers),
    Case("pca", components),
)
