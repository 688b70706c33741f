"""Read from shared libraries what decides whether Amazon Linux 2023 can load them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from layers.target import Target

NEWEST: Final[Mapping[str, tuple[int, ...]]] = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)}
"""Symbol versions that Amazon Linux 2023 has: glibc 2.34, and libstdc++ of GCC 11
(AL2023 user guide, "Core toolchain packages"; GCC manual, "ABI Policy and Guidelines")."""

SYSTEM: Final = re.compile(
    r"(?:lib(?:c|m|dl|rt|pthread|util|z)\.so\.\d+|libgcc_s\.so\.1|libstdc\+\+\.so\.6|ld-linux-(?:aarch64|x86-64)\.so\.\d)\Z"
)
"""Libraries of Amazon Linux 2023's minimal image, on which Lambda's Python runtimes stand; libz is zlib's."""

_MACHINES: Final = {"EM_AARCH64": "aarch64", "EM_X86_64": "x86_64"}
_VERSION = re.compile(r"([A-Z]+)_([\d.]+)\Z")


class SharedLibrary(NamedTuple):
    """What a library asks for: `needed` are names of libraries, `versions` of symbol versions."""

    machine: str
    needed: tuple[str, ...]
    versions: tuple[str, ...]


def is_elf(path: Path) -> bool:
    """Say whether a file is in ELF."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def read_library(path: Path) -> SharedLibrary:
    """Read a library's needs. Raises: ValueError if it is not one."""
    try:
        with path.open("rb") as file:
            elf = ELFFile(file)
            return SharedLibrary(
                _MACHINES.get(elf["e_machine"], str(elf["e_machine"])), tuple(_needed(elf)), tuple(_versions(elf))
            )
    except ELFError as error:
        raise ValueError(f"not a shared library: {error}") from error


def complaints(files: Iterable[Path], target: Target) -> Iterator[str]:
    """Yield why Lambda would refuse to load a library: processor, symbol versions, libraries that are not there."""
    libraries = {path: read_library(path) for path in files}
    inside = {path.name for path in libraries}
    for path, library in libraries.items():
        if library.machine != target.machine:
            yield f"{path.name}: is for {library.machine}, the target is {target.machine}"
        for version in library.versions:
            if (newest := _too_new(version)) is not None:
                yield f"{path.name}: needs {version}, Amazon Linux 2023 has {newest}"
        for name in library.needed:
            if name not in inside and not SYSTEM.match(name):
                yield f"{path.name}: needs {name}, which neither the layer nor Amazon Linux 2023 has"


def _needed(elf: ELFFile) -> Iterator[str]:
    for section in elf.iter_sections():
        if isinstance(section, DynamicSection):
            for tag in section.iter_tags("DT_NEEDED"):
                yield tag.needed  # type: ignore[attr-defined]  # set by name, from the tag's type


def _versions(elf: ELFFile) -> Iterator[str]:
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, auxiliaries in section.iter_versions():
                for auxiliary in auxiliaries:
                    yield auxiliary.name


def _too_new(version: str) -> str | None:
    match = _VERSION.match(version)
    if match is None or (newest := NEWEST.get(match[1])) is None:
        return None
    too_new = tuple(int(part) for part in match[2].split(".")) > newest
    return ".".join(map(str, newest)) if too_new else None
