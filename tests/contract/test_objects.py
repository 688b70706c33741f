"""What every object store does, and every reader of one."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from model_store.objects import ObjectStore, Sent
from tests.build.stores import MIB, Pair
from warmstart.errors import ArtifactMismatch, ObjectNotFound, PreconditionFailed

ODD_KEYS = ["a/plain.json", "a/with space", "a/plus+and&=?#%", "a/@at:colon", "a/ünïcode-é-日本", "a/~tilde_(x)!*'"]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_what_was_put_is_read(pair: Pair, key: str) -> None:
    etag = pair.store.put(key, b"body")

    assert pair.reader.get(key) == (b"body", etag)


def test_an_empty_object_is_read(pair: Pair) -> None:
    pair.store.put("empty", b"")

    assert pair.reader.get("empty").body == b""


def test_a_missing_object_is_not_found(pair: Pair) -> None:
    with pytest.raises(ObjectNotFound, match="missing/key"):
        pair.reader.get("missing/key")


def test_an_unchanged_object_is_not_read_again(pair: Pair) -> None:
    etag = pair.store.put("alias.json", b"1")

    assert pair.reader.get_if_changed("alias.json", etag) is None


def test_a_changed_object_is_read_again(pair: Pair) -> None:
    seen = pair.store.put("alias.json", b"1")
    now = pair.store.put("alias.json", b"2")

    assert pair.reader.get_if_changed("alias.json", seen) == (b"2", now)


def test_an_object_that_is_gone_is_not_unchanged(pair: Pair) -> None:
    with pytest.raises(ObjectNotFound):
        pair.reader.get_if_changed("gone", '"0"')


@pytest.mark.parametrize("size", [0, 1, 3 * MIB, 8 * MIB, 8 * MIB + 1, 17 * MIB + 5])
def test_a_download_is_whole_whatever_its_size(pair: Pair, tmp_path: Path, size: int) -> None:
    body = hashlib.shake_256(b"seed").digest(size)
    pair.store.put("large", body)

    pair.reader.download("large", tmp_path / "file", size_bytes=size)

    assert (tmp_path / "file").read_bytes() == body
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("expected", [0, 999, 1001, 9 * MIB])
def test_a_download_of_another_size_is_refused_and_leaves_nothing(pair: Pair, tmp_path: Path, expected: int) -> None:
    pair.store.put("artifact", bytes(1000))

    with pytest.raises(ArtifactMismatch, match=rf"artifact: expected {expected} bytes, the store holds"):
        pair.reader.download("artifact", tmp_path / "file", size_bytes=expected)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("expected", [8 * MIB + 1, 20 * MIB])
def test_a_large_download_of_another_size_is_refused_and_leaves_nothing(
    pair: Pair, tmp_path: Path, expected: int
) -> None:
    pair.store.put("artifact", bytes(10 * MIB))

    with pytest.raises(ArtifactMismatch):
        pair.reader.download("artifact", tmp_path / "file", size_bytes=expected)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_download_leaves_nothing(pair: Pair, tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFound):
        pair.reader.download("missing", tmp_path / "file", size_bytes=10)
    assert list(tmp_path.iterdir()) == []


def test_a_put_replaces(store: ObjectStore) -> None:
    store.put("key", b"1")
    store.put("key", b"2")

    assert store.get("key").body == b"2"


def test_a_put_if_absent_creates(store: ObjectStore) -> None:
    etag = store.put("key", b"1", if_absent=True)

    assert store.get("key") == (b"1", etag)


def test_a_put_if_absent_changes_nothing_that_is_there(store: ObjectStore) -> None:
    store.put("key", b"1")

    with pytest.raises(PreconditionFailed, match="key"):
        store.put("key", b"2", if_absent=True)
    assert store.get("key").body == b"1"


def test_a_put_if_absent_refuses_even_equal_bytes(store: ObjectStore) -> None:
    store.put("key", b"1")

    with pytest.raises(PreconditionFailed):
        store.put("key", b"1", if_absent=True)


def test_a_put_if_match_replaces_what_was_seen(store: ObjectStore) -> None:
    seen = store.put("key", b"1")

    now = store.put("key", b"2", if_match=seen)

    assert store.get("key") == (b"2", now)


def test_a_put_if_match_changes_nothing_that_moved(store: ObjectStore) -> None:
    seen = store.put("key", b"1")
    store.put("key", b"2")

    with pytest.raises(PreconditionFailed, match="key"):
        store.put("key", b"3", if_match=seen)
    assert store.get("key").body == b"2"


def test_a_put_if_match_creates_nothing(store: ObjectStore) -> None:
    with pytest.raises(PreconditionFailed, match="key"):
        store.put("key", b"1", if_match='"0"')
    with pytest.raises(ObjectNotFound):
        store.get("key")


@pytest.mark.parametrize("size", [0, 1000, 5 * MIB, 12 * MIB + 3])
@pytest.mark.parametrize("if_absent", [False, True])
def test_an_upload_is_whole_whatever_its_size(store: ObjectStore, tmp_path: Path, size: int, if_absent: bool) -> None:
    body = hashlib.shake_256(b"seed").digest(size)
    (tmp_path / "file").write_bytes(body)

    store.upload("key", tmp_path / "file", if_absent=if_absent)

    assert store.get("key").body == body


@pytest.mark.parametrize("size", [1000, 6 * MIB])
def test_an_upload_if_absent_changes_nothing_that_is_there(store: ObjectStore, tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(bytes(size))
    store.put("key", b"first")

    with pytest.raises(PreconditionFailed, match="key"):
        store.upload("key", tmp_path / "file", if_absent=True)
    assert store.get("key").body == b"first"


def test_keys_are_listed_in_order_and_by_prefix(pair: Pair) -> None:
    for key in ["b/2", "a/1", "b/10", "b/1", "bb/1", "b/ü &+<%41>"]:
        pair.store.put(key, b"")

    assert list(pair.reader.keys("b/")) == ["b/1", "b/10", "b/2", "b/ü &+<%41>"]


def test_more_keys_than_a_page_holds_are_listed(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")  # a page of S3 itself holds 1,000
    for number in range(7):
        pair.store.put(f"many/{number}", b"")

    assert list(pair.reader.keys("many/")) == [f"many/{number}" for number in range(7)]


def test_folders_are_the_next_segments_alone(store: ObjectStore) -> None:
    for key in ["models/iris/versions/1/a", "models/iris/versions/2/a", "models/wine/a", "models/file", "other/x/y"]:
        store.put(key, b"")

    assert list(store.folders("models/")) == ["iris", "wine"]


def test_nothing_is_listed_under_an_unknown_prefix(store: ObjectStore) -> None:
    assert list(store.keys("none/")) == []
    assert list(store.folders("none/")) == []


def test_an_upload_says_how_many_bytes_are_there(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(12 * MIB + 3))
    heard: list[Sent] = []

    store.upload("key", tmp_path / "file", on_bytes=heard.append)

    assert sum(sent.size_bytes for sent in heard) == 12 * MIB + 3
    assert not any(sent.found for sent in heard)


@pytest.mark.parametrize("size", [0, 1000, 12 * MIB + 3])
@pytest.mark.parametrize("if_absent", [False, True])
def test_a_copy_is_whole_and_leaves_its_source(store: ObjectStore, size: int, if_absent: bool) -> None:
    body = hashlib.shake_256(b"seed").digest(size)
    store.put("from/here", body)

    store.copy("from/here", "to/there", if_absent=if_absent)

    assert store.get("to/there").body == body
    assert store.get("from/here").body == body


def test_a_copy_if_absent_changes_nothing_that_is_there(store: ObjectStore) -> None:
    store.put("source", b"second")
    store.put("key", b"first")

    with pytest.raises(PreconditionFailed, match="key"):
        store.copy("source", "key", if_absent=True)
    assert store.get("key").body == b"first"


def test_a_copy_is_not_changed_with_its_source(store: ObjectStore) -> None:
    store.put("source", b"1")
    store.copy("source", "key")

    store.put("source", b"2")

    assert store.get("key").body == b"1"


def test_a_copy_of_nothing_is_not_found(store: ObjectStore) -> None:
    with pytest.raises(ObjectNotFound, match="missing"):
        store.copy("missing", "key")
    assert list(store.keys("")) == []


def test_what_was_deleted_is_gone_and_listed_no_more(store: ObjectStore) -> None:
    for key in ("models/iris/a", "models/wine/a"):
        store.put(key, b"")

    store.delete("models/iris/a")

    assert list(store.keys("models/")) == ["models/wine/a"]
    assert list(store.folders("models/")) == ["wine"]
    with pytest.raises(ObjectNotFound):
        store.get("models/iris/a")


def test_what_is_not_there_may_be_deleted(store: ObjectStore) -> None:
    store.delete("models/iris/a")


def test_a_deleted_object_is_absent_for_the_next_put(store: ObjectStore) -> None:
    store.put("key", b"1")
    store.delete("key")

    store.put("key", b"2", if_absent=True)

    assert store.get("key").body == b"2"


def test_an_objects_size_and_age_are_said(store: ObjectStore) -> None:
    before = time.time() - 5
    store.put("key", bytes(1000))

    size, modified_at = store.stat("key")

    assert size == 1000
    assert before < modified_at < time.time() + 5


def test_a_missing_object_has_no_size(store: ObjectStore) -> None:
    with pytest.raises(ObjectNotFound, match="missing"):
        store.stat("missing")
