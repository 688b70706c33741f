"""A publication that is interrupted, and the next one of the same files: only what was missing is sent."""

from __future__ import annotations

import hashlib
import itertools
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

from model_store import keys
from model_store.file import FileObjects
from model_store.gate import Published, apply
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.plan import plan_publish
from model_store.manifest import RunOptions
from model_store.memory import MemoryObjects
from model_store.objects import ObjectStore, OnBytes, Sent
from model_store.s3 import S3Objects
from tests.build.manifests import IDENTITY
from tests.build.stores import MIB, Watched
from tests.build.ticking import Ticking
from warmstart.errors import ObjectNotFound, StoreDenied, StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PARTS = 5
WEIGHTS = hashlib.shake_256(b"weights").digest(4 * 5 * MIB + 1000)
GRAPH = hashlib.shake_256(b"graph").digest(2 * MIB)


class Killed(BaseException):
    """The publisher's process ends here."""


class Wire:
    """A client of moto that counts the bytes of bodies by key and part, and calls `before` with each request's."""

    def __init__(self, url: str) -> None:
        self.sent: Counter[tuple[str, str]] = Counter()
        self.before: Callable[[str, str], None] = lambda _key, _part: None
        self._lock = threading.Lock()
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        config = Config(retries={"mode": "standard", "total_max_attempts": 2})
        self.s3: S3Client = session.client("s3", endpoint_url=url, config=config)
        self.s3.meta.events.register("before-send.s3", self._watch)

    def _watch(self, request: AWSPreparedRequest, **_: object) -> None:
        if request.method != "PUT" or "x-amz-copy-source" in request.headers:
            return
        key = request.url.partition("?")[0].split("/", 4)[4]
        part = next(iter(re.findall(r"partNumber=(\d+)", request.url)), "")
        self.before(key, part)
        with self._lock:
            self.sent[key, part] += int(
                request.headers.get("X-Amz-Decoded-Content-Length", request.headers["Content-Length"])
            )


@pytest.fixture
def wire(moto_url: str) -> Iterator[Wire]:
    opened = Wire(moto_url)
    yield opened
    opened.s3.close()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A graph of 2 MiB and weights of five parts."""
    graph, weights = tmp_path / "graph", tmp_path / "weights"
    graph.write_bytes(GRAPH)
    weights.write_bytes(WEIGHTS)
    return graph, weights


def publish(
    objects: ObjectStore, files: tuple[Path, Path], ticking: Ticking, on_bytes: OnBytes | None = None
) -> Published:
    layout = Layout((("model.onnx", files[0]), ("weights.bin", files[1])), RunOptions())
    plan = plan_publish(Candidate(signature=IDENTITY, layout=layout), "iris", objects)
    return apply(plan, objects, by="ann", clock=ticking.clock, new_id=ticking.new_id, on_bytes=on_bytes)


def check_published(objects: ObjectStore, published: Published, *, weights: bytes = WEIGHTS) -> None:
    version = published.manifest.version
    assert objects.get(keys.artifact("iris", version, "model.onnx")).body == GRAPH
    assert objects.get(keys.artifact("iris", version, "weights.bin")).body == weights
    assert list(objects.keys(keys.UPLOADS)) == []


def die_at(place: tuple[str, str]) -> Callable[[str, str], None]:
    def before(key: str, part: str) -> None:
        if (key, part) == place:
            raise Killed

    return before


STAGED_GRAPH = keys.upload(hashlib.sha256(GRAPH).hexdigest())
STAGED_WEIGHTS = keys.upload(hashlib.sha256(WEIGHTS).hexdigest())


@pytest.mark.parametrize(
    "place", [(STAGED_GRAPH, ""), *((STAGED_WEIGHTS, str(number)) for number in range(1, PARTS + 1))], ids=str
)
def test_after_an_interruption_at_each_part_only_what_was_missing_is_sent(
    wire: Wire, bucket: str, files: tuple[Path, Path], place: tuple[str, str]
) -> None:
    objects, ticking = S3Objects(bucket, wire.s3, part_bytes=5 * MIB), Ticking()
    wire.before = die_at(place)
    with pytest.raises(Killed):
        publish(objects, files, ticking)
    assert place not in wire.sent
    wire.before = lambda _key, _part: None

    published = publish(objects, files, ticking)

    check_published(objects, published)
    large = {place: sent for place, sent in wire.sent.items() if place[0].startswith(keys.UPLOADS)}
    assert large == {
        (STAGED_GRAPH, ""): 2 * MIB,
        **{(STAGED_WEIGHTS, str(number)): 5 * MIB for number in range(1, PARTS)},
        (STAGED_WEIGHTS, str(PARTS)): 1000,
    }


def test_a_connection_that_is_lost_half_way_is_an_error_and_loses_nothing(
    wire: Wire, bucket: str, files: tuple[Path, Path]
) -> None:
    objects, ticking = S3Objects(bucket, wire.s3, part_bytes=5 * MIB), Ticking()

    def lose(_key: str, part: str) -> None:
        if part in ("3", "4", "5"):
            raise ConnectionClosedError(endpoint_url="the store")

    wire.before = lose
    with pytest.raises(StoreUnavailable, match=r"uploads/.*: the store is not reachable"):
        publish(objects, files, ticking)
    assert list(objects.keys(keys.MODELS)) == [keys.claim("iris", 1), keys.artifact("iris", 1, "model.onnx")]
    wire.before, heard = lambda _key, _part: None, list[Sent]()

    published = publish(objects, files, ticking, heard.append)

    check_published(objects, published)
    assert published.manifest.version == 2
    assert sum(sent.size_bytes for sent in heard if sent.found) == 2 * MIB + 2 * 5 * MIB
    assert sum(sent.size_bytes for sent in heard) == len(GRAPH) + len(WEIGHTS)


def test_who_may_only_read_publishes_nothing(wire: Wire, bucket: str, files: tuple[Path, Path]) -> None:
    objects = S3Objects(bucket, wire.s3, part_bytes=5 * MIB)
    refuse: Any = lambda request, **_: denied(request) if request.method in ("PUT", "POST") else None  # noqa: E731
    wire.s3.meta.events.register_first("before-send.s3", refuse)

    with pytest.raises(StoreDenied, match=r"models/iris/versions/1/claim\.json: the store refused: AccessDenied"):
        publish(objects, files, Ticking())
    assert list(objects.keys("")) == []


def test_after_an_interruption_at_each_block_a_folder_takes_only_what_was_missing(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    files[1].write_bytes(WEIGHTS[: 4 * MIB])
    total = len(GRAPH) + 4 * MIB
    for fatal in itertools.count(1):
        objects, ticking, first, second = FileObjects(tmp_path / f"{fatal}"), Ticking(), list[Sent](), list[Sent]()

        def die(sent: Sent, heard: list[Sent] = first, fatal: int = fatal) -> None:
            heard.append(sent)
            if len(heard) == fatal:
                raise Killed

        try:
            publish(objects, files, ticking, die)
            break
        except Killed:
            assert list(objects.keys("models/")) == [keys.claim("iris", 1), *copied(objects)]
        check_published(objects, publish(objects, files, ticking, second.append), weights=WEIGHTS[: 4 * MIB])
        new = sum(sent.size_bytes for sent in [*first, *second] if not sent.found)
        assert new == total
    assert fatal > total // MIB


def copied(objects: ObjectStore) -> list[str]:
    """Give the graph's key if it is in the version already."""
    key = keys.artifact("iris", 1, "model.onnx")
    try:
        objects.stat(key)
    except ObjectNotFound:
        return []
    return [key]


