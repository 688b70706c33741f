"""Moving an alias when others do the same, and when the mover is killed."""

from __future__ import annotations

import itertools
import json

import pytest

from model_store import keys
from model_store.history import AliasChange, parse_change
from model_store.memory import MemoryObjects
from model_store.objects import ObjectStore
from model_store.registry import Registry
from tests.build.manifests import manifest, store_alias, store_version
from tests.build.stores import Watched
from tests.build.ticking import Ticking
from warmstart.errors import AliasMoved, IntegrityError, StoreUnavailable


class Killed(BaseException):
    """The mover's process ends here."""


def opened(objects: ObjectStore, ticking: Ticking | None = None) -> Registry:
    ticking = ticking or Ticking()
    return Registry(objects, clock=ticking.clock, new_id=ticking.new_id)


@pytest.fixture
def objects() -> MemoryObjects:
    """Three versions of iris, of which 1 is live."""
    store = MemoryObjects()
    for version in (1, 2, 3):
        store_version(store, manifest(version=version))
    store_alias(store, "iris", 1)
    return store


def test_a_move_that_is_overtaken_changes_nothing(objects: MemoryObjects) -> None:
    def overtake(operation: str, key: str) -> None:
        if (operation, key) == ("put", keys.alias("iris", "live")):
            opened(objects).move_alias("iris", "live", 2, by="bob")

    with pytest.raises(AliasMoved, match="iris@live: somebody else moved it at the same time; nothing was changed"):
        opened(Watched(objects, before=overtake)).move_alias("iris", "live", 3, by="ann")

    assert opened(objects).alias("iris", "live").change.changed_by == "bob"
    assert [change.version for change in opened(objects).history("iris")] == [1, 2]


def test_two_that_create_an_alias_do_not_overwrite_each_other(objects: MemoryObjects) -> None:
    def overtake(operation: str, key: str) -> None:
        if (operation, key) == ("put", keys.alias("iris", "canary")):
            opened(objects).move_alias("iris", "canary", 2, by="bob")

    with pytest.raises(AliasMoved):
        opened(Watched(objects, before=overtake)).move_alias("iris", "canary", 3, by="ann")
    assert opened(objects).alias("iris", "canary").version == 2


def test_every_change_is_in_the_history_wherever_a_mover_was_killed(objects: MemoryObjects) -> None:
    ticking = Ticking()
    alive = opened(objects, ticking)
    for fatal in itertools.count(1):
        passed = itertools.count(1)

        def die(_operation: str, _key: str, passed: itertools.count[int] = passed, fatal: int = fatal) -> None:
            if next(passed) == fatal:
                raise Killed

        try:
            opened(Watched(objects, before=die), ticking).move_alias("iris", "live", 2, by="bob")
        except Killed:
            alive.move_alias("iris", "live", 3, by="ann")
            alive.move_alias("iris", "live", 1, by="ann")
        else:
            break

    moves = alive.history("iris")
    assert [move.previous_version for move in moves] == [None, *(move.version for move in moves[:-1])]
    assert [move.changed_by for move in moves].count("bob") == 3  # killed between the move and its record, and after it
    assert fatal == 7


def test_a_move_whose_record_the_store_does_not_take_is_made_all_the_same(objects: MemoryObjects) -> None:
    puts = itertools.count(1)

    def fail(operation: str, _key: str) -> None:
        if operation == "put" and next(puts) == 3:  # after the old change's record and the alias itself
            raise StoreUnavailable("no answer")

    moved = opened(Watched(objects, before=fail)).move_alias("iris", "live", 2, by="bob")

    assert opened(objects).alias("iris", "live") == moved
    assert [change.version for change in opened(objects).history("iris")] == [1, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 0},
        {"version": "2"},
        {"previous_version": "1"},
        {"changed_by": None},
        {"changed_at": 1},
        {"id": 5},
        {"reason": ["x"]},
    ],
)
def test_a_change_with_a_field_of_another_type_is_refused(wrong: dict[str, object]) -> None:
    change = AliasChange("id", "live", 2, 1, "2026-01-31T12:00:00.000Z", "ann")
    body = json.dumps(change._asdict() | wrong).encode()

    with pytest.raises(IntegrityError, match="key: not a change of an alias"):
        parse_change(body, where="key")


def test_an_alias_whose_document_is_no_change_is_refused_by_key(objects: MemoryObjects) -> None:
    objects.put(keys.alias("iris", "live"), b'{"version": 2}')

    with pytest.raises(IntegrityError, match=r"models/iris/aliases/live\.json: not a change"):
        opened(objects).alias("iris", "live")
