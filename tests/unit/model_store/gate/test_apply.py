"""Publishing: what readers see, whoever else publishes, and whenever it is killed."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from model_store import keys
from model_store.gate import Published, apply, plan_file
from model_store.gate.plan import ClaimVersion, MoveAlias, Step, UploadFile, WriteManifest
from model_store.integrity import verify
from model_store.memory import MemoryObjects
from model_store.objects import ObjectStore
from model_store.registry import Registry
from tests.build import models
from tests.build.stores import Watched
from tests.build.ticking import Ticking
from warmstart.errors import ArtifactMismatch, ModelNotFound
from warmstart.refs import ModelRef


class Publish(Protocol):
    """Publish a file as iris, on the test's clock and ids."""

    def __call__(
        self, objects: ObjectStore, path: Path, *, by: str = "ann", on_step: Callable[[Step], None] | None = None
    ) -> Published: ...


class Killed(BaseException):
    """The publisher's process ends here."""


def registry(objects: ObjectStore) -> Registry:
    ids = itertools.count(1)
    return Registry(objects, clock=lambda: 1769860800.0, new_id=lambda: f"reader{next(ids)}")


@pytest.fixture
def publish() -> Publish:
    """Publish a file as iris."""
    ticking = Ticking()

    def publish_iris(
        objects: ObjectStore, path: Path, *, by: str = "ann", on_step: Callable[[Step], None] | None = None
    ) -> Published:
        plan = plan_file(path, "iris", objects)
        return apply(plan, objects, by=by, clock=ticking.clock, new_id=ticking.new_id, on_step=on_step)

    return publish_iris


def source(folder: Path, factor: float) -> Path:
    path = folder / f"scale-{factor}.onnx"
    path.write_bytes(models.scale(factor))
    return path


def check_what_readers_see(objects: ObjectStore, folder: Path) -> int | None:
    """Check every visible version and alias for completeness; return the version of `live`, None if unpublished."""
    opened = registry(objects)
    try:
        versions = opened.versions("iris")
    except ModelNotFound:
        assert list(objects.keys(keys.aliases("iris"))) == []
        return None
    for version in versions:
        manifest = opened.manifest("iris", version)
        for file in manifest.files:
            path = folder / f"check-{version}-{file.path}"
            objects.download(keys.artifact("iris", version, file.path), path, size_bytes=file.size_bytes)
            verify(path, file)
    moves = [change for change in opened.history("iris") if change.alias == "live"]
    try:
        live = opened.resolve(ModelRef.parse("iris")).version
    except ModelNotFound:
        assert moves == []
        return None
    assert [move.previous_version for move in moves] == [None, *(move.version for move in moves[:-1])]
    assert moves[-1].version == live
    return live


def test_the_first_publication_creates_version_1_and_live(publish: Publish, tmp_path: Path) -> None:
    objects = MemoryObjects()

    published = publish(objects, source(tmp_path, 2.0))

    assert published.manifest.version == 1
    assert published.alias.version == 1
    assert registry(objects).resolve(ModelRef.parse("iris")) == published.manifest
    assert list(objects.keys("")) == [
        "models/iris/aliases/live.json",
        "models/iris/history/20260131T120002.000000Z-id2.json",
        "models/iris/versions/1/claim.json",
        "models/iris/versions/1/manifest.json",
        "models/iris/versions/1/model.onnx",
    ]


def test_the_next_publication_moves_live(publish: Publish, tmp_path: Path) -> None:
    objects = MemoryObjects()
    publish(objects, source(tmp_path, 2.0))
    publish(objects, source(tmp_path, 3.0))

    assert registry(objects).versions("iris") == [1, 2]
    assert check_what_readers_see(objects, tmp_path) == 2


def test_live_moves_forward_after_a_rollback(publish: Publish, tmp_path: Path) -> None:
    objects = MemoryObjects()
    publish(objects, source(tmp_path, 2.0))
    publish(objects, source(tmp_path, 3.0))
    registry(objects).move_alias("iris", "live", 1, by="operator")

    assert publish(objects, source(tmp_path, 4.0)).alias.version == 3


def test_external_data_is_published_beside_the_graph(publish: Publish, tmp_path: Path) -> None:
    objects = MemoryObjects()

    published = publish(objects, models.with_external_data(tmp_path, location="data/weights.bin"))

    assert [file.path for file in published.manifest.files] == ["model.onnx", "data/weights.bin"]
    assert objects.get("models/iris/versions/1/data/weights.bin").body == models.weights().tobytes()