SLOW = """
import sys, time
from pathlib import Path
from model_store.file import FileObjects
from tests.contract.test_resume import publish
from tests.build.ticking import Ticking

def tell(sent):
    print(sent.size_bytes, flush=True)
    time.sleep(0.2)

publish(FileObjects(Path(sys.argv[1])), (Path(sys.argv[2]), Path(sys.argv[3])), Ticking(), tell)
"""


def test_a_process_that_is_killed_leaves_nothing_half_visible_and_loses_nothing(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    arguments = [sys.executable, "-c", SLOW, str(tmp_path / "store"), *map(str, files)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as publisher:
        assert publisher.stdout is not None
        for _ in range(6):
            publisher.stdout.readline()
        publisher.send_signal(signal.SIGKILL)
    objects, heard = FileObjects(tmp_path / "store"), list[Sent]()
    assert keys.manifest("iris", 1) not in list(objects.keys(""))

    check_published(objects, publish(objects, files, Ticking(), heard.append))

    assert sum(sent.size_bytes for sent in heard if sent.found) >= 6 * MIB


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_two_that_publish_the_same_files_at_once_both_publish(
    files: tuple[Path, Path], tmp_path: Path, kind: str
) -> None:
    store = MemoryObjects() if kind == "memory" else FileObjects(tmp_path / "store")
    done: dict[int, Published] = {}

    def run(who: int) -> None:
        done[who] = publish(store, files, Ticking())

    threads = [threading.Thread(target=run, args=(who,)) for who in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(each.manifest.version for each in done.values()) == [1, 2]
    for each in done.values():
        check_published(store, each)


def test_a_file_that_another_publisher_was_done_with_is_sent_again(files: tuple[Path, Path]) -> None:
    objects, removed = MemoryObjects(), itertools.count()

    def remove(operation: str, key: str) -> None:
        if operation == "copy" and next(removed) == 0:
            objects.delete(key if key.startswith(keys.UPLOADS) else STAGED_GRAPH)

    check_published(objects, publish(Watched(objects, before=remove), files, Ticking()))


def denied(request: Any) -> Any:
    from tests.contract.test_s3_objects import error

    return error(403, "AccessDenied")(request)
