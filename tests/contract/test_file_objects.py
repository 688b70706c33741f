"""What a folder has to do beyond every store's contract: other processes, hostile keys and links, a full disk."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from model_store.file import LEFT_FOR_S, FileObjects
from model_store.operations.verify import verify_version
from model_store.registry import Registry
from tests.build.stores import MIB
from warmstart.errors import InsufficientMemory, ObjectNotFound, StoreDenied, StoreFull


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def objects(root: Path) -> FileObjects:
    return FileObjects(root)


HOSTILE = ["", "/etc/passwd", "../outside", "a/../../outside", "a//b", "a/./b", "a/", ".warmstart/lock", "a\0b"]


@pytest.mark.parametrize("key", HOSTILE)
def test_a_key_that_leaves_the_folder_is_refused(objects: FileObjects, tmp_path: Path, key: str) -> None:
    (tmp_path / "file").write_bytes(b"new")
    (tmp_path / "outside").write_bytes(b"secret")
    objects.put("source", b"new")

    for attempt in (
        lambda: objects.get(key),
        lambda: objects.stat(key),
        lambda: objects.put(key, b"new"),
        lambda: objects.upload(key, tmp_path / "file"),
        lambda: objects.copy("source", key),
        lambda: objects.copy(key, "target"),
        lambda: objects.delete(key),
        lambda: objects.download(key, tmp_path / "got", size_bytes=6),
    ):
        with pytest.raises(StoreDenied, match="not a key"):
            attempt()
    assert (tmp_path / "outside").read_bytes() == b"secret"
    assert not (tmp_path / "got").exists()


def test_a_link_in_the_place_of_an_object_is_refused(objects: FileObjects, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    objects.put("models/a", b"1")
    (root / "models" / "link").symlink_to(tmp_path / "outside")

    with pytest.raises(StoreDenied, match="models/link"):
        objects.get("models/link")
    assert list(objects.keys("")) == ["models/a"]

    objects.put("models/link", b"2")  # replaces the link, not what it points at
    assert (tmp_path / "outside").read_bytes() == b"secret"


def test_a_link_in_the_place_of_a_folder_is_refused(objects: FileObjects, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a").write_bytes(b"secret")
    objects.put("models/a", b"1")
    (root / "models" / "iris").symlink_to(tmp_path / "outside")

    with pytest.raises(StoreDenied, match="symbolic link within the store is not followed"):
        objects.get("models/iris/a")
    with pytest.raises(StoreDenied, match="symbolic link within the store is not followed"):
        objects.put("models/iris/a", b"2")
    assert list(objects.keys("models/")) == ["models/a"]
    assert list(objects.folders("models/")) == []
    assert (tmp_path / "outside" / "a").read_bytes() == b"secret"


def test_what_is_no_regular_file_is_refused(objects: FileObjects, root: Path) -> None:
    objects.put("a/b", b"1")
    os.mkfifo(root / "pipe")

    with pytest.raises(StoreDenied, match="pipe: expected a regular file"):
        objects.get("pipe")
    with pytest.raises(ObjectNotFound):
        objects.get("a")
    assert list(objects.keys("")) == ["a/b"]


def test_a_file_is_no_folder(objects: FileObjects) -> None:
    objects.put("a", b"1")

    for if_absent in (False, True):
        with pytest.raises(StoreDenied, match="a/b: a file cannot be a folder too"):
            objects.put("a/b", b"2", if_absent=if_absent)
    with pytest.raises(ObjectNotFound):
        objects.get("a/b")


def test_what_is_being_written_is_not_listed(objects: FileObjects, root: Path) -> None:
    objects.put("a", b"1")
    (root / ".warmstart" / "new" / "half").write_bytes(b"half")

    assert list(objects.keys("")) == ["a"]
    assert list(objects.folders("")) == []


def test_what_was_left_a_day_ago_is_removed_by_the_next_upload(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    FileObjects(root).upload("a", tmp_path / "file")
    for age in (LEFT_FOR_S - 60, LEFT_FOR_S + 60):
        left = root / ".warmstart" / "parts" / f"{age:.0f}"
        left.write_bytes(b"half")
        os.utime(left, (1e9 - age, 1e9 - age))

    FileObjects(root, clock=lambda: 1e9).upload("a", tmp_path / "file")

    assert [path.name for path in (root / ".warmstart" / "parts").iterdir()] == ["86340"]


COUNT = """
import sys
from pathlib import Path
from model_store.file import FileObjects
from warmstart.errors import PreconditionFailed

