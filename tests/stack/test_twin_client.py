"""The client against the whole stack: through the gateway with its keys and validators, to the function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from local.process import TwinProcess
from model_store import publish
from model_store.stores import Store
from tests.build import models, twin_client
from tests.build.twin_client import store
from warmstart import Client
from warmstart.client import RequestRefused


def test_a_frame_with_text_and_missing_values_is_answered_as_the_pipeline_does(twin: TwinProcess) -> None:
    frame = pd.DataFrame({"age": [20.0, np.nan, 60.0, 40.0] * 6, "city": ["Bern", "Zug", "Basel", "Bern"] * 6})
    columns = ColumnTransformer([("age", SimpleImputer(), ["age"]), ("city", OneHotEncoder(), ["city"])])
    pipeline = make_pipeline(columns, LogisticRegression()).fit(frame, np.array(["no", "yes", "yes", "no"] * 6))
    publish(pipeline, name="frames", store=Store("twin", store(twin)), sample=frame)

    with Client(twin.address.endpoint, api_key=twin.address.api_key) as client:
        answer = client.predict("frames", frame)

    assert np.allclose(answer.outputs["probabilities"], pipeline.predict_proba(frame), atol=1e-5)


def test_an_array_is_answered_whole_whatever_its_size(twin: TwinProcess, tmp_path: Path) -> None:
    twin_client.publish(twin, tmp_path, "arrays", models.scale(2.0))
    large = np.arange(100_000, dtype=np.float32).reshape(-1, 2)

    with Client(twin.address.endpoint, api_key=twin.address.api_key) as client:
        small = client.predict("arrays", np.array([1, 2]))
        answer = client.predict("arrays", large)

    assert (small.outputs["y"].tolist(), small.model_version) == ([[2.0, 4.0]], 1)
    assert np.array_equal(answer.outputs["y"], large * 2)
    assert answer.request_id != small.request_id != ""


def test_without_the_key_the_gateway_refuses(twin: TwinProcess) -> None:
    with Client(twin.address.endpoint) as client, pytest.raises(RequestRefused, match="HTTP 403: expected the header"):
        client.predict("arrays", np.array([1, 2]))
