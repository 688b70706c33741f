"""Copying and verifying versions, from every store to every other kind."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from model_store import keys
from model_store.file import FileObjects
from model_store.gate import Published, apply
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.plan import plan_publish
from model_store.manifest import RunOptions
from model_store.memory import MemoryObjects
from model_store.objects import ObjectStore
from model_store.operations.copy import copy_version
from model_store.operations.verify import verify_version
from model_store.registry import Registry
from model_store.signing.verify import Trust
from tests.build.manifests import IDENTITY, manifest, store_alias, store_version
from tests.build.signing import ed25519, signer
from tests.build.stores import MIB, Watched
from tests.build.ticking import Ticking
from warmstart.errors import (
    ArtifactMismatch,
    ModelNotFound,
    SignatureInvalid,
    Unsigned,
    VersionClaimed,
    VersionNotFound,
)


class Killed(BaseException):
    """The process ends here."""


WEIGHTS = bytes(range(256)) * 8 * 1024  # 2 MiB


def publish(objects: ObjectStore, folder: Path, *, signed: bool = True) -> Published:
    """Publish iris: a graph, weights, a variant, a document, a signature."""
    graph, weights = folder / "graph", folder / "weights"
    graph.write_bytes(b"graph")
    weights.write_bytes(WEIGHTS)
    layout = Layout((("model.onnx", graph), ("weights.bin", weights)), RunOptions())
    candidate = Candidate(
        signature=IDENTITY, layout=layout, variants={"arm64-neon": Layout((("m.onnx", graph),), RunOptions())}
    )
    key = signer()
    key_id = key.public_key.key_id if signed else None
    plan = plan_publish(candidate, "iris", objects, documents={"gate.json": b"{}"}, key_id=key_id)
    ticking = Ticking()
    return apply(plan, objects, by="ann", clock=ticking.clock, new_id=ticking.new_id, signer=key if signed else None)


def copy(source: ObjectStore, target: ObjectStore, *, version: int = 1, trust: Trust | None = None) -> bool:
    return copy_version(source, target, "iris", version, by="bob", clock=lambda: 1769860800.0, trust=trust).was_there


def content(objects: ObjectStore, version: int = 1) -> dict[str, bytes]:
    """All of a version but its claim."""
    place = keys.version("iris", version)
    return {key: objects.get(key).body for key in objects.keys(place) if key != keys.claim("iris", version)}


def trust(number: int = 1) -> Trust:
    return Trust([signer(ed25519(number)).public_key])


def test_a_copy_is_the_same_byte_for_byte(store: ObjectStore, tmp_path: Path) -> None:
    source = MemoryObjects()
    publish(source, tmp_path)

    assert copy(source, store, trust=trust()) is False

    assert content(store) == content(source)
    assert sorted(content(store)) == [
        f"models/iris/versions/1/{path}"
        for path in (
            "arm64-neon/m.onnx",
            "gate.json",
            "manifest.json",
            "model.onnx",
            "signature.json",
            "weights.bin",
        )
    ]
    assert list(store.keys(keys.UPLOADS)) == []
    assert list(store.keys(keys.aliases("iris"))) == []


def test_a_copy_comes_out_of_every_store(store: ObjectStore, tmp_path: Path) -> None:
    target = FileObjects(tmp_path / "target")
    publish(store, tmp_path)

    copy(store, target)

    assert content(target) == content(store)


def test_the_same_copy_again_is_done_already(tmp_path: Path) -> None:
    source, target = MemoryObjects(), MemoryObjects()
    publish(source, tmp_path)
    copy(source, target)
    before = [(key, target.get(key)) for key in target.keys("")]

    assert copy(source, target) is True
    assert [(key, target.get(key)) for key in target.keys("")] == before


def test_a_copy_killed_anywhere_is_invisible_or_whole_and_is_continued(tmp_path: Path) -> None:
    source = MemoryObjects()
    publish(source, tmp_path)
    for fatal in itertools.count(1):
        target, passed = FileObjects(tmp_path / f"target{fatal}"), itertools.count(1)

        def die(_operation: str, _key: str, passed: itertools.count[int] = passed, fatal: int = fatal) -> None:
            if next(passed) == fatal:
                raise Killed

        try:
            copy(source, Watched(target, before=die))
            break
        except Killed:
            if keys.manifest("iris", 1) in list(target.keys("")):
                assert content(target) == content(source)
        copy(source, target)
        assert content(target) == content(source)
    assert fatal == 20


def test_a_number_that_is_another_version_there_is_refused(tmp_path: Path) -> None:
    source, target = MemoryObjects(), MemoryObjects()
    publish(source, tmp_path)
    store_version(target, manifest("iris", 1))
    before = content(target)

    with pytest.raises(
        VersionClaimed, match=r"iris:1: the number is published there with another manifest; a copy keeps"
    ):
        copy(source, target)
    assert content(target) == before


def test_a_number_that_another_publisher_claimed_there_is_refused(tmp_path: Path) -> None:
    source, target = MemoryObjects(), MemoryObjects()
    publish(source, tmp_path)
    target.put(keys.claim("iris", 1), json.dumps({"claimed_by": "cid"}).encode())

    with pytest.raises(VersionClaimed, match="claimed there by another publisher"):
        copy(source, target)
    assert content(target) == {}


@pytest.mark.parametrize("path", ["weights.bin", "gate.json", "arm64-neon/m.onnx"])
def test_what_was_altered_at_the_source_is_not_copied(tmp_path: Path, path: str) -> None:
    source, target = MemoryObjects(), MemoryObjects()
    publish(source, tmp_path)
    flip(source, path)

    with pytest.raises(ArtifactMismatch, match=rf"{path}: expected sha256"):
        copy(source, target)
    assert keys.manifest("iris", 1) not in list(target.keys(""))


def test_what_arrives_altered_is_not_made_visible(tmp_path: Path) -> None:
    source, target = MemoryObjects(), MemoryObjects()
    publish(source, tmp_path)

    def alter(operation: str, key: str) -> None:
        if operation == "download" and key.endswith("weights.bin"):
            flip(target, "weights.bin")

    with pytest.raises(ArtifactMismatch, match=r"what arrived is not what was sent: weights\.bin: expected sha256"):
        copy(source, Watched(target, before=alter))
    assert keys.manifest("iris", 1) not in list(target.keys(""))


def test_an_unsigned_version_is_not_copied_where_a_key_is_given(tmp_path: Path) -> None:
    source, target = MemoryObjects(), MemoryObjects()
    publish(source, tmp_path, signed=False)

    with pytest.raises(Unsigned):
        copy(source, target, trust=trust())
    assert list(target.keys("")) == []
    copy(source, target)
    assert content(target) == content(source)


def test_a_version_signed_by_somebody_else_is_not_copied(tmp_path: Path) -> None:
    source, target = MemoryObjects(), MemoryObjects()
    publish(source, tmp_path)

    with pytest.raises(SignatureInvalid):
        copy(source, target, trust=trust(2))
    assert list(target.keys("")) == []


def test_a_version_that_is_not_there_is_not_copied(tmp_path: Path) -> None:
    source, target = MemoryObjects(), MemoryObjects()
    with pytest.raises(ModelNotFound):
        copy(source, target)
    publish(source, tmp_path)
    with pytest.raises(VersionNotFound):
        copy(source, target, version=2)
    assert list(target.keys("")) == []


def test_a_version_that_is_whole_verifies(store: ObjectStore, tmp_path: Path) -> None:
    publish(store, tmp_path)

    found = verify_version(store, "iris", 1, trust=trust())

    assert found[:5] == ("iris", 1, 2 * MIB + 12, 4, ())
    assert found.signed_by == signer().public_key.key_id


@pytest.mark.parametrize("path", ["model.onnx", "weights.bin", "gate.json", "arm64-neon/m.onnx"])
def test_a_byte_flipped_anywhere_is_found(store: ObjectStore, tmp_path: Path, path: str) -> None:
    publish(store, tmp_path)
    flip(store, path)

    [problem] = verify_version(store, "iris", 1).problems

    assert problem.startswith(f"{path}: expected sha256 ")


def test_parts_that_are_not_the_files_are_found(store: ObjectStore, tmp_path: Path) -> None:
    publish(store, tmp_path)
    document = json.loads(store.get(keys.manifest("iris", 1)).body)
    document["files"][1]["parts"] = ["0" * 64, "1" * 64]
    store.put(keys.manifest("iris", 1), json.dumps(document).encode())

    [problem] = verify_version(store, "iris", 1).problems
    assert problem == "weights.bin: expected the sha256 of its parts in the manifest; publish it again"


def test_a_file_that_is_gone_or_cut_is_found(store: ObjectStore, tmp_path: Path) -> None:
    publish(store, tmp_path)
    store.delete(keys.artifact("iris", 1, "model.onnx"))
    store.put(keys.artifact("iris", 1, "weights.bin"), WEIGHTS[:-1])

    first, second = verify_version(store, "iris", 1).problems

    assert first == "model.onnx: expected 5 bytes, got nothing; publish it again"
    assert second.startswith("models/iris/versions/1/weights.bin: expected 2097152 bytes, the store holds 2097151")


def test_a_manifest_that_was_altered_is_found_by_its_signature(store: ObjectStore, tmp_path: Path) -> None:
    publish(store, tmp_path)
    body = store.get(keys.manifest("iris", 1)).body
    store.put(keys.manifest("iris", 1), body.replace(b'"labels": []', b'"labels": ["a"]'))

    assert verify_version(store, "iris", 1).problems == ()
    [problem] = verify_version(store, "iris", 1, trust=trust()).problems
    assert "expected the manifest that was signed" in problem


def test_a_manifest_that_is_none_is_a_problem_of_its_version(store: ObjectStore) -> None:
    store.put(keys.manifest("iris", 1), b"{")
    store_alias(store, "iris", 1)

    [problem] = verify_version(store, "iris", 1).problems

    assert "not a manifest" in problem


def test_a_long_history_is_read_whole_or_its_end(store: ObjectStore) -> None:
    for version in (1, 2):
        store_version(store, manifest(version=version))
    ticking = Ticking()
    registry = Registry(store, clock=ticking.clock, new_id=ticking.new_id)
    for move in range(20):
        registry.move_alias("iris", "live", 1 + move % 2, by=f"mover{move}")

    assert [change.changed_by for change in registry.history("iris")] == [f"mover{move}" for move in range(20)]
    assert [change.changed_by for change in registry.history("iris", limit=2)] == ["mover18", "mover19"]


def flip(objects: ObjectStore, path: str) -> None:
    """Change one bit of a file, and not its size."""
    key = keys.artifact("iris", 1, path)
    body = bytearray(objects.get(key).body)
    body[len(body) // 2] ^= 1
    objects.put(key, bytes(body))
