"""MLflow's own scoring client, unmodified, against `warmstart serve`, and against the twin.

It has no place for an API key: on the twin, as on AWS, something before it adds one (docs/protocol-mlflow.md).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest

from tests.clients.conftest import Endpoints
from tests.clients.key_proxy import key_proxy

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow warns of its own signatures while it is imported
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient


@pytest.fixture(scope="session")
def client(served: Endpoints) -> Iterator[ScoringServerClient]:
    if served.key is None:
        where = urlsplit(str(served.http))
        yield ScoringServerClient(str(where.hostname), where.port)
        return
    with key_proxy(served) as (host, port):
        yield ScoringServerClient(host, port)


def test_the_server_is_there_and_has_a_version(client: ScoringServerClient) -> None:
    client.ping()
    assert client.get_version()


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"b": [10.0, 20.0], "a": [1.0, 2.0]}, dtype=np.float32),
        [{"a": 1.0, "b": 10.0}, {"a": 2.0, "b": 20.0}],
    ],
    ids=["a frame", "rows"],
)
def test_the_default_model_predicts(client: ScoringServerClient, data: object) -> None:
    assert client.invoke(data).get_predictions()[0].tolist() == [11.0, 22.0]


def test_a_refusal_is_an_error_of_the_clients_own(client: ScoringServerClient) -> None:
    with pytest.raises(Exception, match=r"Invocation failed.*400"):
        client.invoke(pd.DataFrame({"a": [1.0]}))
