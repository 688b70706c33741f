"""The part of the matrix that `make test` runs: one model of each sort, through the whole gate."""

from __future__ import annotations

from typing import Final

import pytest

from tests.frameworks.matrix import Case, Prove
from tests.frameworks.sklearn_cases import CASES

LIGHT: Final = ("ridge", "random-forest", "columns-of-text", "tfidf", "several-labels", "k-means")


@pytest.mark.parametrize("case", [case for case in CASES if case.name in LIGHT], ids=str)
def test_the_endpoint_answers_as_the_source_does(case: Case, prove: Prove) -> None:
    result = prove(case)

    assert result.rows > 0
