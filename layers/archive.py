"""Write a folder as a zip that depends on its files alone: sorted names, one timestamp, one mode, one compressor."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Final

_TIMESTAMP: Final = (1980, 1, 1, 0, 0, 0)
"""The first that a zip can hold."""
_MODE: Final = 0o644
"""Lambda needs files that others may read; shared libraries are mapped, not executed."""


def normalize(folder: Path) -> None:
    """Give all files and folders the modes that the zip gives them."""
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else _MODE)
    folder.chmod(0o755)


def write_zip(folder: Path, path: Path) -> str:
    """Zip a folder's files and return the sha256 of their names and contents, in hex.

    Not of the zip itself: zlib's releases compress differently, and the same layer must not be another on another
    machine.
    """
    digest = hashlib.sha256()
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in files:
            entry = zipfile.ZipInfo(name, _TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: the mode is understood
            entry.external_attr = (0o100000 | _MODE) << 16
            entry.file_size = (folder / name).stat().st_size
            digest.update(f"{name}\0{entry.file_size}\0".encode())
            with (folder / name).open("rb") as source, archive.open(entry, "w") as target:
                while block := source.read(1 << 20):
                    digest.update(block)
                    target.write(block)
    return digest.hexdigest()
