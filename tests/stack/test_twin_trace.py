"""`warmstart trace` on the twin: a cold start as its log has it."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict
from pathlib import Path

import pytest

from cli.main import run
from local.process import TwinProcess
from tests.build import models
from tests.build.twin_client import infer, publish, until


def test_a_cold_start_is_found_in_the_log_with_its_phases(
    twin: TwinProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready_file = tmp_path / "twin.json"
    ready_file.write_text(json.dumps(asdict(twin.address)))
    publish(twin, tmp_path, "traced", models.scale(2.0))
    for pid in twin.environments():
        os.kill(pid, signal.SIGKILL)
    until(lambda: not twin.environments())
    answers = [infer(twin.address, "traced", "x", "FP32", [1.0, 2.0], [1, 2]) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]

    code = run(["trace", "traced", "--local", "--json"], {"WARMSTART_READY_FILE": str(ready_file)})

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    [cold] = document["invocations"]
    assert (cold["version"], cold["new_environment"]) == ("1", True)
    assert cold["request_id"] == answers[0].headers["x-request-id"]
    assert list(cold["phases_ms"]) == ["runtime", "init", "resolve", "fetch", "session", "parse", "run", "render"]
    assert document["median_ms"] == cold["phases_ms"]
