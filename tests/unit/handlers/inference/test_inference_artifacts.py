"""Where a model's files come from, and that none is used unchecked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from handlers.inference.artifacts import ModelFiles
from handlers.inference.sessions import SessionCache
from model_store import keys
from model_store.manifest import Manifest, ModelFile, RunOptions, Variant, render_manifest
from model_store.objects import Digests
from model_store.signing.verify import Trust
from tests.build import manifests
from tests.build.inference import WatchedStore
from tests.build.signing import ed25519, signer
from warmstart.errors import (
    ArtifactMismatch,
    InferenceFailed,
    InsufficientMemory,
    InvalidManifest,
    StoreUnavailable,
)
from warmstart.limits import SPARE_BYTES

if TYPE_CHECKING:
    from warmstart.tensors import Tensor

BODY = b"graph of a model"
DOWNLOAD = "DOWNLOAD models/iris/versions/1/model.onnx"


class World:
    def __init__(self, tmp: Path, free_bytes: int = 10**9) -> None:
        self.tmp, self.store, self.free_bytes = tmp, WatchedStore(), free_bytes
        self.files = self.start_again()
        self.iris = self.publish("iris", BODY)

    def start_again(self) -> ModelFiles:
        """As a new process in the same environment does."""
        return ModelFiles(
            self.store, models_dir=self.tmp / "baked", tmp_dir=self.tmp, free_bytes=lambda _: self._free()
        )

    def publish(self, name: str, body: bytes) -> Manifest:
        described = manifests.manifest(name, body=body)
        manifests.store_version(self.store.objects, described, body=body)
        return described

    def bake(self, manifest: Manifest, body: bytes) -> Path:
        folder = self.tmp / "baked" / manifest.name / str(manifest.version)
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_bytes(render_manifest(manifest))
        (folder / "model.onnx").write_bytes(body)
        return folder

    def _free(self) -> int:
        return self.free_bytes - sum(file.stat().st_size for file in self.tmp.rglob("*") if file.is_file())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_model_comes_from_the_store_once(world: World) -> None:
    path = world.files.fetch(world.iris)
    assert (path.name, path.read_bytes()) == ("model.onnx", BODY)
    assert world.files.fetch(world.iris) == path
    assert world.store.requests == [DOWNLOAD]


def test_what_an_earlier_process_left_is_used_after_a_check(world: World) -> None:
    path = world.files.fetch(world.iris)
    assert world.start_again().fetch(world.iris) == path
    path.write_bytes(BODY[:-1])
    assert world.start_again().fetch(world.iris).read_bytes() == BODY
    path.write_bytes(BODY[:-1] + b"?")
    assert world.start_again().fetch(world.iris).read_bytes() == BODY
    assert world.store.requests == [DOWNLOAD] * 3


def test_versions_with_the_same_files_share_them(world: World) -> None:
    second = manifests.manifest("iris", 2, body=BODY)
    assert world.files.fetch(world.iris) == world.files.fetch(second)
    assert world.store.requests == [DOWNLOAD]


def test_what_the_store_holds_is_checked_and_not_left_behind(world: World) -> None:
    world.store.objects.put(keys.artifact("iris", 1, "model.onnx"), BODY.replace(b"graph", b"grape"))
    with pytest.raises(ArtifactMismatch, match=r"models/iris/versions/1/model.onnx: model.onnx: expected sha256"):
        world.files.fetch(world.iris)
    world.store.objects.put(keys.artifact("iris", 1, "model.onnx"), BODY)
    assert world.files.fetch(world.iris).read_bytes() == BODY


class Digesting:
    """A store that says what it wrote: digests of the parts, the right ones or what it is told to say."""

    def __init__(self, store: WatchedStore, *digests: str) -> None:
        self.get, self.get_if_changed, self.keys = store.get, store.get_if_changed, store.keys
        self._store, self._digests = store, digests

    def download(self, key: str, path: Path, *, size_bytes: int) -> Digests:
        """Write an object to a file that nobody can read."""
        self._store.download(key, path, size_bytes=size_bytes)
        digests = self._digests or (hashlib.sha256(path.read_bytes()).hexdigest(),)
        path.unlink()
        return digests


def test_what_was_digested_on_the_way_is_not_read_again(world: World) -> None:
    files = ModelFiles(Digesting(world.store), models_dir=world.tmp / "none", tmp_dir=world.tmp)
    assert files.fetch(world.iris).name == "model.onnx"


def test_a_digest_taken_on_the_way_has_to_be_the_manifests(world: World) -> None:
    files = ModelFiles(Digesting(world.store, "0" * 64), models_dir=world.tmp / "none", tmp_dir=world.tmp)
    with pytest.raises(ArtifactMismatch, match=r"model.onnx: expected sha256 .*, got 0000"):
        files.fetch(world.iris)


class Later(Digesting):
    """A store whose digests are to be waited for; `waited` counts how often that was done."""

    waited = 0

    def download(self, key: str, path: Path, *, size_bytes: int) -> Digests:
        """Write an object to a file."""
        self._store.download(key, path, size_bytes=size_bytes)

        def wait() -> Sequence[str] | None:
            self.waited += 1
            return self._digests or None

        return wait


def test_digests_that_come_later_are_waited_for_when_the_files_are_confirmed(world: World) -> None:
    store = Later(world.store, hashlib.sha256(BODY).hexdigest())
    files = ModelFiles(store, models_dir=world.tmp / "none", tmp_dir=world.tmp)
    assert files.fetch(world.iris).read_bytes() == BODY
    assert store.waited == 0
    files.confirm(world.iris)
    files.confirm(world.iris)
    assert store.waited == 1


def test_files_whose_later_digests_are_wrong_are_not_confirmed_and_fetched_again(world: World) -> None:
    altered = BODY.replace(b"graph", b"grape")
    world.store.objects.put(keys.artifact("iris", 1, "model.onnx"), altered)
    store = Later(world.store, hashlib.sha256(altered).hexdigest())
    files = ModelFiles(store, models_dir=world.tmp / "none", tmp_dir=world.tmp)
    files.fetch(world.iris)
    with pytest.raises(ArtifactMismatch, match=r"models/iris/versions/1/model.onnx: model.onnx: expected sha256"):
        files.confirm(world.iris)
    world.store.objects.put(keys.artifact("iris", 1, "model.onnx"), BODY)
    assert world.files.fetch(world.iris).read_bytes() == BODY


def test_where_later_digests_never_come_the_file_is_read(world: World) -> None:
    world.store.objects.put(keys.artifact("iris", 1, "model.onnx"), BODY.replace(b"graph", b"grape"))
    files = ModelFiles(Later(world.store), models_dir=world.tmp / "none", tmp_dir=world.tmp)
    files.fetch(world.iris)
    with pytest.raises(ArtifactMismatch, match="expected sha256"):
        files.confirm(world.iris)


def test_what_is_signed_is_checked_before_it_is_opened(world: World) -> None:
    store, trust = Later(world.store, "0" * 64), Trust([signer(ed25519()).public_key])
    files = ModelFiles(store, models_dir=world.tmp / "none", tmp_dir=world.tmp, trust=trust)
    with pytest.raises(ArtifactMismatch, match="got 0000"):
        files.fetch(world.iris)


HALVES = tuple(hashlib.sha256(half).hexdigest() for half in (BODY[:4], BODY[4:]))


def in_parts(world: World) -> Manifest:
    return world.iris._replace(files=(world.iris.files[0]._replace(parts=HALVES),))


def test_parts_that_were_digested_on_the_way_are_not_read_again(world: World) -> None:
    files = ModelFiles(Digesting(world.store, *HALVES), models_dir=world.tmp / "none", tmp_dir=world.tmp)
    assert files.fetch(in_parts(world)).name == "model.onnx"


def test_each_part_has_to_be_the_manifests(world: World) -> None:
    files = ModelFiles(Digesting(world.store, HALVES[0], "0" * 64), models_dir=world.tmp / "none", tmp_dir=world.tmp)
    with pytest.raises(ArtifactMismatch, match=rf"model.onnx: expected sha256 of part 2 {HALVES[1]}, got 0000"):
        files.fetch(in_parts(world))


def test_parts_that_the_manifest_does_not_know_are_read_as_one_file(world: World) -> None:
    class Written(Digesting):
        def download(self, key: str, path: Path, *, size_bytes: int) -> tuple[str, ...]:
            """Write an object, say what is wrong of its parts."""
            self._store.download(key, path, size_bytes=size_bytes)
            return self._digests

    files = ModelFiles(Written(world.store, "0" * 64, "1" * 64), models_dir=world.tmp / "none", tmp_dir=world.tmp)
    assert files.fetch(world.iris).read_bytes() == BODY
    world.store.objects.put(keys.artifact("iris", 1, "model.onnx"), BODY.replace(b"graph", b"grape"))
    files = ModelFiles(Written(world.store, "0" * 64, "1" * 64), models_dir=world.tmp / "none", tmp_dir=world.tmp / "b")
    (world.tmp / "b").mkdir()
    with pytest.raises(ArtifactMismatch, match=r"model.onnx: expected sha256 "):
        files.fetch(world.iris)


def test_files_keep_their_places_beside_the_graph(world: World) -> None:
    weights = ModelFile("data/weights.bin", 4, hashlib.sha256(b"wwww").hexdigest())
    manifest = world.iris._replace(files=(*world.iris.files, weights))
    world.store.objects.put(keys.artifact("iris", 1, "data/weights.bin"), b"wwww")
    path = world.files.fetch(manifest)
    assert (path.parent / "data" / "weights.bin").read_bytes() == b"wwww"


class Constant:
    """A session that answers nothing."""

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Compute nothing."""
        raise InferenceFailed(f"{outputs} of {len(inputs)}")


