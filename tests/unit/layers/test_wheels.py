"""The cache of wheels, and what pip is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from layers.target import Target
from layers.wheels import fetch_wheels, pip_command
from tests.build.wheels import lock, wheel
from warmstart.errors import BuildError


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is pip's only index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path / "index"


def test_lambda_on_arm64_asks_for_wheels_of_that_python_and_processor_alone() -> None:
    command = pip_command(Path("inference-3.13.txt"), Target(), Path("wheels"))
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert " ".join(command[4:]) == (
        "--quiet --disable-pip-version-check --dest wheels --only-binary=:all: --require-hashes --no-deps "
        "--requirement inference-3.13.txt --implementation cp --python-version 3.13 "
        "--platform manylinux_2_34_aarch64 --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 "
        "--platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64"
    )


def test_the_host_asks_for_what_the_host_takes() -> None:
    assert "--platform" not in pip_command(Path("inference.txt"), Target.host(), Path("wheels"))


def test_wheels_are_downloaded_once(tmp_path: Path, index: Path) -> None:
    made = wheel(index, "one", {"one.py": ""})
    pinned = lock(tmp_path / "lock.txt", made)
    first = fetch_wheels(pinned, Target(), root=tmp_path)
    made.unlink()
    assert fetch_wheels(pinned, Target(), root=tmp_path) == first
    assert [path.name for path in first] == ["one-1.0-py3-none-any.whl"]


def test_a_flipped_byte_in_the_cache_is_downloaded_anew(tmp_path: Path, index: Path) -> None:
    made = wheel(index, "one", {"one.py": ""})
    pinned = lock(tmp_path / "lock.txt", made)
    (cached,) = fetch_wheels(pinned, Target(), root=tmp_path)
    cached.write_bytes(b"\x00" + cached.read_bytes()[1:])
    fetch_wheels(pinned, Target(), root=tmp_path)
    assert cached.read_bytes() == made.read_bytes()


def test_a_wheel_that_is_not_the_locked_one_is_refused(tmp_path: Path, index: Path) -> None:
    pinned = lock(tmp_path / "lock.txt", wheel(index, "one", {"one.py": "locked"}))
    wheel(index, "one", {"one.py": "another"})
    with pytest.raises(BuildError, match=r"(?s)could not download lock\.txt for lambda-arm64-python3\.13.*[Hh]ash"):
        fetch_wheels(pinned, Target(), root=tmp_path)
    assert list((tmp_path / "build/wheels").iterdir()) == []


def test_a_cache_that_lost_a_wheel_is_downloaded_anew(tmp_path: Path, index: Path) -> None:
    pinned = lock(tmp_path / "lock.txt", wheel(index, "one", {"one.py": ""}), wheel(index, "two", {"two.py": ""}))
    first = fetch_wheels(pinned, Target(), root=tmp_path)
    first[0].unlink()
    assert fetch_wheels(pinned, Target(), root=tmp_path) == first
    assert [path.is_file() for path in first] == [True, True]
