"""What a layer or an asset is built for, and what a build gives back."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from warmstart.errors import InvalidSetting

Architecture: TypeAlias = Literal["arm64", "x86_64"]
Platform: TypeAlias = Literal["lambda", "host"]

LAMBDA_PYTHONS: Final = ("3.12", "3.13", "3.14")
"""Lambda's runtimes on Amazon Linux 2023 (Lambda developer guide, "Lambda runtimes")."""

_ARCHITECTURES: Final[Mapping[str, Architecture]] = {
    "aarch64": "arm64",
    "arm64": "arm64",
    "x86_64": "x86_64",
    "AMD64": "x86_64",
}


@dataclass(frozen=True)
class Target:
    """The Python, the processor and the platform that a build must run on; `Target.host()` is this machine.

    Raises: InvalidSetting with the field's name, when Lambda has no such runtime, or the host is not that.
    """

    python: str = "3.13"
    """Minor version, `3.13`."""
    architecture: Architecture = "arm64"
    """As Lambda names it."""
    platform: Platform = "lambda"
    """`lambda` is Amazon Linux 2023; `host` is this machine, for the local twin."""

    def __post_init__(self) -> None:
        """Refuse what cannot be built for."""
        _expect("architecture", self.architecture, get_args(Architecture))
        _expect("platform", self.platform, get_args(Platform))
        if self.platform == "lambda":
            _expect("python", self.python, LAMBDA_PYTHONS)
        else:
            _expect("python", self.python, (host_python(),))
            _expect("architecture", self.architecture, (host_architecture(),))

    @classmethod
    def host(cls) -> Target:
        """Return this machine: the running interpreter's minor version and the processor."""
        return cls(python=host_python(), architecture=host_architecture(), platform="host")

    @property
    def machine(self) -> str:
        """The processor as wheels and ELF name it."""
        return "aarch64" if self.architecture == "arm64" else "x86_64"

    def __str__(self) -> str:
        return f"{self.platform}-{self.architecture}-python{self.python}"


@dataclass(frozen=True, kw_only=True)
class Built:
    """A layer or a function asset on disk. Nothing in it changes as long as the digest is the same."""

    path: Path
    """Directory that is ready for `Code.from_asset`."""
    zip_path: Path
    """The same as a zip, byte for byte the same on every build with the same zlib."""
    digest: str
    """sha256 of all names and contents, in hex: the same on every machine."""
    sizes: Mapping[str, int]
    """Unzipped bytes per package, bytecode included."""
    bytecode: Mapping[str, int] = field(default_factory=dict)
    """How many of them are bytecode."""
    cut: Mapping[str, int] = field(default_factory=dict)
    """Bytes per package that were left out."""
    cut_by: Mapping[str, int] = field(default_factory=dict)
    """The same per cut of the recipe, by its pattern."""

    @property
    def size_bytes(self) -> int:
        """Unzipped bytes of all."""
        return sum(self.sizes.values())


def host_python() -> str:
    """Minor version of the running interpreter."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def host_architecture() -> Architecture:
    """Return the processor of this machine, as Lambda names it. Raises: InvalidSetting on any other."""
    machine = platform.machine()
    if (architecture := _ARCHITECTURES.get(machine)) is None:
        raise InvalidSetting(
            f"this machine's processor is {machine}: expected one of {', '.join(_ARCHITECTURES)}", name="architecture"
        )
    return architecture


def _expect(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InvalidSetting(f"{name}: expected {' or '.join(allowed)}; got {value!r}", name=name)
