"""The matrix's fixture, and where its results go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frameworks.matrix import Case, Prove, Result, prove_case


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", type=Path, default=None, help="a file to which each case adds a line of JSON")


@pytest.fixture
def prove(tmp_path: Path, request: pytest.FixtureRequest) -> Prove:
    results: Path | None = request.config.getoption("--results", default=None)

    def take_through(case: Case) -> Result:
        return prove_case(case, tmp_path, results)

    return take_through
