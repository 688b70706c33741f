"""Going back: to what was there before, once more, after others moved, and when others move at the same time."""

from __future__ import annotations

import pytest

from model_store import keys
from model_store.memory import MemoryObjects
from model_store.operations.rollback import roll_back
from model_store.registry import Registry
from tests.build.manifests import manifest, store_version
from tests.build.stores import Watched
from tests.build.ticking import Ticking
from warmstart.errors import AliasMoved, AliasNotFound, ModelNotFound, VersionNotFound


@pytest.fixture
def objects() -> MemoryObjects:
    """Four versions of iris, no alias."""
    store = MemoryObjects()
    for version in (1, 2, 3, 4):
        store_version(store, manifest(version=version))
    return store


@pytest.fixture
def registry(objects: MemoryObjects) -> Registry:
    ticking = Ticking()
    return Registry(objects, clock=ticking.clock, new_id=ticking.new_id)


def move(registry: Registry, *versions: int) -> None:
    for version in versions:
        registry.move_alias("iris", "live", version, by="ann", reason="published")


def test_an_alias_goes_back_to_where_it_was_and_the_history_says_so(registry: Registry) -> None:
    move(registry, 1, 2)

    change = roll_back(registry, "iris", by="bob", reason="wrong labels").change

    assert (change.version, change.previous_version, change.changed_by) == (1, 2, "bob")
    assert change.reason == "rollback: wrong labels"
    assert registry.history("iris")[-1] == change


@pytest.mark.parametrize(
    ("moves", "back_to"),
    [
        ([1, 2, 3], [2, 1]),
        ([1, 3, 2], [3, 1]),
        ([1, 2, 3, 2], [3, 2, 1]),
        ([4, 1, 4], [1, 4]),
    ],
)
def test_once_more_goes_back_one_more_and_never_forth(registry: Registry, moves: list[int], back_to: list[int]) -> None:
    move(registry, *moves)

    assert [roll_back(registry, "iris", by="bob").version for _ in back_to] == back_to
    with pytest.raises(VersionNotFound, match="expected an earlier version to go back to"):
        roll_back(registry, "iris", by="bob")


def test_after_a_new_version_a_rollback_goes_to_what_served_before_it(registry: Registry) -> None:
    move(registry, 1, 2, 3)
    roll_back(registry, "iris", by="bob")
    move(registry, 4)

    assert roll_back(registry, "iris", by="bob").version == 2


def test_a_version_that_was_pruned_is_passed_over(registry: Registry, objects: MemoryObjects) -> None:
    move(registry, 1, 2, 3)
    objects.delete(keys.manifest("iris", 2))

    assert roll_back(registry, "iris", by="bob").version == 1


def test_another_alias_goes_its_own_way(registry: Registry) -> None:
    move(registry, 1, 2)
    for version in (3, 4):
        registry.move_alias("iris", "canary", version, by="ann")

    assert roll_back(registry, "iris", alias="canary", by="bob").version == 3
    assert registry.alias("iris", "live").version == 2


def test_an_alias_that_was_never_elsewhere_stays(registry: Registry) -> None:
    move(registry, 3)

    with pytest.raises(VersionNotFound, match=r"since it came to 3: name one: `warmstart alias iris live VERSION`"):
        roll_back(registry, "iris", by="bob")
    assert registry.alias("iris", "live").version == 3


def test_what_is_not_there_is_not_rolled_back(registry: Registry) -> None:
    with pytest.raises(ModelNotFound):
        roll_back(registry, "wine", by="bob")
    with pytest.raises(AliasNotFound):
        roll_back(registry, "iris", alias="canary", by="bob")


def test_a_rollback_that_is_overtaken_changes_nothing(objects: MemoryObjects, registry: Registry) -> None:
    move(registry, 1, 2)

    def overtake(operation: str, key: str) -> None:
        if (operation, key) == ("put", keys.alias("iris", "live")):
            move(registry, 3)

    late = Registry(Watched(objects, before=overtake), clock=lambda: 1769870000.0, new_id=lambda: "late")
    with pytest.raises(AliasMoved):
        roll_back(late, "iris", by="bob")
    assert registry.alias("iris", "live").version == 3
