"""The command line on the twin: a model's whole way, and the same commands by AWS's own names."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from cli.main import run
from local.process import TwinProcess
from local.types import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.build import models
from tests.build.command_line import Ran

pytestmark = [
    pytest.mark.xdist_group("twin"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:skl2onnx"),
]

ROOT = Path(__file__).resolve().parents[2]
ENTRY = (sys.executable, "-c", "from cli.main import entry; entry()")
_FOLLOWS_WITHIN_S = 20.0


@pytest.fixture
def ready_file(twin: TwinProcess, tmp_path: Path) -> Path:
    path = tmp_path / "twin.json"
    path.write_text(json.dumps(asdict(twin.address)))
    return path


@pytest.fixture
def warmstart(ready_file: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """The command in this process, on the session's twin."""

    def call(*arguments: str) -> Ran:
        code = run([*arguments, "--local"], {"USER": "ada", "WARMSTART_READY_FILE": str(ready_file)})
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


def predicted(warmstart: Callable[..., Ran]) -> Any:
    """What the published model says of [1, 2]."""
    return warmstart("predict", "cli-scale", "--data", "[1, 2]", "--json").document["predictions"][0]["y"]


def until(expected: object, look: Callable[[], object]) -> None:
    """Look until it is as expected: functions follow an alias within its TTL."""
    end = time.monotonic() + _FOLLOWS_WITHIN_S
    while (seen := look()) != expected:
        assert time.monotonic() < end, seen


def test_a_model_goes_its_whole_way(warmstart: Callable[..., Ran], tmp_path: Path) -> None:
    for factor in (2, 3):
        (tmp_path / f"{factor}.onnx").write_bytes(models.scale(factor))

    assert warmstart("publish", str(tmp_path / "2.onnx"), "--name", "cli-scale").out.startswith("cli-scale:1 published")
    assert ["cli-scale", "1", "live", "→", "1"] in [line.split() for line in warmstart("models").lines]
    assert "source  2.onnx" in warmstart("show", "cli-scale").lines
    assert predicted(warmstart) == [2, 4]

    warmstart("publish", str(tmp_path / "3.onnx"), "--name", "cli-scale")
    until([3, 6], lambda: predicted(warmstart))

    assert warmstart("alias", "cli-scale", "live", "1", "--expected", "2").code == 0
    until([2, 4], lambda: predicted(warmstart))
    assert warmstart("alias", "cli-scale", "live", "1", "--expected", "2").code == 1


def test_what_is_published_on_the_twin_is_looked_after(warmstart: Callable[..., Ran], tmp_path: Path) -> None:
    for factor in (2, 3):
        (tmp_path / "model.onnx").write_bytes(models.scale(factor))
        warmstart("publish", str(tmp_path / "model.onnx"), "--name", "cli-kept")

    assert warmstart("rollback", "cli-kept").out == "cli-kept@live → version 1 (was 2)\n"
    assert warmstart("tags", "cli-kept", "--set", "owner=ada").lines == ["tag    value", "owner  ada"]
    assert [change["version"] for change in warmstart("history", "cli-kept", "--json").document] == [1, 2, 1]
    assert "files       model.onnx sha256" in warmstart("diff", "cli-kept:1", "cli-kept:2").out
    assert warmstart("verify", "cli-kept").code == 0
    assert warmstart("copy", "cli-kept", "--to", (tmp_path / "other").as_uri()).code == 0
    assert (tmp_path / "other/models/cli-kept/versions/1/manifest.json").is_file()
    assert warmstart("prune", "cli-kept", "--keep", "1", "--yes", "--json").document["versions"] == []


def test_the_readmes_way_from_a_model_to_an_answer(
    warmstart: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load_iris()
    measures = data.data.astype(np.float32)
    fitted = LogisticRegression(max_iter=1000).fit(measures, data.target)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    [saving] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    exec(saving, {"estimator": fitted, "X": measures})  # noqa: S102 - the document's own lines
    # Another model's name than the README's: other tests may have published an iris.
    [session] = re.findall(r"```console\n(.*?--local.*?)```", readme, re.DOTALL)
    session = session.replace("iris ", "readme-iris ").replace("iris:", "readme-iris:")

    commands = re.findall(r"^\$ warmstart (.*) --local\n((?:[^$].*\n)*)", session, re.MULTILINE)

    assert len(commands) == 2
    for command, expected in commands:
        ran = warmstart(*shlex.split(command))
        printed = ran.err + ran.out
        assert re.fullmatch(".*".join(map(re.escape, expected.split("…"))), printed), printed
    assert warmstart("smoke", "readme-iris").out.startswith("ok  readme-iris:1  10 golden examples, ")


def test_what_the_endpoint_refuses_is_a_refusal(warmstart: Callable[..., Ran]) -> None:
    ran = warmstart("predict", "no-such-model", "--data", "[1, 2]")

    assert ran.code == 1
    assert ran.err.startswith("request_refused: HTTP 404: ")
    assert "no-such-model" in ran.err


def test_records_come_from_standard_input(ready_file: Path, warmstart: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "add.onnx").write_bytes(models.add())
    warmstart("publish", str(tmp_path / "add.onnx"), "--name", "cli-add")

    ran = subprocess.run(
        [*ENTRY, "predict", "cli-add", "--local", "--file", "-"],
        input='{"a": 1, "b": 2.5}',
        env={**os.environ, "WARMSTART_READY_FILE": str(ready_file)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stderr, ran.stdout.splitlines()[:2]) == (0, "", ["sum", "3.5"])


@pytest.fixture
def as_on_aws(twin: TwinProcess) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command in a process whose AWS is the twin; nothing but the SDK's own variables says so."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ = kept | {
        "AWS_ENDPOINT_URL": twin.address.aws_endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def call(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [*ENTRY, *arguments]
        return subprocess.run(command, env=environ | more, capture_output=True, text=True, check=False)

    return call


def test_a_stage_in_an_account_is_found_by_its_stacks(
    as_on_aws: Callable[..., subprocess.CompletedProcess[str]], warmstart: Callable[..., Ran]
) -> None:
    assert as_on_aws("models").stdout == warmstart("models").out


def test_a_stage_that_was_not_deployed_is_not_reachable(
    as_on_aws: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    ran = as_on_aws("models", "--stage", "other")

    assert ran.returncode == 3
    assert ran.stderr.startswith("unreachable: stack warmstart-other-store: ")
    assert ran.stderr.endswith("deploy it with `cdk deploy --all`, or name another with --stage\n")


def test_the_doctor_finds_an_account_ready(as_on_aws: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    findings = {finding["seen"]: finding["good"] for finding in json.loads(as_on_aws("doctor", "--json").stdout)}

    assert findings["us-east-1"]
    for stack in ("warmstart-prod-store", "warmstart-prod-serving"):  # another test may have deployed again
        [(seen, good)] = [found for found in findings.items() if found[0].startswith(f"{stack}: ")]
        assert good
        assert seen.endswith((": CREATE_COMPLETE", ": UPDATE_COMPLETE"))


def test_the_doctor_says_how_a_missing_stack_comes_about(
    as_on_aws: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    ran = as_on_aws("doctor", WARMSTART_STAGE="other")

    assert ran.returncode == 1
    assert ran.stdout.count("→ cdk deploy --all") == 2
