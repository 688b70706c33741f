"""Interpreters that this machine has, and names that only look like one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from layers.bytecode import find_compiler
from layers.interpreters import find_interpreter
from layers.target import LAMBDA_PYTHONS, Target

OTHER = next(minor for minor in LAMBDA_PYTHONS if minor != Target.host().python)


def _command(folder: Path, script: str) -> Path:
    path = folder / f"python{OTHER}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_running_interpreter_is_taken_for_its_own_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = find_interpreter(Target.host().python)
    assert found is not None
    assert found.path == sys.executable


def test_an_interpreter_of_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _command(tmp_path, f"echo cpython {OTHER}.9")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_interpreter(OTHER) == (str(path), f"{OTHER}.9")


@pytest.mark.parametrize("script", ["echo 'not chosen' >&2; exit 127", "echo cpython 3.9.18", f"echo pypy {OTHER}.1"])
def test_a_name_without_that_cpython_behind_it_is_not_taken(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _command(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_interpreter(OTHER) is None


def test_an_interpreter_compiles_where_webassembly_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _command(tmp_path, f"echo cpython {OTHER}.9")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_compiler(Target(python=OTHER), root=tmp_path).identity == f"cpython {OTHER}.9"
