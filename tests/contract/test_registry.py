"""The registry over every object store."""

from __future__ import annotations

import json

import pytest

from model_store import keys
from model_store.manifest import Manifest, render_manifest
from model_store.objects import ObjectStore
from model_store.registry import Registry
from model_store.registry_reader import RegistryReader
from tests.build.manifests import manifest, store_alias, store_version
from tests.build.stores import Pair
from tests.build.ticking import Ticking
from warmstart.errors import (
    AliasMoved,
    AliasNotFound,
    IntegrityError,
    InvalidManifest,
    InvalidReference,
    ModelNotFound,
    VersionNotFound,
)
from warmstart.refs import ModelRef


def registry(objects: ObjectStore) -> Registry:
    ticking = Ticking()
    return Registry(objects, clock=ticking.clock, new_id=ticking.new_id)


def publish(objects: ObjectStore, *versions: Manifest, live: int = 1) -> None:
    for described in versions:
        store_version(objects, described)
    store_alias(objects, versions[0].name, live)


def test_a_bare_name_resolves_to_live(pair: Pair) -> None:
    publish(pair.store, manifest(version=1), manifest(version=2), live=2)

    assert RegistryReader(pair.reader).resolve(ModelRef.parse("iris")) == manifest(version=2)


def test_a_version_resolves_to_itself(pair: Pair) -> None:
    publish(pair.store, manifest(version=1), manifest(version=2), live=2)

    assert RegistryReader(pair.reader).resolve(ModelRef.parse("iris:1")) == manifest(version=1)


def test_an_alias_resolves_to_its_version(pair: Pair) -> None:
    publish(pair.store, manifest(version=1), manifest(version=2), live=2)
    store_alias(pair.store, "iris", 1, alias="canary")

    assert RegistryReader(pair.reader).resolve(ModelRef.parse("iris@canary")) == manifest(version=1)


@pytest.mark.parametrize("ref", ["iris", "iris:1", "iris@canary"])
def test_an_unknown_model_is_said_to_be_unknown(pair: Pair, ref: str) -> None:
    with pytest.raises(ModelNotFound, match="'iris'"):
        RegistryReader(pair.reader).resolve(ModelRef.parse(ref))


def test_an_unknown_version_is_said_to_be_unknown(pair: Pair) -> None:
    publish(pair.store, manifest())

    with pytest.raises(VersionNotFound, match=r"'iris'.* got 2"):
        RegistryReader(pair.reader).resolve(ModelRef.parse("iris:2"))


def test_an_unknown_alias_is_said_to_be_unknown(pair: Pair) -> None:
    publish(pair.store, manifest())

    with pytest.raises(AliasNotFound, match=r"'iris'.* got 'canary'"):
        RegistryReader(pair.reader).resolve(ModelRef.parse("iris@canary"))


def test_the_versions_of_a_model_are_those_with_a_manifest(pair: Pair) -> None:
    publish(pair.store, manifest(version=1), manifest(version=2), manifest(version=10), manifest("iris-2", 3))
    pair.store.put(keys.claim("iris", 11), b"{}")

    assert RegistryReader(pair.reader).versions("iris") == [1, 2, 10]
    assert RegistryReader(pair.reader).versions("none") == []


def test_an_alias_that_did_not_move_is_not_read_again(pair: Pair) -> None:
    publish(pair.store, manifest())
    reader = RegistryReader(pair.reader)

    assert reader.alias_if_moved("iris", "live", reader.alias_state("iris", "live")) is None


def test_an_alias_that_moved_is_seen(pair: Pair) -> None:
    publish(pair.store, manifest(version=1), manifest(version=2))
    reader = RegistryReader(pair.reader)
    seen = reader.alias_state("iris", "live")
    etag = store_alias(pair.store, "iris", 2)

    assert reader.alias_if_moved("iris", "live", seen) == (2, etag)


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"version": 0}', b'{"version": "2"}', b'{"version": true}'])
def test_an_alias_that_names_no_version_is_refused(pair: Pair, document: bytes) -> None:
    pair.store.put(keys.alias("iris", "live"), document)

    with pytest.raises(IntegrityError, match=r"models/iris/aliases/live\.json"):
        RegistryReader(pair.reader).resolve(ModelRef.parse("iris"))


def test_a_manifest_is_given_as_it_is_stored(pair: Pair) -> None:
    document = json.loads(render_manifest(manifest()))
    document["inputs"][0]["unit"] = "cm"
    document["files"][0]["compression"] = "none"
    body = json.dumps(document).encode()
    pair.store.put(keys.manifest("iris", 1), body)

    assert RegistryReader(pair.reader).manifest_document("iris", 1) == body


def test_a_manifest_is_checked_before_it_is_given(pair: Pair) -> None:
    pair.store.put(keys.manifest("iris", 1), b"{}")

    with pytest.raises(InvalidManifest):
        RegistryReader(pair.reader).manifest_document("iris", 1)


def test_a_manifest_that_is_no_manifest_is_refused(pair: Pair) -> None:
    pair.store.put(keys.manifest("iris", 1), b"{")

    with pytest.raises(InvalidManifest, match=r"models/iris/versions/1/manifest\.json"):
        RegistryReader(pair.reader).resolve(ModelRef.parse("iris:1"))


