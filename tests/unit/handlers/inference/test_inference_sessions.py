"""Open sessions: kept, counted, closed in turn, opened once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handlers.inference.sessions import Opening, SessionCache
from model_store.manifest import Manifest, RunOptions
from tests.build import manifests
from warmstart.errors import ArtifactMismatch, InferenceFailed, InsufficientMemory, ModelNotLoadable, StoreUnavailable

MB = 1024 * 1024


def model(name: str, size_mb: int = 1) -> Manifest:
    described = manifests.manifest(name)
    return described._replace(files=(described.files[0]._replace(size_bytes=size_mb * MB),))


class Files:
    def __init__(self) -> None:
        self.events: list[str] = []
        self.is_down = False
        self.room_for: int | None = None
        """How many models the disk holds."""
        self.altered: list[str] = []

    def fetch(self, manifest: Manifest, close_idle: Callable[[], bool]) -> Path:
        if self.is_down:
            self.events.append(f"fetch {manifest.name}")
            raise StoreUnavailable("down")
        while self.room_for == 0:
            if not close_idle():
                raise InsufficientMemory("full")
            self.room_for += 1
        if self.room_for is not None:
            self.room_for -= 1
        self.events.append(f"fetch {manifest.name}")
        return Path(manifest.name)

    def confirm(self, manifest: Manifest) -> None:
        if manifest.name in self.altered:
            raise ArtifactMismatch("weights.bin: expected sha256 1, got 2")

    def release(self, manifest: Manifest) -> None:
        self.events.append(f"release {manifest.name}")


class Doubler:
    def __init__(self, path: Path, _manifest: Manifest) -> None:
        self.name = path.name

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
        return [2 * inputs["x"] for _ in outputs]


class Ticks:
    """A clock that moves by one each time it is read."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 1
        return self.now


def cache(files: Files, open_session: Any = Doubler, budget_mb: float = 100) -> SessionCache:
    return SessionCache(files=files, open_session=open_session, budget_bytes=int(budget_mb * MB), clock_ns=Ticks())


def run(sessions: SessionCache, manifest: Manifest) -> Any:
    return sessions.run(manifest, ["y"], {"x": np.array([1.0, 2.0])})


def test_a_model_is_opened_once_and_kept() -> None:
    files = Files()
    sessions = cache(files)
    first, second = run(sessions, model("a")), run(sessions, model("a"))
    assert (first.opened, first.open_sessions, first.outputs[0].tolist()) == (
        Opening(1, 1, "model.onnx"),
        1,
        [2.0, 4.0],
    )
    assert (second.opened, second.open_sessions) == (None, 1)
    assert files.events == ["fetch a"]


def test_it_is_said_whether_a_model_is_open() -> None:
    sessions = cache(Files())
    assert not sessions.is_open(model("a"))
    sessions.load(model("a"))
    assert sessions.is_open(model("a"))
    assert not sessions.is_open(model("b"))


def test_a_model_may_be_opened_before_it_is_asked() -> None:
    sessions = cache(Files())
    assert sessions.load(model("a")) is not None
    assert sessions.load(model("a")) is None
    assert run(sessions, model("a")).opened is None


def test_a_model_that_may_be_open_twice_counts_twice() -> None:
    files = Files()
    sessions = cache(files, budget_mb=5)
    twice = model("b")._replace(run=RunOptions(single_thread_rows=64))
    run(sessions, model("a"))
    run(sessions, twice)
    assert files.events == ["fetch a", "release a", "fetch b"]


def test_the_least_recently_used_one_makes_room() -> None:
    files = Files()
    sessions = cache(files, budget_mb=5)
    run(sessions, model("a"))
    run(sessions, model("b"))
    run(sessions, model("a"))
    run(sessions, model("c"))
    assert files.events == ["fetch a", "fetch b", "release b", "fetch c"]
    assert run(sessions, model("a")).opened is None
    assert run(sessions, model("b")).opened is not None


def test_where_the_disk_is_short_idle_sessions_are_closed_least_recently_used_first() -> None:
    files = Files()
    files.room_for = 2
    sessions = cache(files)
    for name in ("a", "b", "a", "c"):
        run(sessions, model(name))
    assert files.events == ["fetch a", "fetch b", "release b", "fetch c"]