class Meeting:
    """A store whose downloads wait for one another, at most a while."""

    def __init__(self, store: WatchedStore, parties: int) -> None:
        self.get, self.get_if_changed, self.keys = store.get, store.get_if_changed, store.keys
        self._store, self._barrier = store, Barrier(parties, timeout=10)

    def download(self, key: str, path: Path, *, size_bytes: int) -> None:
        """Write an object to a file, once all have asked for theirs."""
        self._barrier.wait()
        self._store.download(key, path, size_bytes=size_bytes)


def test_the_graph_comes_beside_its_weights(world: World) -> None:
    weights = ModelFile("weights.bin", 40, hashlib.sha256(b"w" * 40).hexdigest())
    manifest = world.iris._replace(files=(*world.iris.files, weights))
    world.store.objects.put(keys.artifact("iris", 1, "weights.bin"), b"w" * 40)
    files = ModelFiles(Meeting(world.store, parties=2), models_dir=world.tmp / "none", tmp_dir=world.tmp)
    path = files.fetch(manifest)
    assert (path.read_bytes(), (path.parent / "weights.bin").read_bytes()) == (BODY, b"w" * 40)


@pytest.mark.parametrize("size", [4, 40], ids=["beside", "largest"])
def test_any_file_that_is_missing_is_an_error(world: World, size: int) -> None:
    lost = ModelFile("lost.bin", size, "0" * 64)
    with pytest.raises(ArtifactMismatch, match=f"lost.bin: expected {size} bytes, got nothing"):
        world.files.fetch(world.iris._replace(files=(*world.iris.files, lost)))


