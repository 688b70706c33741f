"""What shared libraries ask for, read without running them."""

from __future__ import annotations

import platform
from pathlib import Path

import orjson
import pytest

from layers.elf import complaints, is_elf, read_library
from layers.target import Target, host_architecture

LIBRARY = next(Path(orjson.__file__).parent.glob("orjson.*.so"))
pytestmark = pytest.mark.skipif(not is_elf(LIBRARY), reason="this machine's libraries are not in ELF")

HERE = Target(architecture=host_architecture()) if platform.system() == "Linux" else Target()
ELSEWHERE = Target(architecture="x86_64" if HERE.architecture == "arm64" else "arm64")


def _changed(tmp_path: Path, old: bytes, new: bytes) -> Path:
    data = LIBRARY.read_bytes()
    assert old in data
    assert len(old) == len(new)
    path = tmp_path / "changed.so"
    path.write_bytes(data.replace(old, new))
    return path


def test_a_librarys_processor_needs_and_symbol_versions_are_read() -> None:
    library = read_library(LIBRARY)
    assert library.machine == HERE.machine
    assert "libc.so.6" in library.needed
    assert any(version.startswith("GLIBC_2.") for version in library.versions)


def test_a_library_for_amazon_linux_has_no_complaints() -> None:
    assert list(complaints([LIBRARY], HERE)) == []


def test_a_library_for_another_processor_is_told() -> None:
    assert list(complaints([LIBRARY], ELSEWHERE)) == [
        f"{LIBRARY.name}: is for {HERE.machine}, the target is {ELSEWHERE.machine}"
    ]


def test_a_symbol_of_a_newer_glibc_is_told(tmp_path: Path) -> None:
    newest = max(version for version in read_library(LIBRARY).versions if version.startswith("GLIBC_2."))
    path = _changed(tmp_path, f"{newest}\0".encode(), b"GLIBC_2.99999999"[: len(newest)] + b"\0")
    assert any("Amazon Linux 2023 has 2.34" in line for line in complaints([path], HERE))


def test_a_library_that_is_nowhere_is_told(tmp_path: Path) -> None:
    path = (
        _changed(tmp_path, b"libgcc_s.so.1\0", b"libgcc_x.so.1\0")
        if b"libgcc_s.so.1\0" in LIBRARY.read_bytes()
        else (_changed(tmp_path, b"libc.so.6\0", b"libq.so.6\0"))
    )
    assert any("which neither the layer nor Amazon Linux 2023 has" in line for line in complaints([path], HERE))


def test_a_file_that_only_begins_like_a_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.so").write_bytes(b"\x7fELF and no more")
    assert is_elf(tmp_path / "x.so")
    with pytest.raises(ValueError, match="not a shared library"):
        read_library(tmp_path / "x.so")
