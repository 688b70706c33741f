"""`python -m layers`."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.__main__ import main
from layers.target import LAMBDA_PYTHONS, Target


def test_what_cannot_be_built_ends_with_one_and_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    other = next(minor for minor in LAMBDA_PYTHONS if minor != Target.host().python)
    assert main(["build", "inference", "--python", other]) == 1
    assert f"nothing here can write bytecode for Python {other}: run `npm ci`" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["build"], ["build", "training"], ["build", "inference", "--architecture", "riscv64"]]
)
def test_wrong_usage_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m layers" in capsys.readouterr().err
