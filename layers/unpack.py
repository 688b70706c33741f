"""Unpack wheels without what the recipe cuts. A wheel is a zip; what it installs is said by its paths."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from layers.recipes import Cut, Recipe
from warmstart.errors import BuildError

_DATA = re.compile(r"[^/]+\.data/(?:purelib|platlib)/(.+)")
"""Where a wheel keeps files that belong beside its packages (binary distribution format, "The .data directory")."""

ALWAYS_KEPT: Final = (
    "*LICENSE*",
    "*LICENCE*",
    "*COPYING*",
    "*NOTICE*",
    "*ThirdPartyNotices*",
    "*.dist-info/licenses/*",
)
"""Licences travel with what they license, whatever a cut says."""


class Unpacked(NamedTuple):
    """What lies below `python/` now, and what does not; paths are relative to it, sizes in bytes."""

    package_of: dict[str, str]
    """The distribution that each kept file comes from."""
    kept: dict[str, int]
    cut: dict[str, tuple[str, int]]
    """The distribution and the size of each file that was left out."""
    cut_by: dict[Cut, int]
    """Bytes that each cut saved."""


def unpack(wheels: Iterable[Path], recipe: Recipe, into: Path) -> Unpacked:
    """Unpack wheels into one folder.

    Raises: BuildError if a path leaves the folder, two wheels hold the same path, or a file is not a zip.
    """
    result = Unpacked({}, {}, {}, {})
    for wheel in wheels:
        try:
            with zipfile.ZipFile(wheel) as archive:
                _unpack_one(archive, wheel.name.partition("-")[0].replace("_", "-"), recipe, into, result)
        except zipfile.BadZipFile as error:
            raise BuildError(f"{wheel.name}: not a wheel: {error}") from error
    return result


def _unpack_one(archive: zipfile.ZipFile, package: str, recipe: Recipe, into: Path, result: Unpacked) -> None:
    for entry in archive.infolist():
        if entry.is_dir():
            continue
        path = _installed_path(entry.filename)
        cut = cut_of(path, recipe.cuts, recipe.keep)
        if cut is not None:
            result.cut[path] = (package, entry.file_size)
            result.cut_by[cut] = result.cut_by.get(cut, 0) + entry.file_size
            continue
        if (first := result.package_of.get(path)) is not None:
            raise BuildError(f"{path}: comes with {first} and with {package}; only one of them can be in a layer")
        result.package_of[path], result.kept[path] = package, entry.file_size
        destination = into / path
        destination.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, destination.open("xb") as target:
            shutil.copyfileobj(source, target, 1 << 20)


def cut_of(path: str, cuts: Sequence[Cut], keep: Sequence[str] = ()) -> Cut | None:
    """Return the first cut that names a path, None if the path stays."""
    if any(fnmatchcase(path, pattern) for pattern in keep):
        return None
    if any(fnmatchcase(path, pattern) for pattern in ALWAYS_KEPT) and not path.endswith((".py", ".so")):
        return None
    return next((cut for cut in cuts if fnmatchcase(path, cut.pattern)), None)


def _installed_path(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
        raise BuildError(f"{name!r}: a path in a wheel that leaves its folder")
    return match[1] if (match := _DATA.fullmatch(str(path))) else str(path)
