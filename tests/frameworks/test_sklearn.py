"""scikit-learn through the whole gate: held-out rows at the endpoint, against the estimator's own answers."""

from __future__ import annotations

import pytest

from tests.frameworks.matrix import Case, Prove
from tests.frameworks.sklearn_cases import CASES


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_endpoint_answers_as_the_source_does(case: Case, prove: Prove) -> None:
    prove(case)
