"""What builds leave on disk: whole outputs, whoever else builds and whenever one is killed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from layers.output import Sizes, built_once
from warmstart.errors import BuildError

NAME = "tiny-0123456789abcdef"


def fills(text: str, *, before: Callable[[], object] = lambda: None) -> Callable[[Path], Sizes]:
    """Give a build that writes one file; `before` runs in the middle of it."""

    def fill(tree: Path) -> Sizes:
        before()
        (tree / "file.txt").write_text(text)
        return Sizes({"file": len(text)})

    return fill


def refuses(tree: Path) -> Sizes:
    raise AssertionError(f"{tree}: built a second time")


KILLED = """
import os, signal, sys
from pathlib import Path
from layers.output import built_once

def fill(tree):
    (tree / "file.txt").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)

built_once(Path(sys.argv[1]), fill)
"""


def test_what_a_killed_build_leaves_is_taken_for_nothing(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / NAME)], check=False)

    built = built_once(tmp_path / NAME, fills("whole"))

    assert killed.returncode == -signal.SIGKILL
    assert (built.path / "file.txt").read_text() == "whole"


def test_of_two_builds_at_once_the_first_to_end_is_kept_and_both_get_it(tmp_path: Path) -> None:
    first = []
    slow = fills("slow", before=lambda: first.append(built_once(tmp_path / NAME, fills("quick"))))

    second = built_once(tmp_path / NAME, slow)

    assert (second.path, second.digest) == (first[0].path, first[0].digest)
    assert (second.path / "file.txt").read_text() == "quick"
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_an_output_that_lost_a_part_is_built_anew(tmp_path: Path) -> None:
    (built_once(tmp_path / NAME, fills("whole")).path.parent / "built.json").unlink()

    built = built_once(tmp_path / NAME, fills("again"))

    assert (built.path / "file.txt").read_text() == "again"
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_an_old_output_goes_out_of_its_place_before_its_files_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / f"tiny-{number:016x}" for number in range(4)]
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)  # killed before it deletes anything

    for folder in folders:
        built_once(folder, fills(folder.name))

    assert [folder.is_dir() for folder in folders] == [False, True, True, True]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(tree: Path) -> Sizes:
        (tree / "file.txt").write_text("half")
        raise BuildError("no")

    with pytest.raises(BuildError):
        built_once(tmp_path / NAME, fail)
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    built_once(tmp_path / NAME, fills("whole"))

    assert (built_once(tmp_path / NAME, refuses).path / "file.txt").read_text() == "whole"
