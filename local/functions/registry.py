"""Functions by name, with their versions and aliases.

Source: Lambda developer guide, "Manage Lambda function versions", "Create an alias for a Lambda function".
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from local.functions.names import LATEST, FunctionName
from local.functions.pool import Release
from local.types import FunctionConfig, FunctionNotFound


class Resolved(NamedTuple):
    """What an invocation runs."""

    release: Release
    reserved: int | None
    arn: str


@dataclass
class _Function:
    releases: dict[str, Release] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    reserved: int | None = None


class Registry:
    """What was put. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._functions: dict[str, _Function] = {}

    def put(self, config: FunctionConfig) -> Release | None:
        """Add a version or replace $LATEST; give the release that was replaced. Raises: ValueError.

        Reserved concurrency belongs to the function: what was put last counts for all versions.
        """
        with self._lock:
            function = self._functions.setdefault(config.name, _Function())
            old = function.releases.get(config.version)
            if old is not None and _same(old.config, config):
                function.reserved = config.reserved_concurrency
                return None
            if old is not None and config.version != LATEST:
                raise ValueError(f"{config.name}:{config.version}: a published version cannot be changed")
            function.reserved = config.reserved_concurrency
            function.releases[config.version] = Release(config)
            return old

    def alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version. Raises: FunctionNotFound."""
        with self._lock:
            function = self._functions.get(name)
            if function is None or version not in function.releases:
                raise FunctionNotFound(f"Function not found: {FunctionName(name, version).arn()}")
            function.aliases[alias] = version

    def remove(self, name: str) -> list[Release]:
        """Forget a function; give its releases."""
        with self._lock:
            function = self._functions.pop(name, None)
            return list(function.releases.values()) if function else []

    def resolve(self, text: str, qualifier: str | None) -> Resolved:
        """Find what a name and a qualifier mean; none means $LATEST. Raises: FunctionNotFound."""
        asked = FunctionName.parse(text, qualifier)
        with self._lock:
            function = self._functions.get(asked.name, _Function())
            version = asked.qualifier or LATEST
            release = function.releases.get(function.aliases.get(version, version))
            if release is None:
                raise FunctionNotFound(f"Function not found: {asked.arn()}")
            return Resolved(release, function.reserved, asked.arn())


def _same(one: FunctionConfig, other: FunctionConfig) -> bool:
    return replace(one, reserved_concurrency=None) == replace(other, reserved_concurrency=None)
