"""The registry's wide half: what the control plane, the command line and the publisher may do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from model_store import keys
from model_store.history import AliasChange, change_id, parse_change, render_change, utc
from model_store.objects import ObjectStore
from model_store.registry_reader import RegistryReader
from model_store.side_by_side import side_by_side
from warmstart.errors import (
    AliasMoved,
    AliasNotFound,
    ModelNotFound,
    ObjectNotFound,
    PreconditionFailed,
    StoreUnavailable,
    VersionNotFound,
)
from warmstart.refs import check_alias, check_name


class Alias(NamedTuple):
    """Where an alias points, how it came there, and the entity tag that the next move has to name."""

    change: AliasChange
    etag: str

    @property
    def name(self) -> str:
        """The alias's own name (`live`)."""
        return self.change.alias

    @property
    def version(self) -> int:
        """The version it points at."""
        return self.change.version


class Registry(RegistryReader):
    """Reads all, and moves aliases. `clock` gives seconds since the epoch, `new_id` a string unique to a change."""

    def __init__(self, objects: ObjectStore, *, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        super().__init__(objects)
        self._objects, self._clock, self._new_id = objects, clock, new_id

    def models(self) -> list[str]:
        """List the names of all models that have at least one version."""
        return [name for name in self._objects.folders(keys.MODELS) if self._numbers(name)]

    def versions(self, name: str) -> list[int]:
        """List a model's versions, oldest first. Raises: ModelNotFound."""
        numbers = self._numbers(name)
        if not numbers:
            raise ModelNotFound(f"model {name!r}: nothing of this name has been published")
        return numbers

    def aliases(self, name: str) -> list[Alias]:
        """List a model's aliases, by name. Raises: ModelNotFound."""
        prefix = keys.aliases(name)
        names = [key.removeprefix(prefix).removesuffix(".json") for key in self._objects.keys(prefix)]
        if not names:
            self.versions(name)
        return [self.alias(name, alias) for alias in names]

    def alias(self, name: str, alias: str) -> Alias:
        """Read an alias. Raises: ModelNotFound, AliasNotFound, IntegrityError."""
        if (found := self._find_alias(name, alias)) is None:
            self.versions(name)
            raise AliasNotFound(f"model {name!r}: expected one of its aliases, got {alias!r}")
        return found

    def history(self, name: str, *, limit: int | None = None, since: float = 0.0) -> list[AliasChange]:
        """List every change of a model's aliases, oldest first; with `limit` the last so many.

        `since`, in seconds since the epoch, leaves out older ones. Raises: ModelNotFound, IntegrityError.
        """
        first = keys.history(name, change_id(since, ""))  # ids sort by time
        recorded = [key for key in self._objects.keys(keys.history_of(name)) if since == 0.0 or key >= first]
        wanted = recorded if limit is None else recorded[-limit:]
        changes = {change.id: change for change in side_by_side(self._read_change, wanted)}
        # A mover that was killed after the move and before the record left the change in the alias alone.
        changes |= {alias.change.id: alias.change for alias in self.aliases(name)}
        listed = [changes[id_] for id_ in sorted(changes)]
        return listed if limit is None else listed[-limit:]

    def move_alias(
        self,
        name: str,
        alias: str,
        version: int,
        *,
        by: str,
        reason: str = "",
        expected_etag: str | None = None,
        expected_version: int | None = None,
    ) -> Alias:
        """Point an alias at a version, creating it if need be; already there, nothing is written.

        `by` says who asks. With `expected_etag` or `expected_version` (0 = no such alias yet) the alias is moved
        only from there; with neither, from where it is read to be.
        Raises: AliasMoved if it is elsewhere, or somebody else moves it at the same time: nothing was changed;
        InvalidReference, ModelNotFound, VersionNotFound, StoreError.
        """
        check_name(name)
        check_alias(alias)
        self.manifest(name, version)
        seen = self._find_alias(name, alias)
        _check_expected(name, alias, seen, expected_etag, expected_version)
        if seen is not None and seen.version == version:
            return seen
        moved = self._move(name, alias, version, seen, by=by, reason=reason)
        try:
            self.manifest(name, version)
        except (ModelNotFound, VersionNotFound):
            self._take_back(name, moved, seen, by=by)
            raise
        return moved

    def _take_back(self, name: str, moved: Alias, seen: Alias | None, *, by: str) -> None:
        """Undo a move to a version that was pruned at the same moment: pruning removes first, and then looks again."""
        if seen is None:
            self._objects.delete(keys.alias(name, moved.name))
            return
        with suppress(AliasMoved):
            self._move(name, moved.name, seen.version, moved, by=by, reason=f"{moved.version} was pruned meanwhile")

    def _move(self, name: str, alias: str, version: int, seen: Alias | None, *, by: str, reason: str) -> Alias:
        now = self._clock()
        change = AliasChange(
            id=change_id(now, self._new_id()),
            alias=alias,
            version=version,
            previous_version=None if seen is None else seen.version,
            changed_at=utc(now),
            changed_by=by,
            reason=reason,
        )
        if seen is not None:
            self._record(name, seen.change)
        key, body = keys.alias(name, alias), render_change(change)
        try:
            if seen is None:
                etag = self._objects.put(key, body, if_absent=True)
            else:
                etag = self._objects.put(key, body, if_match=seen.etag)
        except PreconditionFailed as error:
            raise AliasMoved(
                f"{name}@{alias}: somebody else moved it at the same time; nothing was changed: look, and try again"
            ) from error
        # The alias is moved and holds the change: `history` shows it, and the next mover records it.
        with suppress(StoreUnavailable):
            self._record(name, change)
        return Alias(change, etag)

    def _record(self, name: str, change: AliasChange) -> None:
        """Write a change into the history, once. The alias holds the latest, so that none is lost between the two."""
        try:
            self._objects.put(keys.history(name, change.id), render_change(change), if_absent=True)
        except PreconditionFailed:
            return

    def _read_change(self, key: str) -> AliasChange:
        return parse_change(self._objects.get(key).body, where=key)

    def _find_alias(self, name: str, alias: str) -> Alias | None:
        key = keys.alias(name, alias)
        try:
            stored = self._objects.get(key)
        except ObjectNotFound:
            return None
        return Alias(parse_change(stored.body, where=key), stored.etag)

    def _numbers(self, name: str) -> list[int]:
        prefix = keys.versions(name)
        rests = (key.removeprefix(prefix).split("/") for key in self._objects.keys(prefix))
        return sorted(int(rest[0]) for rest in rests if rest[1:] == [keys.MANIFEST] and rest[0].isdecimal())


def _check_expected(name: str, alias: str, seen: Alias | None, etag: str | None, version: int | None) -> None:
    found = "nothing" if seen is None else f"version {seen.version}"
    if etag is not None and (seen is None or seen.etag != etag):
        raise AliasMoved(f"{name}@{alias}: expected entity tag {etag}, found {found}; nothing was changed")
    if version is not None and version != (0 if seen is None else seen.version):
        expected = f"version {version}" if version else "nothing"
        raise AliasMoved(f"{name}@{alias}: expected {expected}, found {found}; nothing was changed")
