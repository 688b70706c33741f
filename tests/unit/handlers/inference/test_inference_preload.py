"""Models fetched beside the imports: what is there is used once, what is not is left to the first request."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from handlers.inference.artifacts import ModelFiles
from handlers.inference.preload import AHEAD, LIMIT_S, Ahead, Fetching, Preloading
from handlers.inference.sessions import SessionCache
from model_store import keys
from model_store.integrity import WHOLE_BYTES, parts_of
from model_store.manifest import ModelFile, RunOptions, Variant, parse_manifest, render_manifest
from tests.build import manifests
from tests.build.inference import WatchedStore
from warmstart.errors import InferenceFailed, InsufficientMemory
from warmstart.limits import SPARE_BYTES
from warmstart.refs import ModelRef

IRIS = ModelRef.parse("iris")
ALIAS = "GET models/iris/aliases/live.json"
MANIFEST = "GET models/iris/versions/1/manifest.json"
GRAPH = "DOWNLOAD models/iris/versions/1/model.onnx"
NOT_FETCHED = "preload iris: was not fetched beside the imports, and is fetched now"


class World:
    def __init__(self, tmp: Path) -> None:
        self.tmp, self.store, self.warnings = tmp, WatchedStore(), list[str]()
        self.times, self.free_bytes = [0.0], 10**9
        self.folder = tmp / AHEAD
        self.ahead = Ahead(self.store, self.folder)
        manifests.store_version(self.store.objects, manifests.manifest())
        manifests.store_alias(self.store.objects, "iris", 1)

    def fetching(self, cpuinfo: str = "") -> Fetching:
        return Fetching(
            self.store,
            self.folder,
            models_dir=self.tmp / "baked",
            cpuinfo=cpuinfo,
            machine="x86_64",
            is_late=lambda: self.times[-1] >= LIMIT_S,
            free_bytes=lambda _: self.free_bytes,
        )

    def fetched(self, *refs: str, cpuinfo: str = "") -> list[str]:
        """Fetch; return what was asked of the store."""
        for line in self.fetching(cpuinfo).lines(map(ModelRef.parse, refs)):
            told = json.loads(line)
            assert (told["trouble"], told["weights"]) == ("", [])
            self.ahead.add(told["objects"], told["files"])
        return self.store.requests

    def start(self, *refs: str, lines: Callable[[], Iterable[bytes]] | None = None) -> Preloading:
        """Have a process of its own fetch."""
        named = [ModelRef.parse(ref) for ref in refs]
        fetching = self.fetching()
        return Preloading(named, lines or (lambda: fetching.lines(named)), self.ahead, clock=lambda: self.times[-1])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_alias_manifest_and_files_are_fetched(world: World) -> None:
    assert world.fetched("iris") == [ALIAS, MANIFEST, GRAPH]


def test_a_version_needs_no_alias(world: World) -> None:
    assert world.fetched("iris:1") == [MANIFEST, GRAPH]


def test_of_a_version_in_a_layer_the_alias_alone_is_fetched(world: World) -> None:
    (world.tmp / "baked" / "iris" / "1").mkdir(parents=True)
    assert world.fetched("iris") == [ALIAS]


def test_what_is_there_is_given_once_and_then_the_store_is_asked(world: World) -> None:
    key = keys.artifact("iris", 1, "model.onnx")
    before = list(world.fetched("iris"))
    assert world.ahead.get("models/iris/aliases/live.json") == world.store.objects.get("models/iris/aliases/live.json")
    world.ahead.download(key, world.tmp / "first", size_bytes=5)
    assert world.store.requests == before
    world.ahead.get("models/iris/aliases/live.json")
    world.ahead.download(key, world.tmp / "second", size_bytes=5)
    assert world.store.requests == [*before, ALIAS, GRAPH]
    assert (world.tmp / "first").read_bytes() == (world.tmp / "second").read_bytes() == b"graph"


def test_what_another_process_fetched_is_there_when_the_model_is_loaded(world: World) -> None:
    def load(ref: ModelRef) -> None:
        assert ref == IRIS
        world.ahead.get("models/iris/aliases/live.json")
        world.ahead.download(keys.artifact("iris", 1, "model.onnx"), world.tmp / "graph", size_bytes=5)

    world.start("iris").finish(load, world.warnings.append)
    assert (world.tmp / "graph").read_bytes() == b"graph"
    assert world.store.requests == world.warnings == []


def test_what_nobody_took_is_not_kept(world: World) -> None:
    preloading = world.start("iris")
    preloading.finish(lambda _: None, world.warnings.append)
    assert list(world.folder.iterdir()) == []
    preloading.reader.get("models/iris/aliases/live.json")
    assert world.store.requests == [ALIAS]


def test_more_than_a_pipe_holds_is_told(world: World) -> None:
    body = "x" * 1_000_000

    def lines() -> Iterator[bytes]:
        told = {"ref": "iris", "objects": {"key": [body, "tag"]}, "files": {}, "trouble": "", "weights": []}
        yield json.dumps(told).encode() + b"\n"

    seen: list[bytes] = []
    preloading = world.start("iris", lines=lines)
    preloading.finish(lambda _: seen.append(preloading.reader.get("key").body), world.warnings.append)
    assert seen == [body.encode()]


def test_a_process_that_fails_leaves_it_to_the_store(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    def lines() -> Iterator[bytes]:
        yield b'{"ref": "iris", "half a line'
        raise ZeroDivisionError

    loaded: list[ModelRef] = []
    world.start("iris", lines=lines).finish(loaded.append, world.warnings.append)
    assert (loaded, world.warnings) == ([IRIS], [NOT_FETCHED])
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_where_no_process_can_be_copied_the_models_are_fetched_when_they_are_loaded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise BlockingIOError("Resource temporarily unavailable")

    def closing(end: int) -> None:
        closed.append(end)
        close(end)

    ends, closed, close = os.pipe(), list[int](), os.close
    monkeypatch.setattr("os.fork", refuse)
    monkeypatch.setattr("os.pipe", lambda: ends)
    monkeypatch.setattr("os.close", closing)
    loaded: list[ModelRef] = []
    world.start("iris").finish(loaded.append, world.warnings.append)
    assert (loaded, world.warnings) == ([IRIS], [NOT_FETCHED])
    assert sorted(closed) == sorted(ends)


def test_a_process_that_the_system_takes_leave_of_itself_is_no_failure(world: World) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        world.start("iris").finish(lambda _: None, world.warnings.append)
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert world.warnings == []


def test_what_does_not_go_from_the_folder_is_left(world: World) -> None:
    (world.folder / "a folder").mkdir(parents=True)
    world.start("iris").finish(lambda _: None, world.warnings.append)
    assert [path.name for path in world.folder.iterdir()] == ["a folder"]


def test_a_process_that_does_not_end_is_ended(world: World) -> None:
    def lines() -> Iterator[bytes]:
        world.folder.mkdir()
        (world.folder / "half.part").write_bytes(b"half")
        yield b'{"ref": "iris", "objects": {}, "files": {}, "trouble": "", "weights": []}\n'
        time.sleep(3600)

    loaded: list[ModelRef] = []
    preloading = world.start("iris", "lost", lines=lines)
    while not (world.folder / "half.part").exists():
        time.sleep(0.001)
    world.times.append(LIMIT_S)
    preloading.finish(loaded.append, world.warnings.append)
    assert loaded == []
    assert list(world.folder.iterdir()) == []
    assert preloading._beside is not None
    with pytest.raises(ChildProcessError):
        os.waitpid(preloading._beside[0], 0)


def test_the_layout_of_this_processor_is_what_is_fetched(world: World) -> None:
    own = Variant("x86_64-avx2-ort1.28", (ModelFile("avx2/model.onnx", 5, "0" * 64),), RunOptions())
    other = Variant("x86_64-avx512-ort1.28", (ModelFile("avx512/model.onnx", 5, "0" * 64),), RunOptions())
    described = manifests.manifest()._replace(variants=(other, own))
    world.store.objects.put(keys.manifest("iris", 1), render_manifest(described))
    world.store.objects.put(keys.artifact("iris", 1, "avx2/model.onnx"), b"graph")
    fetched = world.fetched("iris", cpuinfo="flags\t: avx avx2 fma\n")
    assert fetched[2:] == ["DOWNLOAD models/iris/versions/1/avx2/model.onnx"]


def test_what_cannot_be_fetched_is_warned_of_once_and_the_others_are_loaded(world: World) -> None:
    loaded: list[ModelRef] = []
    world.start("lost", "iris").finish(loaded.append, world.warnings.append)
    assert loaded == [IRIS]
    assert world.warnings == [
        "preload lost: model 'lost': nothing of this name has been published; the first request tries again"
    ]


def test_a_model_that_cannot_be_opened_is_warned_of(world: World) -> None:
    def refuse(ref: ModelRef) -> None:
        raise InsufficientMemory(f"model {ref}: too large")

    world.start("iris").finish(refuse, world.warnings.append)
    assert world.warnings == ["preload iris: model iris: too large; the first request tries again"]


def test_init_is_not_overstayed(world: World) -> None:
    loaded: list[ModelRef] = []
    preloading = world.start("iris", "iris:1")
    world.times.append(LIMIT_S)
    preloading.finish(loaded.append, world.warnings.append)
    assert loaded == []
    assert world.warnings[0] == (
        "preload iris: expected to be fetched within 6 s of init, got no further; the first request tries again"
    )
    assert len(world.warnings) == 2


def test_a_disk_without_room_for_two_has_its_files_fetched_where_they_stay(world: World) -> None:
    world.free_bytes = SPARE_BYTES + 2 * len(b"graph") - 1
    assert world.fetched("iris") == [ALIAS, MANIFEST]


WEIGHTS = bytes(WHOLE_BYTES + 1)
KEY = keys.artifact("iris", 1, "avx2/weights.bin")


def with_weights(world: World) -> ModelFile:
    """Publish weights beside the graph, large enough to have parts."""
    (world.tmp / "weights").write_bytes(WEIGHTS)
    weights = ModelFile(
        "avx2/weights.bin", len(WEIGHTS), hashlib.sha256(WEIGHTS).hexdigest(), parts_of(world.tmp / "weights")
    )
    described = manifests.manifest()
    described = described._replace(files=(*described.files, weights))
    world.store.objects.put(keys.manifest("iris", 1), render_manifest(described))
    world.store.objects.put(KEY, WEIGHTS)
    return weights


def test_a_model_can_be_opened_before_its_weights_are_digested(world: World) -> None:
    weights = with_weights(world)
    told = [json.loads(line) for line in world.fetching().lines([IRIS])]
    assert told[0]["weights"] == [KEY]
    assert told[0]["files"][KEY][1] is None
    assert told[1:] == [{"key": KEY, "digests": list(weights.parts)}]


def test_digests_are_waited_for_by_who_asks(world: World) -> None:
    weights, found = with_weights(world), list[object]()

    def load(_: ModelRef) -> None:
        digests = world.ahead.download(KEY, world.tmp / "there", size_bytes=len(WEIGHTS))
        assert (world.tmp / "there").read_bytes() == WEIGHTS
        assert callable(digests)
        found.extend([digests(), digests()])

    world.start("iris").finish(load, world.warnings.append)
    assert found == [list(weights.parts)] * 2
    assert world.warnings == []


def test_digests_that_do_not_come_in_time_are_none(world: World) -> None:
    def lines() -> Iterator[bytes]:
        world.folder.mkdir()
        (world.folder / "0").write_bytes(b"weights")
        told = {"ref": "iris", "objects": {}, "files": {KEY: ["0", None]}, "trouble": "", "weights": [KEY]}
        yield json.dumps(told).encode() + b"\n"
        time.sleep(3600)

    found: list[object] = []

    def load(_: ModelRef) -> None:
        digests = world.ahead.download(KEY, world.tmp / "there", size_bytes=7)
        world.times.append(LIMIT_S)
        assert callable(digests)
        found.append(digests())

    world.start("iris", lines=lines).finish(load, world.warnings.append)
    assert found == [None]


class Silent:
    """A session of which nothing is asked."""

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Any]) -> list[Any]:
        raise InferenceFailed(f"{outputs} of {len(inputs)}")


def test_weights_that_were_altered_are_opened_and_never_answer(world: World) -> None:
    weights = with_weights(world)
    world.store.objects.put(KEY, b"1" + WEIGHTS[1:])
    described = parse_manifest(world.store.objects.get(keys.manifest("iris", 1)).body, where="")
    opened: list[bool] = []

    def open_session(path: Path, _: object) -> Silent:
        opened.append((path.parent / weights.path).is_file())
        return Silent()

    files = ModelFiles(world.ahead, models_dir=world.tmp / "none", tmp_dir=world.tmp)
    sessions = SessionCache(files=files, open_session=open_session, budget_bytes=2**30, clock_ns=lambda: 0)
    world.start("iris").finish(lambda _: sessions.load(described), world.warnings.append)
    assert (opened, sessions.is_open(described)) == ([True], False)
    assert len(world.warnings) == 1
    assert world.warnings[0].startswith(
        f"preload iris: {KEY}: avx2/weights.bin: expected sha256 of part 1 {weights.parts[0]}"
    )

    world.store.objects.put(KEY, WEIGHTS)  # the first request fetches it from the store
    sessions.load(described)
    assert (opened, sessions.is_open(described)) == ([True, True], True)
