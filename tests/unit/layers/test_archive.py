"""Same files, same bytes."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from layers.archive import normalize, write_zip


def _folder(where: Path, names: list[str], *, mode: int, mtime: int) -> Path:
    for name in names:
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}\n" * 50)
        path.chmod(mode)
        os.utime(path, (mtime, mtime))
    return where


def test_two_folders_with_the_same_files_give_the_same_zip(tmp_path: Path) -> None:
    one = _folder(tmp_path / "one", ["a/x.py", "b.py", "a.py"], mode=0o600, mtime=1_000_000_000)
    two = _folder(tmp_path / "two", ["a.py", "b.py", "a/x.py"], mode=0o755, mtime=1_700_000_000)
    assert write_zip(one, tmp_path / "one.zip") == write_zip(two, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_entries_are_sorted_readable_by_all_and_of_1980(tmp_path: Path) -> None:
    write_zip(_folder(tmp_path / "one", ["b.py", "a/x.py"], mode=0o600, mtime=0), tmp_path / "one.zip")
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == ["a/x.py", "b.py"]
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


def test_one_byte_more_is_another_digest(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "one", ["a.py"], mode=0o644, mtime=0)
    first = write_zip(folder, tmp_path / "first.zip")
    (folder / "a.py").write_text("other")
    assert write_zip(folder, tmp_path / "second.zip") != first


def test_modes_on_disk_are_those_of_the_zip(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "one", ["a/x.py"], mode=0o600, mtime=0)
    normalize(folder)
    assert (folder / "a/x.py").stat().st_mode & 0o777 == 0o644
    assert (folder / "a").stat().st_mode & 0o777 == 0o755
