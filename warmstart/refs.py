"""References to models: `iris` (= its alias `live`), `iris:3`, `iris@canary`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from warmstart.errors import InvalidReference

LIVE: Final = "live"
"""The alias that a bare name means."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
_ALIAS = re.compile(r"[a-z][a-z0-9-]{0,62}\Z")
_VERSION = re.compile(r"[1-9][0-9]{0,8}\Z")


def check_name(name: str) -> str:
    """Return the model name, or raise InvalidReference."""
    if not _NAME.match(name):
        raise InvalidReference(
            f"model name: expected 1 to 63 of a-z, 0-9 and '-', not starting with '-'; got {name[:80]!r}"
        )
    return name


def check_alias(alias: str) -> str:
    """Return the alias, or raise InvalidReference."""
    if not _ALIAS.match(alias):
        raise InvalidReference(
            f"alias: expected 1 to 63 of a-z, 0-9 and '-', starting with a letter; got {alias[:80]!r}"
        )
    return alias


def parse_version(text: str) -> int:
    """Return the version number (1, 2, 3, ...), or raise InvalidReference."""
    if not _VERSION.match(text):
        raise InvalidReference(f"version: expected a whole number from 1 to 999999999; got {text[:80]!r}")
    return int(text)


class ModelRef(NamedTuple):
    """A model at one version, or at the version that an alias names. Build it with `parse`, `at` or `aliased`."""

    name: str
    version: int | None
    alias: str | None

    @classmethod
    def parse(cls, text: str) -> ModelRef:
        """Read `iris`, `iris:3` or `iris@canary`. Raises: InvalidReference."""
        if ":" in text:
            name, _, version = text.partition(":")
            return cls(check_name(name), parse_version(version), None)
        name, separator, alias = text.partition("@")
        return cls(check_name(name), None, check_alias(alias) if separator else LIVE)

    @classmethod
    def at(cls, name: str, version: int) -> ModelRef:
        """Name one version. Raises: InvalidReference."""
        return cls(check_name(name), parse_version(str(version)), None)

    @classmethod
    def aliased(cls, name: str, alias: str = LIVE) -> ModelRef:
        """Name the version that an alias points at. Raises: InvalidReference."""
        return cls(check_name(name), None, check_alias(alias))

    def __str__(self) -> str:
        if self.version is not None:
            return f"{self.name}:{self.version}"
        return self.name if self.alias == LIVE else f"{self.name}@{self.alias}"