def test_a_manifest_of_another_version_is_refused(pair: Pair) -> None:
    store_version(pair.store, manifest(version=1))
    pair.store.put(keys.manifest("iris", 2), pair.store.get(keys.manifest("iris", 1)).body)

    with pytest.raises(IntegrityError, match="is the manifest of iris:1"):
        RegistryReader(pair.reader).resolve(ModelRef.parse("iris:2"))


def test_models_are_those_with_a_complete_version(store: ObjectStore) -> None:
    publish(store, manifest("wine"))
    publish(store, manifest("iris"))
    store.put(keys.claim("claimed", 1), b"{}")
    store.put(keys.artifact("claimed", 1, "model.onnx"), b"half")

    assert registry(store).models() == ["iris", "wine"]


def test_versions_are_the_complete_ones_in_order(store: ObjectStore) -> None:
    publish(store, *(manifest(version=version) for version in (1, 2, 10)))
    store.put(keys.claim("iris", 11), b"{}")
    store.put(keys.artifact("iris", 12, "nested/manifest.json"), b"not a manifest")

    assert registry(store).versions("iris") == [1, 2, 10]


def test_versions_of_an_unknown_model_are_not_an_empty_list(store: ObjectStore) -> None:
    with pytest.raises(ModelNotFound, match="'iris'"):
        registry(store).versions("iris")


def test_an_alias_is_created(store: ObjectStore) -> None:
    store_version(store, manifest())

    moved = registry(store).move_alias("iris", "live", 1, by="ann")

    assert registry(store).alias("iris", "live") == moved
    assert moved.change == (
        "20260131T120000.000000Z-id1",
        "live",
        1,
        None,
        "2026-01-31T12:00:00.000Z",
        "ann",
        "",
    )


def test_an_alias_is_moved_and_each_change_is_kept(store: ObjectStore) -> None:
    publish(store, manifest(version=1), manifest(version=2))
    opened = registry(store)

    opened.move_alias("iris", "canary", 1, by="ann")
    opened.move_alias("iris", "canary", 2, by="bob", reason="better")

    changes = [change for change in opened.history("iris") if change.alias == "canary"]
    assert [(c.previous_version, c.version, c.changed_by, c.reason) for c in changes] == [
        (None, 1, "ann", ""),
        (1, 2, "bob", "better"),
    ]


def test_an_alias_is_not_moved_to_a_version_that_is_not_there(store: ObjectStore) -> None:
    publish(store, manifest())

    with pytest.raises(VersionNotFound):
        registry(store).move_alias("iris", "live", 2, by="ann")
    assert registry(store).alias("iris", "live").version == 1


def test_an_alias_already_there_is_not_written(store: ObjectStore) -> None:
    publish(store, manifest())
    before = registry(store).alias("iris", "live")

    assert registry(store).move_alias("iris", "live", 1, by="ann") == before


@pytest.mark.parametrize("name", ["Live", "", "a/b", "../x", "1"])
def test_an_ill_formed_alias_is_refused(store: ObjectStore, name: str) -> None:
    publish(store, manifest())

    with pytest.raises(InvalidReference, match="alias"):
        registry(store).move_alias("iris", name, 1, by="ann")


def test_aliases_are_listed(store: ObjectStore) -> None:
    publish(store, manifest(version=1), manifest(version=2))
    registry(store).move_alias("iris", "canary", 2, by="ann")

    assert [(alias.name, alias.version) for alias in registry(store).aliases("iris")] == [("canary", 2), ("live", 1)]


def test_aliases_of_an_unknown_model_are_not_an_empty_list(store: ObjectStore) -> None:
    with pytest.raises(ModelNotFound):
        registry(store).aliases("iris")


def test_an_alias_that_another_moved_since_it_was_seen_stays(store: ObjectStore) -> None:
    publish(store, manifest(version=1), manifest(version=2), manifest(version=3))
    opened = registry(store)
    seen = opened.alias("iris", "live")
    opened.move_alias("iris", "live", 2, by="bob")
    history = opened.history("iris")

    with pytest.raises(AliasMoved, match="found version 2; nothing was changed"):
        opened.move_alias("iris", "live", 3, by="ann", expected_etag=seen.etag)
    assert opened.alias("iris", "live").version == 2
    assert opened.history("iris") == history


@pytest.mark.parametrize(("expected", "found"), [(0, "nothing"), (2, "version 2")])
def test_an_alias_at_another_version_than_expected_stays(store: ObjectStore, expected: int, found: str) -> None:
    publish(store, manifest(version=1), manifest(version=2))

    with pytest.raises(AliasMoved, match=f"expected {found}, found version 1; nothing was changed"):
        registry(store).move_alias("iris", "live", 2, by="ann", expected_version=expected)
    assert registry(store).alias("iris", "live").version == 1


def test_an_alias_at_the_expected_version_is_moved(store: ObjectStore) -> None:
    publish(store, manifest(version=1), manifest(version=2))

    registry(store).move_alias("iris", "live", 2, by="ann", expected_version=1)

    assert registry(store).alias("iris", "live").version == 2


def test_an_alias_expected_not_to_be_is_created(store: ObjectStore) -> None:
    publish(store, manifest())

    assert registry(store).move_alias("iris", "canary", 1, by="ann", expected_version=0).version == 1