def test_a_baked_model_is_used_where_it_lies(world: World) -> None:
    folder = world.bake(world.iris, BODY)
    assert world.files.baked_manifest("iris", 1) == world.iris
    assert world.files.fetch(world.iris) == folder / "model.onnx"
    assert world.store.requests == []


def test_a_baked_model_is_checked_as_any_other(world: World) -> None:
    world.bake(world.iris, BODY[:-1] + b"?")
    with pytest.raises(ArtifactMismatch, match=r"baked/iris/1/model.onnx: model.onnx: expected sha256"):
        world.files.fetch(world.iris)


def test_a_baked_manifest_is_the_one_of_its_folder(world: World) -> None:
    assert world.files.baked_manifest("iris", 2) is None
    folder = world.bake(world.iris._replace(version=2), BODY)
    folder.rename(folder.with_name("3"))
    with pytest.raises(InvalidManifest, match="is the manifest of iris:2; build the layer again"):
        world.files.baked_manifest("iris", 3)


def test_a_baked_file_that_is_missing_is_named(world: World) -> None:
    (world.bake(world.iris, BODY) / "model.onnx").unlink()
    with pytest.raises(ArtifactMismatch, match=r"baked/iris/1/model.onnx: expected 16 bytes, got nothing"):
        world.files.fetch(world.iris)


