"""MLflow's models through the whole gate: folders and addresses, their signature and input example taken over."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path
from typing import Any

import lightgbm
import mlflow
import mlflow.lightgbm
import mlflow.onnx
import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model_store.convert.source import Batch, LoadOptions
from tests.frameworks.matrix import Built, Case, Prove

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow warns of its own future in dozens of places


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of its own, in SQLite."""
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")


def people() -> tuple[pd.DataFrame, Any]:
    """Named columns, text among them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, 200).astype(np.float64),
            "income": rng.normal(40_000, 9_000, 200),
            "city": rng.choice(["Paris", "Köln", "東京"], 200).astype(object),
        }
    )
    return frame, (frame["age"] * 900 + rng.normal(0, 9_000, 200) > frame["income"]).to_numpy().astype(np.int64)


def pipeline() -> tuple[Any, pd.DataFrame]:
    frame, bought = people()
    columns = ColumnTransformer([("n", StandardScaler(), ["age", "income"]), ("c", OneHotEncoder(), ["city"])])
    return make_pipeline(columns, LogisticRegression()).fit(frame[:150], bought[:150]), frame


def answers(model: Any, rows: Any) -> Batch:
    return {"label": model.predict(rows), "probabilities": model.predict_proba(rows)}


def by_name(frame: pd.DataFrame) -> Batch:
    return {name: frame[[name]].to_numpy() for name in frame}


def registered(_: Path) -> Built:
    model, frame = pipeline()
    mlflow.sklearn.log_model(model, name="m", input_example=frame[:20], registered_model_name="people")
    return Built("models:/people/1", by_name(frame[150:]), answers(model, frame[150:]))


def of_a_run(_: Path) -> Built:
    model, frame = pipeline()
    with mlflow.start_run() as run:
        mlflow.sklearn.log_model(model, name="m", input_example=frame[:20])
    return Built(f"runs:/{run.info.run_id}/m", by_name(frame[150:]), answers(model, frame[150:]))


def pickled(folder: Path) -> Built:
    model, frame = pipeline()
    mlflow.sklearn.save_model(
        model, folder / "m", serialization_format="cloudpickle", signature=infer_signature(frame), pip_requirements=[]
    )
    sample = {name: frame[name].to_numpy()[:20] for name in frame}
    return Built(folder / "m", by_name(frame[150:]), answers(model, frame[150:]), sample=sample)


def tensor(folder: Path) -> Built:
    x, y = make_regression(120, 4, noise=1.0, random_state=0)
    x = x.astype(np.float32)
    model = RandomForestRegressor(20, random_state=0).fit(x[:80], y[:80])
    mlflow.sklearn.save_model(
        model, folder / "m", input_example=x[:10], serialization_format="cloudpickle", pip_requirements=[]
    )
    return Built(folder / "m", {"X": x[80:]}, {"variable": model.predict(x[80:])[:, np.newaxis]})


def booster(folder: Path) -> Built:
    x, y = make_classification(200, 6, random_state=0)
    x = x.astype(np.float32)
    model = lightgbm.LGBMClassifier(n_estimators=10, verbose=-1).fit(x[:150], y[:150])
    mlflow.lightgbm.save_model(model, folder / "m", input_example=x[:10], pip_requirements=[])
    return Built(folder / "m", {"X": x[150:]}, answers(model, x[150:]))


CASES = (
    Case("mlflow-registered", registered),
    Case("mlflow-run", of_a_run),
    Case("mlflow-cloudpickle", pickled),
    Case("mlflow-tensor", tensor),
    Case("mlflow-lightgbm", booster),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_endpoint_answers_as_the_source_does(case: Case, prove: Prove) -> None:
    prove(case)


@pytest.mark.parametrize("address", ["models:/nobody/1", "mlflow-artifacts://nobody/model"])
def test_an_address_that_is_not_there_is_refused(address: str) -> None:
    from model_store.convert.recognise import load
    from warmstart.errors import UnsupportedModel

    with pytest.raises(UnsupportedModel, match=f"{address}: MLflow does not find it"):
        load(address, LoadOptions())


def test_what_was_fetched_is_removed_with_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from model_store.convert.recognise import load

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    model = load(registered(tmp_path).source, LoadOptions(trust=True))
    there = [path.name for path in scratch.iterdir()]
    del model
    gc.collect()

    assert [name[:17] for name in there] == ["warmstart-mlflow-"]
    assert list(scratch.iterdir()) == []