objects, won = FileObjects(Path(sys.argv[1])), 0
for _ in range(40):
    while True:
        body, etag = objects.get("counter")
        try:
            objects.put("counter", b"%d" % (int(body) + 1), if_match=etag)
            break
        except PreconditionFailed:
            continue
for number in range(40):
    try:
        objects.put(f"claims/{number}", sys.argv[2].encode(), if_absent=True)
        won += 1
    except PreconditionFailed:
        continue
print(won)
"""


def test_conditions_hold_between_processes(objects: FileObjects, root: Path) -> None:
    objects.put("counter", b"0")

    others = [
        subprocess.Popen([sys.executable, "-c", COUNT, str(root), str(who)], stdout=subprocess.PIPE) for who in range(3)
    ]
    won = [int(other.communicate(timeout=60)[0]) for other in others]

    assert objects.get("counter").body == b"120"
    assert sum(won) == len(list(objects.keys("claims/"))) == 40


PUBLISH = """
import sys, time, uuid
from pathlib import Path
from model_store.file import FileObjects
from model_store.gate import apply
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.plan import plan_publish
from model_store.manifest import RunOptions
from tests.build.manifests import IDENTITY

objects = FileObjects(Path(sys.argv[1]))
candidate = Candidate(signature=IDENTITY, layout=Layout((("model.onnx", Path(sys.argv[2])),), RunOptions()))
for _ in range(8):
    plan = plan_publish(candidate, "iris", objects)
    apply(plan, objects, by=sys.argv[2], clock=time.time, new_id=lambda: uuid.uuid4().hex)
"""


def test_two_processes_that_publish_the_same_name_share_no_version_and_lose_none(
    objects: FileObjects, root: Path, tmp_path: Path
) -> None:
    files = [tmp_path / "first", tmp_path / "second"]
    for file in files:
        file.write_bytes(file.name.encode() * MIB)
    others = [subprocess.Popen([sys.executable, "-c", PUBLISH, str(root), str(file)]) for file in files]

    assert [other.wait(120) for other in others] == [0, 0]

    registry = Registry(objects, clock=lambda: 0.0, new_id=str)
    assert registry.versions("iris") == list(range(1, 17))
    assert [verify_version(objects, "iris", version).problems for version in range(1, 17)] == [()] * 16
    assert registry.alias("iris", "live").version == 16
    moves = sorted((change.previous_version or 0, change.version) for change in registry.history("iris"))
    assert [before for before, _ in moves[1:]] == [after for _, after in moves[:-1]]
    assert list(objects.keys("uploads/")) == []


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let no file grow above a size: writing beyond fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_said_and_leaves_nothing(objects: FileObjects, root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(3 * MIB))
    objects.put("a", b"1")

    with room_for(MIB):
        with pytest.raises(StoreFull, match=r"a: .*: free some room, then try again"):
            objects.put("a", bytes(2 * MIB))
        with pytest.raises(StoreFull, match=r"b: .*: free some room, then try again"):
            objects.upload("b", tmp_path / "file")

    assert list(objects.keys("")) == ["a"]
    assert objects.get("a").body == b"1"
    assert list((root / ".warmstart" / "new").iterdir()) == []
    objects.upload("b", tmp_path / "file")
    assert objects.stat("b").size_bytes == 3 * MIB


def test_a_download_without_room_is_the_readers_trouble(objects: FileObjects, tmp_path: Path) -> None:
    objects.put("a", bytes(2 * MIB))
    (tmp_path / "tmp").mkdir()

    with room_for(MIB), pytest.raises(InsufficientMemory, match=r"a: no room for 2097152 bytes at "):
        objects.download("a", tmp_path / "tmp" / "a", size_bytes=2 * MIB)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_folder_that_may_not_be_written_is_read_and_refuses(objects: FileObjects, root: Path) -> None:
    objects.put("a", b"1")
    reader = os.open(root, os.O_PATH)
    root.chmod(0o555)
    (root / ".warmstart").chmod(0o555)
    with unprivileged():
        seen = FileObjects(Path(f"/proc/self/fd/{reader}"))
        assert seen.get("a").body == b"1"
        with pytest.raises(StoreDenied, match=r"b: .*: the store's folder has to be this user's"):
            seen.put("b", b"2")
    os.close(reader)
    (root / ".warmstart").chmod(0o755)
    root.chmod(0o755)
    assert list(objects.keys("")) == ["a"]


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be nobody for a while, where the tests run as root: root may write everywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
