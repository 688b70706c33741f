"""Opening a store by its URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_store.file import FileObjects
from model_store.s3 import S3Objects
from model_store.stores import open_store
from tests.build.manifests import manifest, store_alias, store_version
from warmstart.errors import InvalidSetting, StoreDenied
from warmstart.refs import ModelRef


def test_a_folder_is_a_store(tmp_path: Path) -> None:
    url = (tmp_path / "models of ours").as_uri()

    with open_store(url) as store:
        store_version(store.objects, manifest())
        store_alias(store.objects, "iris", 1)

        assert store.registry.resolve(ModelRef.parse("iris")) == manifest()
        assert (repr(store), type(store.objects)) == (f"Store({url!r})", FileObjects)
    assert (tmp_path / "models of ours" / "models" / "iris" / "versions" / "1" / "model.onnx").read_bytes() == b"graph"


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "s3://bucket/a/prefix", "s3://bucket/a/prefix/"])
def test_a_bucket_is_a_store(url: str) -> None:
    with open_store(url, region="eu-central-1") as store:
        assert type(store.objects) is S3Objects


@pytest.mark.parametrize(
    "url",
    [
        *("", "models", "/models", "s3://", "s3:///x", "s3://[b", "s3://b?x=1", "gs://b"),
        *("file:models", "file://host/models", "file:///models%00"),
    ],
)
def test_what_is_no_store_is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting, match=r"expected s3://bucket, s3://bucket/prefix or file:///path; got '"):
        open_store(url)


def test_a_profile_that_is_not_there_is_named() -> None:
    with pytest.raises(StoreDenied, match="nobody-has-this"):
        open_store("s3://bucket", profile="nobody-has-this")
