"""Unpacked packages."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from io import BytesIO
from pathlib import Path

from local.aws.packages import Packages


def package(files: dict[str, str], *, mode: int = 0o644) -> tuple[str, bytes]:
    """A zip, and its digest as Lambda gives it."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, text)
    content = buffer.getvalue()
    return base64.b64encode(hashlib.sha256(content).digest()).decode(), content


def test_a_package_is_unpacked_under_its_digest(tmp_path: Path) -> None:
    digest, content = package({"handlers/a.py": "A = 1"})
    folder = Packages(tmp_path).unpacked(digest, content)
    assert folder == tmp_path / hashlib.sha256(content).hexdigest()
    assert (folder / "handlers" / "a.py").read_text() == "A = 1"


def test_a_package_is_unpacked_once(tmp_path: Path) -> None:
    digest, content = package({"a.py": "A = 1"})
    packages = Packages(tmp_path)
    first = packages.unpacked(digest, content)
    assert packages.unpacked(digest, b"never read") == first
    assert [entry.name for entry in tmp_path.iterdir()] == [first.name]


def test_executables_stay_executable(tmp_path: Path) -> None:
    digest, content = package({"bin/run": "#!/bin/sh"}, mode=0o755)
    assert os.access(Packages(tmp_path).unpacked(digest, content) / "bin" / "run", os.X_OK)


def test_what_nobody_used_for_a_week_is_forgotten(tmp_path: Path) -> None:
    packages = Packages(tmp_path)
    old = packages.unpacked(*package({"a.py": "1"}))
    new = packages.unpacked(*package({"b.py": "2"}))
    os.utime(old, (0, 0))
    packages.forget_unused(now=new.stat().st_mtime + 60)
    assert (old.exists(), new.exists()) == (False, True)


def test_nothing_is_forgotten_where_nothing_is(tmp_path: Path) -> None:
    Packages(tmp_path / "none").forget_unused()
    assert not (tmp_path / "none").exists()
