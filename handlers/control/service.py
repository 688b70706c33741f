"""What the control plane does, knowing neither HTTP nor S3: names are checked here, once, before they become keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from model_store.history import AliasChange
from model_store.registry import Alias, Registry
from warmstart.refs import check_alias, check_name, parse_version


@dataclass(frozen=True)
class At:
    """The caller has seen the alias, with this entity tag."""

    etag: str


@dataclass(frozen=True)
class Absent:
    """The caller expects that there is no such alias yet."""


Expectation: TypeAlias = At | Absent


@dataclass(frozen=True, kw_only=True)
class Model:
    """All that is known of a model, but the manifests."""

    name: str
    versions: tuple[int, ...]
    aliases: tuple[Alias, ...]


class ControlService:
    """Every method raises InvalidReference for a name that is not well-formed, and StoreError."""

    def __init__(self, *, registry: Registry) -> None:
        self._registry = registry

    def models(self) -> list[str]:
        """List the names of all models."""
        return self._registry.models()

    def model(self, name: str) -> Model:
        """Read a model's versions and aliases. Raises: ModelNotFound, IntegrityError."""
        check_name(name)
        return Model(
            name=name,
            versions=tuple(self._registry.versions(name)),
            aliases=tuple(self._registry.aliases(name)),
        )

    def manifest(self, name: str, version: str) -> bytes:
        """Read a version's manifest, as the store has it. Raises: ModelNotFound, VersionNotFound, IntegrityError."""
        check_name(name)
        return self._registry.manifest_document(name, parse_version(version))

    def aliases(self, name: str) -> list[Alias]:
        """List a model's aliases, by name. Raises: ModelNotFound, IntegrityError."""
        check_name(name)
        return self._registry.aliases(name)

    def alias(self, name: str, alias: str) -> Alias:
        """Read an alias. Raises: ModelNotFound, AliasNotFound, IntegrityError."""
        check_name(name)
        check_alias(alias)
        return self._registry.alias(name, alias)

    def history(self, name: str) -> list[AliasChange]:
        """List every change of a model's aliases, oldest first. Raises: ModelNotFound, IntegrityError."""
        check_name(name)
        return self._registry.history(name)

    def move_alias(
        self, name: str, alias: str, version: int, *, expected: Expectation, by: str, reason: str = ""
    ) -> Alias:
        """Point an alias at a version, if it still is as the caller expects. `by` is who asks.

        Raises: AliasMoved when it is not: nothing was changed; ModelNotFound, VersionNotFound, IntegrityError.
        """
        check_name(name)
        check_alias(alias)
        match expected:
            case At(etag):
                return self._registry.move_alias(name, alias, version, by=by, reason=reason, expected_etag=etag)
            case Absent():
                return self._registry.move_alias(name, alias, version, by=by, reason=reason, expected_version=0)
            case _:
                assert_never(expected)