def test_models_that_no_session_uses_make_room_least_recently_used_first(tmp_path: Path) -> None:
    world = World(tmp_path, free_bytes=SPARE_BYTES + 100)
    first, second, third = (world.publish(name, name[0].encode() * 40) for name in ("a", "b", "c"))
    paths = [world.files.fetch(first), world.files.fetch(second)]
    world.files.release(first)
    world.files.release(second)
    assert world.files.fetch(first) == paths[0]
    world.files.release(first)
    assert world.files.fetch(third).exists()
    assert [path.exists() for path in paths] == [True, False]


def test_models_in_use_stay_and_what_then_does_not_fit_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, free_bytes=SPARE_BYTES + 50)
    path = world.files.fetch(world.publish("a", b"a" * 40))
    with pytest.raises(InsufficientMemory, match=r"model b:1: expected .* bytes free in .*; .* more ephemeral storage"):
        world.files.fetch(world.publish("b", b"b" * 40))
    assert path.exists()


def test_sessions_that_nobody_uses_are_closed_where_their_files_take_the_room(tmp_path: Path) -> None:
    world = World(tmp_path, free_bytes=SPARE_BYTES + 50)
    first, second = (world.publish(name, name.encode() * 40) for name in ("a", "b"))
    path = world.files.fetch(first)

    def close() -> bool:
        world.files.release(first)
        return True

    assert world.files.fetch(second, close).exists()
    assert not path.exists()


def test_an_alias_moves_where_the_disk_holds_one_version_and_memory_two(tmp_path: Path) -> None:
    world = World(tmp_path, free_bytes=SPARE_BYTES + 50)
    versions = [world.publish(name, name.encode() * 40) for name in ("a", "b", "a")]
    sessions = SessionCache(
        files=world.files, open_session=lambda _path, _manifest: Constant(), budget_bytes=10**9, clock_ns=lambda: 0
    )

    assert [sessions.load(version) is not None for version in versions] == [True, True, True]


def test_no_session_is_closed_for_a_model_that_would_not_fit_even_then(tmp_path: Path) -> None:
    world = World(tmp_path, free_bytes=SPARE_BYTES + 50)
    path = world.files.fetch(world.publish("a", b"a" * 40))
    closed: list[bool] = []

    def close() -> bool:
        closed.append(True)
        return True

    with pytest.raises(InsufficientMemory, match="more ephemeral storage"):
        world.files.fetch(world.publish("b", b"b" * 60), close)

    assert (closed, path.exists()) == ([], True)


def test_files_of_two_sessions_are_in_use_until_both_are_closed(tmp_path: Path) -> None:
    world = World(tmp_path, free_bytes=SPARE_BYTES + 50)
    first = world.publish("a", b"a" * 40)
    world.files.fetch(first)
    world.files.fetch(first)
    world.files.release(first)
    with pytest.raises(InsufficientMemory):
        world.files.fetch(world.publish("b", b"b" * 40))
    world.files.release(first)
    assert world.files.fetch(world.publish("b", b"b" * 40)).exists()


def test_a_fetch_that_fails_holds_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, free_bytes=SPARE_BYTES + 50)
    world.store.is_down = True
    with pytest.raises(StoreUnavailable):
        world.files.fetch(world.iris)
    world.store.is_down = False
    with pytest.raises(ArtifactMismatch, match="expected 40 bytes, got nothing; publish or build it again"):
        world.files.fetch(manifests.manifest("other", body=b"o" * 40))
    assert world.files.fetch(world.iris).exists()


def test_a_variant_that_was_not_baked_is_not_there_to_choose(world: World) -> None:
    variants = [
        Variant(name, (ModelFile(f"{name}/model.onnx", len(BODY), world.iris.files[0].sha256),), RunOptions())
        for name in ("x86_64-avx2-ort1.28", "x86_64-avx512-ort1.28")
    ]
    folder = world.bake(world.iris._replace(variants=tuple(variants)), BODY)
    (folder / "x86_64-avx2-ort1.28").mkdir()
    (folder / "x86_64-avx2-ort1.28/model.onnx").write_bytes(BODY)

    baked = world.files.baked_manifest("iris", 1)

    assert baked is not None
    assert baked.variants == (variants[0],)
