"""A test session that is killed while its twin starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests.build.twin_client import until

ROOT = Path(__file__).parents[2]
SESSION = "from local.process import TwinProcess\nwith TwinProcess.start(): pass"


def of_this(folder: Path) -> list[psutil.Process]:
    """Find the processes that were started with this folder for temporary files."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):  # it has ended, or is another user's
            continue
    return found


def test_killing_a_session_leaves_no_twin_and_no_directory(tmp_path: Path) -> None:
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", SESSION], cwd=ROOT, env=environ) as session:
        until(lambda: len(list(tmp_path.glob("warmstart-twin-*"))) == 2)  # the session's, and the twin's own
        assert len(of_this(tmp_path)) >= 4  # the session, the twin, and what guards each
        session.kill()
    until(lambda: of_this(tmp_path) == [])
    assert list(tmp_path.iterdir()) == []
