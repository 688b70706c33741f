"""Folders for temporary files: gone afterwards, whatever ended the work."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from model_store.workplace import PREFIX, workplace

WORKING = """
import sys
from model_store.workplace import workplace
with workplace() as folder:
    (folder / "weights").write_bytes(b"w")
    print(folder, flush=True)
    sys.stdin.read()
"""


def working() -> tuple[subprocess.Popen[str], Path]:
    """Start a process that works in a folder until its input ends."""
    command = [sys.executable, "-c", WORKING]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def two_minutes_old(folder: Path) -> None:
    made = folder.stat().st_mtime - 120
    os.utime(folder, (made, made))


def test_a_folder_is_there_for_a_while() -> None:
    with workplace() as folder:
        assert list(folder.iterdir()) == []
        (folder / "file").write_bytes(b"x")
    assert not folder.exists()


def test_an_error_leaves_no_folder() -> None:
    with pytest.raises(KeyboardInterrupt), workplace() as folder:
        raise KeyboardInterrupt
    assert not folder.exists()


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_is_at_work_is_not() -> None:
    process, folder = working()
    try:
        two_minutes_old(folder)
        with workplace():
            assert (folder / "weights").exists()
        process.kill()
        process.wait()
        with workplace():
            assert not folder.exists()
    finally:
        process.communicate()


def test_a_folder_that_was_made_just_now_may_be_about_to_be_locked() -> None:
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    with workplace():
        assert folder.exists()
    two_minutes_old(folder)
    with workplace():
        assert not folder.exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"x")
    link = Path(tempfile.gettempdir(), f"{PREFIX}{os.getpid()}")
    link.symlink_to(tmp_path)
    try:
        with workplace(clock=lambda: 4e9):
            assert (tmp_path / "mine").exists()
    finally:
        link.unlink()
