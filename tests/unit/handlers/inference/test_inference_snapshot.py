"""A function that starts from a snapshot, in a process of its own: what it asks for, and what it forgets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.build.inference import env
from warmstart import environment

ROOT = Path(__file__).parents[4]
CHILD = """
import json, sys
from snapshot_restore_py import get_after_restore, get_before_snapshot
from handlers.inference import lambda_handler
credentials = lambda_handler.CREDENTIALS
credentials._known = ("known", 1e12)
lambda_handler.READER._idle.append(type("Idle", (), {"close": lambda self: None})())
for function, args, kwargs in get_before_snapshot():
    function(*args, **kwargs)
before = (len(lambda_handler.READER._idle), credentials._known is not None)
for function, args, kwargs in get_after_restore():
    function(*args, **kwargs)
json.dump({"kind": type(credentials).__name__, "before": before, "known": credentials._known}, sys.stdout)
"""


def test_credentials_are_not_read_at_init_and_forgotten_after_a_restore(tmp_path: Path) -> None:
    variables = env(tmp_path)
    del variables[environment.ACCESS_KEY_ID], variables[environment.SECRET_ACCESS_KEY]
    variables[environment.CONTAINER_CREDENTIALS_URI] = "http://127.0.0.1:9/v1/credentials"
    variables[environment.CONTAINER_CREDENTIALS_TOKEN] = "token"
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr.decode()
    assert json.loads(child.stdout) == {"kind": "ContainerCredentials", "before": [0, True], "known": None}
