"""Every model of the matrix that scikit-learn can train, converted alone: the graph answers as the estimator."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frameworks.matrix import Case, convert_case
from tests.frameworks.sklearn_cases import CASES


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_graph_answers_as_the_estimator_does(case: Case, tmp_path: Path) -> None:
    convert_case(case, tmp_path)