def test_the_plan_changes_nothing(tmp_path: Path) -> None:
    objects = MemoryObjects()

    plan_file(source(tmp_path, 2.0), "iris", objects)

    assert list(objects.keys("")) == []


def test_what_is_planned_is_what_is_done_in_this_order(publish: Publish, tmp_path: Path) -> None:
    objects, done = MemoryObjects(), list[Step]()
    path = source(tmp_path, 2.0)
    plan = plan_file(path, "iris", objects)

    publish(objects, path, on_step=done.append)

    [upload] = [step for step in plan.steps if isinstance(step, UploadFile)]
    assert tuple(done) == plan.steps == (ClaimVersion(1), upload, WriteManifest(), MoveAlias("live", None))
    assert (plan.version, plan.size_bytes) == (1, path.stat().st_size)


def test_a_file_that_changed_since_it_was_planned_is_refused(tmp_path: Path) -> None:
    objects, path = MemoryObjects(), source(tmp_path, 2.0)
    plan = plan_file(path, "iris", objects)
    path.write_bytes(models.scale(3.0))

    with pytest.raises(ArtifactMismatch, match=r"model\.onnx: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}"):
        apply(plan, objects, by="ann", clock=lambda: 0.0, new_id=lambda: "id")
    assert check_what_readers_see(objects, tmp_path) is None


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("published_before", [0, 1])
def test_a_publisher_killed_at_any_step_leaves_the_old_state_or_the_new(
    publish: Publish, tmp_path: Path, when: str, published_before: int
) -> None:
    first, second, third = (source(tmp_path, factor) for factor in (2.0, 3.0, 4.0))
    for fatal in itertools.count(1):
        objects, passed = MemoryObjects(), itertools.count(1)
        for _ in range(published_before):
            publish(objects, first)

        def die(_operation: str, _key: str, passed: itertools.count[int] = passed, fatal: int = fatal) -> None:
            if next(passed) == fatal:
                raise Killed

        killed = Watched(objects, before=die) if when == "before" else Watched(objects, after=die)
        try:
            publish(killed, second, by="bob")
            break
        except Killed:
            old = published_before or None
            assert check_what_readers_see(objects, tmp_path) in (old, published_before + 1)
        published = publish(objects, third, by="cid")
        assert published.alias.version == published.manifest.version
        assert check_what_readers_see(objects, tmp_path) == published.manifest.version
    assert fatal > 8


class Turns:
    """Two threads, one running at a time: a step is one operation on the store; `plan` says whose turn it is."""

    def __init__(self, plan: list[int]) -> None:
        self._plan, self._at = plan, 0
        self._finished: set[int] = set()
        self._changed = threading.Condition()

    def wait(self, who: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._whose() == who, timeout=30)
            self._at += 1
            self._changed.notify_all()

    def finish(self, who: int) -> None:
        with self._changed:
            self._finished.add(who)
            self._changed.notify_all()

    def _whose(self) -> int:
        if self._finished:
            return 1 - min(self._finished)
        return self._plan[self._at] if self._at < len(self._plan) else 0


def race(publish: Publish, objects: ObjectStore, paths: tuple[Path, Path], turns: list[int]) -> list[Published]:
    """Publish both at once, the operations in the order that `turns` gives."""
    order, results = Turns(turns), dict[int, Published]()

    def run(who: int) -> None:
        watched = Watched(objects, before=lambda _operation, _key: order.wait(who))
        try:
            results[who] = publish(watched, paths[who], by=("ann", "bob")[who])
        finally:
            order.finish(who)

    threads = [threading.Thread(target=run, args=(who,)) for who in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [results[0], results[1]]


@pytest.mark.parametrize("published_before", [0, 1])
def test_two_publishers_share_no_version_and_live_ends_at_the_later(
    publish: Publish, tmp_path: Path, published_before: int
) -> None:
    paths = source(tmp_path, 3.0), source(tmp_path, 4.0)
    for first, second in itertools.product(range(0, 16, 2), range(1, 16, 2)):
        objects = MemoryObjects()
        for _ in range(published_before):
            publish(objects, source(tmp_path, 2.0), by="cid")

        published = race(publish, objects, paths, [0] * first + [1] * second + [0] * 40)

        versions = [each.manifest.version for each in published]
        assert sorted(versions) == [published_before + 1, published_before + 2]
        for each, path in zip(published, paths, strict=True):
            assert objects.get(keys.artifact("iris", each.manifest.version, "model.onnx")).body == path.read_bytes()
        assert check_what_readers_see(objects, tmp_path) == max(versions)
