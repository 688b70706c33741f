"""Fixtures for tests of models: `twin`, the whole stack, and `inprocess`, the data plane in the test's own process.

pytest loads this wherever warmstart is installed, so nothing is imported before a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local.inprocess import InProcess
    from local.process import TwinProcess


@pytest.fixture(scope="session")
def twin() -> Iterator[TwinProcess]:
    """The whole stack on this machine, deployed once per session."""
    from local.process import TwinProcess

    with TwinProcess.start() as running:
        yield running


@pytest.fixture
def inprocess() -> Iterator[InProcess]:
    """An empty store and the inference function's data plane over it, for one test."""
    from local.inprocess import start

    with start() as started:
        yield started


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep all tests of the twin in one worker of pytest-xdist (`--dist loadgroup`), so that one twin starts."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            if "twin" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group("twin"))
