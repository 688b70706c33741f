"""The server that the clients ask, in a process and an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
WAIT_S: Final = 60


class Endpoints(NamedTuple):
    """Where each protocol is served: `grpc` as host:port, `http` as a URL; None where it is not. `key`: an API key."""

    grpc: str | None = None
    http: str | None = None
    key: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What a request has to carry."""
        return {} if self.key is None else {"x-api-key": self.key}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--server-python", default=str(ROOT / ".venv/bin/python"), help="the Python that has the product")


@contextmanager
def running(python: str, *command: str) -> Iterator[Endpoints]:
    """Run a program of the project's own environment, which says in its first line where it listens."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [python, "-m", *command], cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            assert line, "the server ended before it said where it listens"
            yield Endpoints(**json.loads(line))
        finally:
            server.communicate(timeout=WAIT_S)  # the end of its standard input ends it
    assert server.returncode == 0


@pytest.fixture(scope="session")
def endpoints(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """Serve the models of `tests/clients/models.py`."""
    folder = tmp_path_factory.mktemp("served")
    with running(request.config.getoption("--server-python"), "tests.clients.server", str(folder)) as found:
        yield found


@pytest.fixture(scope="session")
def twin(request: pytest.FixtureRequest) -> Iterator[Endpoints]:
    """The same models on the local twin: behind API Gateway, in the Lambda function."""
    with running(request.config.getoption("--server-python"), "tests.clients.twin") as found:
        yield found


@pytest.fixture(scope="session", params=["serve", "twin"])
def served(request: pytest.FixtureRequest) -> Endpoints:
    """Each of both, over HTTP."""
    found: Endpoints = request.getfixturevalue("endpoints" if request.param == "serve" else "twin")
    return found


@pytest.fixture(scope="session")
def grpc_address(endpoints: Endpoints) -> str:
    """Where gRPC is served."""
    assert endpoints.grpc is not None
    return endpoints.grpc
