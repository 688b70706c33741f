"""How much a zip archive holds, by what it declares: skops, npz, .keras and .pt2 files are archives."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 10_240 * 2**20
"""What the largest function has as memory: Lambda developer guide, "Lambda quotas"."""


def unpacked_bytes(path: Path) -> int:
    """Add up the sizes of an archive's members, 0 for what is none.

    A member that declares less than it holds is cut off there by whoever reads it.
    """
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return 0
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError):  # whoever reads it says what is wrong with it
        return 0
