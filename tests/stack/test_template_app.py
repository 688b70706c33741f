"""The app as `cdk` runs it: `python -m infra.app` with the context in its environment."""

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
        [sys.executable, "-m", "infra.app"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1
    assert ran.stderr == "warmstart: memory_mb: expected 128 to 10240 (MB); got '64'\n"


def test_cdk_runs_the_app() -> None:
    assert json.loads((ROOT / "cdk.json").read_text())["app"] == "python -m infra.app"
