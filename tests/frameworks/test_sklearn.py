"""scikit-learn through the whole gate: held-out rows at the endpoint, against the estimator's own answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import make_regression
from sklearn.linear_model import LinearRegression

from tests.frameworks.matrix import Built, Case, Prove


def linear(folder: Path) -> Built:
    x, y = make_regression(120, 4, noise=1.0, random_state=0)
    model = LinearRegression().fit(x[:80], y[:80])
    return Built(model, {"X": x[80:]}, {"variable": model.predict(x[80:])[:, np.newaxis]})


CASES = (Case("linear-regression", linear),)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_endpoint_answers_as_the_source_does(case: Case, prove: Prove) -> None:
    prove(case)
