"""The example of testing with the plugin, run as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "testing"


@pytest.mark.xdist_group("second twin")
def test_the_example_passes() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", str(EXAMPLE)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "3 passed" in ran.stdout, ran.stdout + ran.stderr


def test_the_documents_show_the_example_as_it_is() -> None:
    shown = (EXAMPLE / "test_flowers.py").read_text().rstrip()
    assert f"```python\n{shown}\n```" in (ROOT / "docs" / "testing.md").read_text()


def test_loading_the_plugin_imports_nothing_of_the_twin() -> None:
    code = "import sys, local.pytest_plugin; print(sorted({'moto', 'boto3', 'numpy', 'aws_cdk'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
