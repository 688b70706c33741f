"""The matrix's fixture, and where its results go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frameworks.matrix import Case, Prove, Result, prove_case


def _absolute(text: str) -> Path:
    return Path(text).absolute()


def pytest_addoption(parser: pytest.Parser) -> None:
    # Resolved here: a test may change the current folder.
    parser.addoption("--results", type=_absolute, default=None, help="a file to which each case adds a line of JSON")


@pytest.fixture
def prove(tmp_path: Path, request: pytest.FixtureRequest) -> Prove:
    results: Path | None = request.config.getoption("--results", default=None)

    def take_through(case: Case) -> Result:
        return prove_case(case, tmp_path, results)

    return take_through
