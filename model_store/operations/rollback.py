"""Move an alias back to the version that it was at before."""

from __future__ import annotations

from typing import Final

from model_store.history import AliasChange
from model_store.registry import Alias, Registry
from warmstart.errors import VersionNotFound
from warmstart.refs import LIVE, check_alias, check_name

ROLLBACK: Final = "rollback"
"""What the reason of a rollback starts with: by this the next one knows that it was none of a new version."""


def roll_back(registry: Registry, name: str, *, alias: str = LIVE, by: str, reason: str = "") -> Alias:
    """Move an alias back to where it was before it was moved to its version; the history says that it was a rollback.

    A second rollback goes back one version more, and never forth to what was rolled back from. Versions that were
    pruned are passed over.
    Raises: VersionNotFound if there is nothing to go back to; AliasMoved if somebody else moves it at the same time:
    nothing was changed; InvalidReference, ModelNotFound, AliasNotFound, StoreError.
    """
    check_name(name)
    check_alias(alias)
    seen = registry.alias(name, alias)
    there = set(registry.versions(name))
    changes = [change for change in registry.history(name) if change.alias == alias]
    earlier = [version for version in way_to(changes)[:-1] if version in there and version != seen.version]
    if not earlier:
        raise VersionNotFound(
            f"{name}@{alias}: expected an earlier version to go back to, got none since it came to {seen.version}: "
            f"name one: `warmstart alias {name} {alias} VERSION`"
        )
    said = f"{ROLLBACK}: {reason}" if reason else ROLLBACK
    return registry.move_alias(name, alias, earlier[-1], by=by, reason=said, expected_etag=seen.etag)


def way_to(changes: list[AliasChange]) -> list[int]:
    """Give the versions that lead to where an alias is, oldest first: a move goes one on, a rollback takes moves back.

    `changes` are those of one alias, oldest first.
    """
    way: list[int] = []
    for change in changes:
        if change.reason.startswith(ROLLBACK) and change.version in way:
            while way[-1] != change.version:
                way.pop()
        else:
            way.append(change.version)
    return way
