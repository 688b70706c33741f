"""What a setting is: its documentation, and how its value is read and refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar, cast

from warmstart.errors import InvalidSetting

_T = TypeVar("_T")
_KEY: Final = "setting"
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,12}\Z")
_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?\Z")


class Kind(Protocol):
    """A type of value. `read` takes what JSON or the command line gave; it raises ValueError without a message."""

    @property
    def name(self) -> str:
        """The type, as the documentation calls it."""
        ...

    @property
    def allowed(self) -> str:
        """The allowed values, in words: what a refusal says was expected."""
        ...

    def read(self, raw: object) -> object:
        """Return the typed value. Raises: ValueError."""
        ...


@dataclass(frozen=True)
class Whole:
    """A whole number within a range; `among` narrows it to certain values."""

    least: int
    most: int
    among: tuple[int, ...] = ()
    name: str = "whole number"

    @property
    def allowed(self) -> str:
        """`128 to 10240`, or the list."""
        return ", ".join(map(str, self.among)) if self.among else f"{self.least} to {self.most}"

    def read(self, raw: object) -> int:
        """Read `512` or "512"; True is no number."""
        if isinstance(raw, str) and _WHOLE.match(raw):
            raw = int(raw)
        if not isinstance(raw, int) or isinstance(raw, bool) or not self.least <= raw <= self.most:
            raise ValueError
        if self.among and raw not in self.among:
            raise ValueError
        return raw


@dataclass(frozen=True)
class Number:
    """A number within a range, fractions allowed."""

    least: float
    most: float
    name: str = "number"

    @property
    def allowed(self) -> str:
        """`0.1 to 10000`."""
        return f"{self.least:g} to {self.most:g}"

    def read(self, raw: object) -> float:
        """Read `0.5`, `2` or "0.5"."""
        if isinstance(raw, str) and _NUMBER.match(raw):
            raw = float(raw)
        if not isinstance(raw, int | float) or isinstance(raw, bool) or not self.least <= raw <= self.most:
            raise ValueError
        return float(raw)


@dataclass(frozen=True)
class Flag:
    """Yes or no."""

    name: str = "flag"

    @property
    def allowed(self) -> str:
        """`true or false`."""
        return "true or false"

    def read(self, raw: object) -> bool:
        """Read JSON's true and false, or the words."""
        if isinstance(raw, str) and raw in ("true", "false"):
            raw = raw == "true"
        if not isinstance(raw, bool):
            raise ValueError
        return raw


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]
    name: str = "choice"

    @property
    def allowed(self) -> str:
        """`arm64 or x86_64`."""
        return " or ".join(self.words)

    def read(self, raw: object) -> str:
        """Read one of the words."""
        if raw not in self.words:
            raise ValueError
        return raw


@dataclass(frozen=True)
class Text:
    """A string of a certain form; `says` describes the form."""

    pattern: str
    says: str
    name: str = "text"

    @property
    def allowed(self) -> str:
        """The form, in words."""
        return self.says

    def read(self, raw: object) -> str:
        """Read a string that fits the pattern whole."""
        if not isinstance(raw, str) or not re.fullmatch(self.pattern, raw):
            raise ValueError
        return raw


@dataclass(frozen=True)
class Items:
    """A list: a JSON array, or one string with commas."""

    of: Kind
    most: int

    @property
    def name(self) -> str:
        """`list of text`."""
        return f"list of {self.of.name}"

    @property
    def allowed(self) -> str:
        """The form of the items, and how many."""
        return f"at most {self.most}, each {self.of.allowed}"

    def read(self, raw: object) -> tuple[object, ...]:
        """Read `["iris:1"]` or "iris:1,digits:2"; "" is the empty list."""
        if isinstance(raw, str):
            raw = [item.strip() for item in raw.split(",")] if raw else []
        if not isinstance(raw, Sequence) or len(raw) > self.most:
            raise ValueError
        return tuple(self.of.read(item) for item in raw)


@dataclass(frozen=True)
class Optional:
    """A value that may be absent: JSON's null, or the word `none` on the command line."""

    of: Kind

    @property
    def name(self) -> str:
        """The type of the value when there is one."""
        return self.of.name

    @property
    def allowed(self) -> str:
        """The allowed values, or none."""
        return f"{self.of.allowed}, or none"

    def read(self, raw: object) -> object:
        """Read a value, or None."""
        return None if raw is None or raw == "none" else self.of.read(raw)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The documentation of one setting, and the reader of its values."""

    kind: Kind
    unit: str
    says: str
    page: str
    """The page that says what AWS allows; "" for a setting that AWS does not know."""

    def read(self, name: str, raw: object) -> object:
        """Return the typed value. Raises: InvalidSetting with the setting's name."""
        try:
            return self.kind.read(raw)
        except ValueError:
            unit = f" ({self.unit})" if self.unit else ""
            raise InvalidSetting(f"{name}: expected {self.kind.allowed}{unit}; got {raw!r}", name=name) from None


def setting(default: _T, kind: Kind, *, says: str, unit: str = "", page: str = "") -> _T:
    """Declare a field of a settings dataclass."""
    return field(default=default, metadata={_KEY: Setting(kind=kind, unit=unit, says=says, page=page)})


def described(metadata: object) -> Setting:
    """Return the setting that a dataclass field's metadata holds."""
    return cast("dict[str, Setting]", metadata)[_KEY]
