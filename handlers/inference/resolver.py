"""References to manifests, kept warm: aliases are asked for again after a while, versions never change."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from warmstart.errors import IntegrityError, NotFound, StoreError
from warmstart.refs import LIVE

if TYPE_CHECKING:
    from model_store.manifest import Manifest
    from model_store.registry_reader import AliasState
    from warmstart.refs import ModelRef

BACK_OFF_S: Final = 5.0
"""How long an unreachable store is left alone: a re-check that waits in vain takes a second (`RECHECK_TIMEOUT_S`)."""
MANIFESTS_KEPT: Final = 1000


class Registry(Protocol):
    """What is asked of the registry; `model_store.registry_reader.RegistryReader` is one."""

    def alias_state(self, name: str, alias: str) -> AliasState:
        """Read where an alias points."""
        ...

    def alias_if_moved(self, name: str, alias: str, seen: AliasState) -> AliasState | None:
        """Read where an alias points unless it is still the one seen, then None."""
        ...

    def manifest(self, name: str, version: int) -> Manifest:
        """Read a version's manifest."""
        ...


class _Alias:
    """What is known of an alias. `previous` is what it stood for until its last move was seen."""

    __slots__ = ("check_at", "is_failing", "manifest", "previous", "state")

    def __init__(self, state: AliasState, manifest: Manifest, check_at: float) -> None:
        self.state, self.manifest, self.check_at = state, manifest, check_at
        self.previous: tuple[AliasState, Manifest] | None = None
        self.is_failing = False


class Resolver:
    """Finds the manifest that a reference means.

    An alias is asked for again after `alias_ttl_s`, by one conditional request. While the store cannot answer,
    the last known version serves on, the store is asked again after `BACK_OFF_S`, and `warn` is called once.
    `clock` gives seconds since the epoch: wall time goes on while Lambda has the environment frozen, and monotonic
    time need not, which would leave an alias fresh for hours. `baked` returns the manifest of a version in a layer,
    or None. `choose` returns a manifest with the files that this machine is to open: all else goes by its answer.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        baked: Callable[[str, int], Manifest | None],
        choose: Callable[[Manifest], Manifest],
        alias_ttl_s: float,
        clock: Callable[[], float],
        warn: Callable[[str], None],
    ) -> None:
        self._registry, self._baked, self._clock, self._warn = registry, baked, clock, warn
        self._choose, self._alias_ttl_s = choose, alias_ttl_s
        self._latest_s = max(alias_ttl_s, BACK_OFF_S)
        self._aliases: dict[ModelRef, _Alias] = {}
        self._manifests: dict[tuple[str, int], Manifest] = {}
        self._lock = Lock()

    def resolve(self, ref: ModelRef) -> Manifest:
        """Find a reference's manifest.

        Raises: ModelNotFound, AliasNotFound, VersionNotFound, IntegrityError; StoreError if nothing is known yet.
        """
        alias = self._aliases.get(ref)  # first: most name one
        if alias is not None and 0 < alias.check_at - self._clock() <= self._latest_s:  # `_is_fresh`, without a call
            return alias.manifest
        if ref.version is not None:
            return self._manifest(ref.name, ref.version)
        with self._lock:
            alias = self._aliases.get(ref)
            if alias is None:
                alias = self._aliases[ref] = self._first(ref)
            elif not self._is_fresh(alias):
                self._refresh(ref, alias)
            return alias.manifest

    def known(self, ref: ModelRef) -> Manifest | None:
        """Return what `resolve` would return without asking the store; None if it would ask."""
        if ref.version is not None:
            return self._manifests.get((ref.name, ref.version))
        alias = self._aliases.get(ref)
        return alias.manifest if alias is not None and self._is_fresh(alias) else None

    def step_back(self, ref: ModelRef, manifest: Manifest) -> Manifest | None:
        """Return to what an alias stood for before it moved to a version that the store could not deliver.

        None if there is no such version; it is tried again after `BACK_OFF_S`.
        """
        with self._lock:
            alias = self._aliases.get(ref)
            if alias is None or alias.previous is None or alias.manifest is not manifest:
                return None
            alias.state, alias.manifest = alias.previous
            alias.previous = None
            alias.check_at = self._clock() + BACK_OFF_S
            self._note_failure(ref, alias, f"version {manifest.version} could not be fetched")
            return alias.manifest

    def _is_fresh(self, alias: _Alias) -> bool:
        # A clock that was set back would make it fresh for as long: no check is ever due later than this.
        return 0 < alias.check_at - self._clock() <= self._latest_s

    def _first(self, ref: ModelRef) -> _Alias:
        state = self._registry.alias_state(ref.name, ref.alias or LIVE)
        return _Alias(state, self._manifest(ref.name, state.version), self._clock() + self._alias_ttl_s)

    def _refresh(self, ref: ModelRef, alias: _Alias) -> None:
        now = self._clock()
        alias.check_at = now + min(BACK_OFF_S, self._alias_ttl_s)  # other threads serve on meanwhile
        try:
            moved = self._registry.alias_if_moved(ref.name, ref.alias or LIVE, alias.state)
            manifest = alias.manifest if moved is None else self._manifest(ref.name, moved.version)
        except StoreError as error:
            alias.check_at = self._clock() + BACK_OFF_S
            self._note_failure(ref, alias, error.message)
            return
        except NotFound:
            del self._aliases[ref]
            raise
        except IntegrityError:  # what an alias says is served or refused, not guessed: ask again next time
            alias.check_at = now
            raise
        alias.check_at = self._clock() + self._alias_ttl_s
        alias.is_failing = False
        alias.previous = None
        if moved is not None:
            alias.previous = (alias.state, alias.manifest)
            alias.state, alias.manifest = moved, manifest

    def _note_failure(self, ref: ModelRef, alias: _Alias, trouble: str) -> None:
        if not alias.is_failing:
            self._warn(f"alias {ref}: the store did not answer, version {alias.manifest.version} serves on: {trouble}")
        alias.is_failing = True

    def _manifest(self, name: str, version: int) -> Manifest:
        if (found := self._manifests.get((name, version))) is None:
            found = self._choose(self._baked(name, version) or self._registry.manifest(name, version))
            if len(self._manifests) >= MANIFESTS_KEPT:
                self._manifests.clear()
            self._manifests[name, version] = found
        return found
