"""The app as `cdk` runs it: `python -m infra` with the context in its environment."""

import json
import os
import subprocess
import sys

import pytest

from tests.build.templates import CONTEXT, ROOT

pytestmark = pytest.mark.xdist_group("template")


def test_a_bad_setting_is_refused_in_one_line_before_anything_is_built() -> None:
    environment = {**os.environ, "CDK_CONTEXT_JSON": json.dumps({**CONTEXT, "memory_mb": "64"})}

    ran = subprocess.run(
        [sys.executable, "-m", "infra"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1
    assert ran.stderr == "warmstart: memory_mb: expected 128 to 10240 (MB); got '64'\n"


def test_cdk_runs_the_app() -> None:
    assert json.loads((ROOT / "cdk.json").read_text())["app"] == "python -m infra"


def test_a_python_without_the_cdk_is_told_what_to_install() -> None:
    bare = [sys.executable, "-S", "-m", "infra"]  # no site-packages: what a shell without the .venv may find

    ran = subprocess.run(bare, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert ran.stderr == (
        f"warmstart: {sys.executable} has no module aws_cdk: run `make setup` and `source .venv/bin/activate`, "
        "or `pip install -e '.[infra]'`; `warmstart doctor` says what else is missing\n"
    )
