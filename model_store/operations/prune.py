"""Remove versions that nobody uses: planned as a value, then applied."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from model_store import keys
from model_store.history import utc
from model_store.objects import ObjectStore
from model_store.operations.verify import all_files
from model_store.registry import Registry
from model_store.side_by_side import side_by_side
from warmstart.errors import IntegrityError, InvalidSetting, ModelNotFound, ObjectNotFound, PreconditionFailed

RECENT_S: Final = 86_400.0
"""What was published, or what an alias pointed at, within this time is kept: somebody may still roll back to it."""
CLOCKS_S: Final = 600.0
"""How far the clocks of those who move aliases may differ from ours."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A version that stays, and why."""

    name: str
    version: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class RemoveVersion:
    """Remove a version's manifest, and then all of it but its claim, so that its number is never used again."""

    name: str
    version: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class RemoveUnfinished:
    """Remove what a publisher who died more than a day ago left of a version without a manifest."""

    name: str
    version: int
    keys: tuple[str, ...]
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class RemoveUpload:
    """Remove a file that was on its way more than a day ago."""

    key: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class PrunePlan:
    """What is going to be removed, and what is kept although it is older than the newest `keep`."""

    keep: int
    versions: tuple[RemoveVersion, ...]
    kept: tuple[Kept, ...]
    unfinished: tuple[RemoveUnfinished, ...] = ()
    uploads: tuple[RemoveUpload, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Bytes of all that goes."""
        return sum(sum(step.size_bytes for step in steps) for steps in (self.versions, self.unfinished, self.uploads))


def plan_prune(
    objects: ObjectStore, registry: Registry, *, keep: int, now: float, name: str | None = None
) -> PrunePlan:
    """Look at one model, or at all, and plan to keep the newest `keep` versions of each; nothing is changed.

    Kept as well: what an alias or a rollout points at, what an alias pointed at in the last 24 h, and what was
    published then. `now` is in seconds since the epoch.
    Raises: InvalidSetting, ModelNotFound; IntegrityError if routes, an alias or a history cannot be read; StoreError.
    """
    if keep < 1:
        raise InvalidSetting(f"keep: expected 1 or more versions, got {keep}", name="keep")
    removed, kept, unfinished = list[RemoveVersion](), list[Kept](), list[RemoveUnfinished]()
    for model in [name] if name else objects.folders(keys.MODELS):
        numbers = registry.versions(model) if name else _versions(registry, model)
        reasons = _reasons(objects, registry, model, now) if numbers else {}
        for manifest in side_by_side(partial(registry.manifest, model), numbers[:-keep]):
            number = manifest.version
            reason = reasons.get(number) or _recent(manifest.created_at, now)
            if reason:
                kept.append(Kept(name=model, version=number, reason=reason))
            else:
                size = sum(file.size_bytes for file in all_files(manifest))
                removed.append(RemoveVersion(name=model, version=number, size_bytes=size))
        unfinished += _unfinished(objects, model, set(numbers), now)
    uploads = () if name else tuple(_uploads(objects, now))
    return PrunePlan(
        keep=keep, versions=tuple(removed), kept=tuple(kept), unfinished=tuple(unfinished), uploads=uploads
    )


def prune(
    plan: PrunePlan,
    objects: ObjectStore,
    registry: Registry,
    *,
    now: float,
    on_step: Callable[[RemoveVersion | RemoveUnfinished | RemoveUpload], None] = lambda _: None,
) -> tuple[Kept, ...]:
    """Carry a plan out; return versions that it had to leave, as somebody began to use them meanwhile.

    A version's manifest goes first: readers see it whole or not at all. Killed anywhere, the rest goes with the next
    pruning after a day. Raises: IntegrityError, StoreError.
    """
    left = []
    for step in plan.versions:
        on_step(step)
        if (reason := _remove(objects, registry, step, now)) is not None:
            left.append(Kept(name=step.name, version=step.version, reason=reason))
    for unfinished in plan.unfinished:
        on_step(unfinished)
        for key in unfinished.keys:
            objects.delete(key)
    for upload in plan.uploads:
        on_step(upload)
        objects.delete(upload.key)
    return tuple(left)


def _remove(objects: ObjectStore, registry: Registry, step: RemoveVersion, now: float) -> str | None:
    """Remove a version; put its manifest back and say why if somebody points at it by then.

    Who moves an alias looks for the manifest again afterwards: one of the two sees the other.
    """
    name, version = step.name, step.version
    if reason := _pointed(objects, registry, name).get(version):
        return reason
    claim = json.dumps({"claimed_at": utc(now), "claimed_by": "prune"}, indent=2).encode()
    with suppress(PreconditionFailed):  # it is there for every version that was published by us
        objects.put(keys.claim(name, version), claim, if_absent=True)
    try:
        manifest = objects.get(keys.manifest(name, version)).body
    except ObjectNotFound:
        return None
    objects.delete(keys.manifest(name, version))
    if reason := _pointed(objects, registry, name).get(version):
        objects.put(keys.manifest(name, version), manifest)
        return reason
    for key in list(objects.keys(keys.version(name, version))):
        if key != keys.claim(name, version):
            objects.delete(key)
    objects.delete(keys.tags_of(name, version))
    return None


def _reasons(objects: ObjectStore, registry: Registry, name: str, now: float) -> dict[int, str]:
    """Say of each version that may not go why not."""
    reasons: dict[int, str] = {}
    for change in registry.history(name, since=now - RECENT_S - CLOCKS_S):
        if _recent(change.changed_at, now):
            for version in (change.version, change.previous_version):
                if version is not None:
                    reasons[version] = f"{change.alias} pointed at it in the last 24 h"
    return reasons | _pointed(objects, registry, name)


def _pointed(objects: ObjectStore, registry: Registry, name: str) -> dict[int, str]:
    """Say of each version that is in use now by what."""
    reasons = dict.fromkeys(_routed(objects, name), "a rollout points at it")
    return reasons | {alias.version: f"{alias.name} points at it" for alias in registry.aliases(name)}


def _routed(objects: ObjectStore, name: str) -> set[int]:
    """Find every version that a model's routes name, wherever in the document."""
    key = keys.traffic(name)
    try:
        document = json.loads(objects.get(key).body)
    except ObjectNotFound:
        return set()
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{key}: not routes: {error}; repair or delete it before versions are removed") from error
    return set(_numbers(document))


def _numbers(document: Any) -> Iterator[int]:
    match document:
        case bool():
            return
        case int():
            yield document
        case str() if document.isdecimal():
            yield int(document)
        case dict():
            for field, value in document.items():
                yield from _numbers(field)
                yield from _numbers(value)
        case list():
            for value in document:
                yield from _numbers(value)


def _versions(registry: Registry, name: str) -> list[int]:
    try:
        return registry.versions(name)
    except ModelNotFound:
        return []


def _unfinished(objects: ObjectStore, name: str, complete: set[int], now: float) -> Iterator[RemoveUnfinished]:
    prefix = keys.versions(name)
    left: dict[int, list[str]] = {}
    for key in objects.keys(prefix):
        number = key.removeprefix(prefix).partition("/")[0]
        if number.isdecimal() and int(number) not in complete:
            left.setdefault(int(number), []).append(key)
    for version, found in left.items():
        rest = tuple(key for key in found if key != keys.claim(name, version))
        known = [objects.stat(key) for key in (found if rest else ())]
        if rest and all(now - info.modified_at > RECENT_S for info in known):
            yield RemoveUnfinished(
                name=name, version=version, keys=rest, size_bytes=sum(info.size_bytes for info in known)
            )


def _uploads(objects: ObjectStore, now: float) -> Iterator[RemoveUpload]:
    for key in objects.keys(keys.UPLOADS):
        try:
            size, modified_at = objects.stat(key)
        except ObjectNotFound:
            continue
        if now - modified_at > RECENT_S:
            yield RemoveUpload(key=key, size_bytes=size)


def _recent(when: str, now: float) -> str:
    """Say that a time (ISO 8601) is less than a day ago, empty if it is not; an unreadable one is taken for recent."""
    try:
        seconds = datetime.fromisoformat(when).timestamp()
    except ValueError:
        return "its time cannot be read"
    return "published in the last 24 h" if now - seconds < RECENT_S else ""
