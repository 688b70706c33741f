"""Requests made up from each model's own OpenAPI document, valid and not: none is answered with a 5xx, none hangs.

Run by schemathesis, the same requests in every run. What it reports is in the failure's message.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import Endpoints

CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance"


@pytest.mark.parametrize("model", ["adder", "animals", "identity-bytes", "identity-int64"])
def test_no_request_that_the_document_suggests_breaks_the_server(
    endpoints: Endpoints, model: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{endpoints.http}/v2/models/{model}/openapi.json"]
    options = ["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "40"]
    options += ["--generation-deterministic", "--request-timeout", "10", "--no-color"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=tmp_path, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Test cases:" in done.stdout
