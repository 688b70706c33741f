"""Which client reads the store that a URL names, and where it looks."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from handlers.server.store import Below, open_reader
from model_store.file import FileObjects
from model_store.memory import MemoryObjects
from model_store.s3_reader import S3Reader
from model_store.stores import parse_bucket
from warmstart.errors import InvalidSetting, ObjectNotFound

KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}


def test_a_folder_is_read_as_it_is(tmp_path: Path) -> None:
    FileObjects(tmp_path).put("models/a", b"1")
    with ExitStack() as closing:
        assert open_reader(f"file://{tmp_path}", {}, closing).get("models/a").body == b"1"


def test_with_keys_in_the_environment_the_data_planes_own_client_reads_a_bucket() -> None:
    with ExitStack() as closing:
        assert isinstance(open_reader("s3://bucket", KEYS, closing), S3Reader)
        assert isinstance(open_reader("s3://bucket/some/prefix/", KEYS, closing), Below)


@pytest.mark.parametrize("url", ["http://bucket", "s3://", "file://host/path", "models", "s3://bucket?x=1"])
def test_another_url_is_refused(url: str) -> None:
    with ExitStack() as closing, pytest.raises(InvalidSetting, match="store: expected s3://bucket"):
        open_reader(url, KEYS, closing)


def test_a_bucket_and_its_prefix_are_told_apart() -> None:
    assert parse_bucket("s3://bucket") == ("bucket", "")
    assert parse_bucket("s3://bucket/a%20b/c/") == ("bucket", "a b/c/")


def test_below_a_prefix_nothing_else_is_seen(tmp_path: Path) -> None:
    objects = MemoryObjects()
    etag = objects.put("team/models/a", b"12")
    objects.put("models/b", b"3")
    below = Below(objects, "team/")

    assert below.get("models/a").body == b"12"
    assert below.get_if_changed("models/a", etag) is None
    assert list(below.keys("models/")) == ["models/a"]
    below.download("models/a", tmp_path / "a", size_bytes=2)
    assert (tmp_path / "a").read_bytes() == b"12"
    with pytest.raises(ObjectNotFound):
        below.get("models/b")