def test_where_the_disk_is_short_no_session_in_use_is_closed() -> None:
    files = Files()
    files.room_for = 1

    class Asking(Doubler):
        def run(self, outputs: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
            with pytest.raises(InsufficientMemory):
                sessions.load(model("b"))
            return super().run(outputs, inputs)

    sessions = cache(files, Asking)
    run(sessions, model("a"))
    assert files.events == ["fetch a"]


def test_a_model_that_alone_is_above_the_estimate_is_opened_all_the_same() -> None:
    files = Files()
    sessions = cache(files, budget_mb=4)
    run(sessions, model("small"))
    assert run(sessions, model("large", 3)).open_sessions == 1
    assert run(sessions, model("large", 3)).opened is None
    assert files.events == ["fetch small", "release small", "fetch large"]


def test_a_model_that_cannot_fit_is_refused_with_what_is_lacking() -> None:
    files = Files()
    with pytest.raises(InsufficientMemory, match=r"expected files of at most 4 MB, got 7 MB; .* at least 3 MB more"):
        run(cache(files, budget_mb=4), model("large", 7))
    assert files.events == []


def test_a_session_in_use_is_never_closed() -> None:
    files = Files()
    inside, may_leave = threading.Event(), threading.Event()

    class Slow(Doubler):
        def run(self, outputs: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
            if self.name == "slow":
                inside.set()
                assert may_leave.wait(10)
            return super().run(outputs, inputs)

    sessions = cache(files, Slow, budget_mb=3)
    thread = threading.Thread(target=run, args=(sessions, model("slow")))
    thread.start()
    assert inside.wait(10)
    run(sessions, model("quick"))
    assert files.events == ["fetch slow", "fetch quick", "release quick"]
    may_leave.set()
    thread.join()
    run(sessions, model("quick"))
    assert files.events[3:] == ["release slow", "fetch quick"]


def test_many_threads_open_a_model_once() -> None:
    files, opened, start = Files(), list[str](), threading.Barrier(8)

    def open_slowly(path: Path, manifest: Manifest) -> Doubler:
        opened.append(manifest.name)
        return Doubler(path, manifest)

    sessions = cache(files, open_slowly)

    def ask() -> None:
        start.wait()
        run(sessions, model("a"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (opened, files.events) == (["a"], ["fetch a"])


def test_a_graph_that_cannot_be_opened_gives_its_files_back_and_is_tried_again() -> None:
    files = Files()

    def refuse(_path: Path, _manifest: Manifest) -> Doubler:
        raise ModelNotLoadable("no")

    sessions = cache(files, refuse)
    for _ in range(2):
        with pytest.raises(ModelNotLoadable):
            run(sessions, model("a"))
    assert files.events == ["fetch a", "release a", "fetch a", "release a"]


def test_a_store_that_is_down_does_not_close_the_door_for_later() -> None:
    files = Files()
    sessions = cache(files)
    files.is_down = True
    with pytest.raises(StoreUnavailable):
        run(sessions, model("a"))
    files.is_down = False
    assert run(sessions, model("a")).open_sessions == 1


def test_a_run_that_fails_leaves_the_session_open_and_idle() -> None:
    class Failing(Doubler):
        def run(self, outputs: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
            raise InferenceFailed(f"no {outputs} from {len(inputs)}")

    files = Files()
    sessions = cache(files, Failing, budget_mb=3)
    for name in ("a", "a", "b"):
        with pytest.raises(InferenceFailed):
            run(sessions, model(name))
    assert files.events == ["fetch a", "release a", "fetch b"]


def refuse(_path: Path, _manifest: Manifest) -> Any:
    raise ModelNotLoadable("ONNX Runtime refuses it")


@pytest.mark.parametrize("open_session", [Doubler, refuse])
def test_a_session_on_files_that_are_not_the_models_is_not_kept_whether_it_opened_or_not(open_session: Any) -> None:
    files = Files()
    files.altered.append("a")
    sessions = cache(files, open_session)
    with pytest.raises(ArtifactMismatch):
        run(sessions, model("a"))
    assert files.events == ["fetch a", "release a"]
    assert not sessions.is_open(model("a"))
