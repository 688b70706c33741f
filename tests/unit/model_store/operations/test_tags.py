"""Tags beside a version: set, removed, and changed by two at once."""

from __future__ import annotations

import pytest

from model_store import keys
from model_store.memory import MemoryObjects
from model_store.operations.tags import change_tags, read_tags
from tests.build.manifests import manifest, store_alias, store_version
from tests.build.stores import Watched
from warmstart.errors import IntegrityError, InvalidReference, PreconditionFailed, VersionNotFound


@pytest.fixture
def objects() -> MemoryObjects:
    store = MemoryObjects()
    store_version(store, manifest())
    store_alias(store, "iris", 1)
    return store


def test_a_version_without_tags_has_none(objects: MemoryObjects) -> None:
    assert read_tags(objects, "iris", 1) == ({}, None)


def test_tags_are_set_changed_and_removed(objects: MemoryObjects) -> None:
    change_tags(objects, "iris", 1, put={"owner": "ann", "approved": "no"})
    change_tags(objects, "iris", 1, put={"approved": "yes"}, remove=["owner", "unknown"])

    assert read_tags(objects, "iris", 1).values == {"approved": "yes"}


def test_nothing_is_written_where_nothing_changes(objects: MemoryObjects) -> None:
    change_tags(objects, "iris", 1, put={"owner": "ann"})
    written: list[str] = []
    watched = Watched(objects, before=lambda operation, _key: written.append(operation) if operation == "put" else None)

    assert change_tags(watched, "iris", 1, put={"owner": "ann"}) == {"owner": "ann"}
    assert written == []


@pytest.mark.parametrize("before", [{}, {"owner": "ann"}])
def test_what_somebody_else_sets_at_the_same_time_stays(objects: MemoryObjects, before: dict[str, str]) -> None:
    change_tags(objects, "iris", 1, put=before)
    others = iter([{"theirs": "1"}])

    def overtake(operation: str, _key: str) -> None:
        if operation == "put" and (theirs := next(others, None)):
            change_tags(objects, "iris", 1, put=theirs)

    change_tags(Watched(objects, before=overtake), "iris", 1, put={"ours": "2"})

    assert read_tags(objects, "iris", 1).values == {**before, "theirs": "1", "ours": "2"}


def test_who_is_overtaken_each_time_gives_up(objects: MemoryObjects) -> None:
    counted = iter(range(100))

    def overtake(operation: str, _key: str) -> None:
        if operation == "put":
            change_tags(objects, "iris", 1, put={"theirs": str(next(counted))})

    with pytest.raises(PreconditionFailed, match="others changed its tags 20 times in a row"):
        change_tags(Watched(objects, before=overtake), "iris", 1, put={"ours": "2"})


@pytest.mark.parametrize("key", ["", "-a", "a b", "a=b", "x" * 64, "é"])
def test_an_ill_formed_key_is_refused(objects: MemoryObjects, key: str) -> None:
    with pytest.raises(InvalidReference, match="tag: expected 1 to 63"):
        change_tags(objects, "iris", 1, put={key: "1"})


@pytest.mark.parametrize("value", ["x" * 257, "two\nlines"])
def test_an_ill_formed_value_is_refused(objects: MemoryObjects, value: str) -> None:
    with pytest.raises(InvalidReference, match="tag owner: expected up to 256 printable characters"):
        change_tags(objects, "iris", 1, put={"owner": value})


def test_a_version_that_is_not_there_has_no_tags_set(objects: MemoryObjects) -> None:
    with pytest.raises(VersionNotFound):
        change_tags(objects, "iris", 2, put={"owner": "ann"})


@pytest.mark.parametrize("document", [b"", b"[]", b'{"a": 1}'])
def test_tags_that_cannot_be_read_are_said_by_key(objects: MemoryObjects, document: bytes) -> None:
    objects.put(keys.tags_of("iris", 1), document)

    with pytest.raises(IntegrityError, match=r"models/iris/tags/1\.json: not tags: .*; delete it, then set them again"):
        read_tags(objects, "iris", 1)
