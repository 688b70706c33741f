"""Published versions, baked into a layer."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from layers.model_layer import Published, PublishedFile, build_model_layer
from warmstart.errors import BuildError


class File(NamedTuple):
    """A file as a manifest names it."""

    path: str
    size_bytes: int
    sha256: str


class Store:
    """Versions in memory; `downloads` are the paths that were asked for. A path in a folder `avx2` is a variant's."""

    def __init__(self, versions: dict[tuple[str, int], dict[str, bytes]]) -> None:
        self._versions = versions
        self.declared_bytes: int | None = None
        self.downloads: list[str] = []
        self.spoiled: bytes | None = None

    def read(self, name: str, version: int) -> Published:
        """Read a manifest."""
        files = self._versions[name, version]
        listed = [File(path, len(body), hashlib.sha256(body).hexdigest()) for path, body in files.items()]
        variants = [
            file._replace(size_bytes=self.declared_bytes or file.size_bytes)
            for file in listed
            if file.path.startswith("avx2/")
        ]
        return Published(repr(listed).encode(), [file for file in listed if "avx2/" not in file.path], variants)

    def download(self, name: str, version: int, file: PublishedFile, to: Path) -> None:
        """Write a file."""
        self.downloads.append(f"{name}:{version}/{file.path}")
        to.write_bytes(self._versions[name, version][file.path] if self.spoiled is None else self.spoiled)


def _store() -> Store:
    return Store(
        {
            ("iris", 3): {"model.onnx": b"graph", "weights/part.bin": b"weights"},
            ("digits", 1): {"model.onnx": b"other graph"},
        }
    )


def test_versions_lie_where_the_handler_looks_first(tmp_path: Path) -> None:
    built = build_model_layer(["iris:3", "digits:1"], source=_store(), root=tmp_path)
    assert zipfile.ZipFile(built.zip_path).namelist() == [
        "models/digits/1/manifest.json",
        "models/digits/1/model.onnx",
        "models/iris/3/manifest.json",
        "models/iris/3/model.onnx",
        "models/iris/3/weights/part.bin",
    ]
    assert (built.path / "models/iris/3/weights/part.bin").read_bytes() == b"weights"
    assert built.size_bytes == sum(path.stat().st_size for path in built.path.rglob("*") if path.is_file())
    assert list(built.sizes) == ["digits:1", "iris:3"]


def test_the_order_of_the_references_does_not_matter(tmp_path: Path) -> None:
    first = build_model_layer(["iris:3", "digits:1"], source=_store(), root=tmp_path / "one")
    second = build_model_layer(["digits:1", "iris:3", "iris:3"], source=_store(), root=tmp_path / "two")
    assert first.digest == second.digest


def test_files_are_not_downloaded_twice(tmp_path: Path) -> None:
    store = _store()
    first = build_model_layer(["digits:1"], source=store, root=tmp_path)
    assert build_model_layer(["digits:1"], source=store, root=tmp_path) == first
    assert store.downloads == ["digits:1/model.onnx"]


def test_the_same_number_in_another_store_is_another_layer(tmp_path: Path) -> None:
    first = build_model_layer(["iris:3"], source=_store(), root=tmp_path)
    second = build_model_layer(["iris:3"], source=Store({("iris", 3): {"model.onnx": b"new"}}), root=tmp_path)
    assert first.path != second.path


@pytest.mark.parametrize("body", [b"Graph", b"graph and more", b""])
def test_a_file_that_is_not_what_the_manifest_says_is_refused(tmp_path: Path, body: bytes) -> None:
    store = _store()
    store.spoiled = body
    with pytest.raises(BuildError, match=rf"iris:3: model\.onnx came with {len(body)} bytes.*publish it again"):
        build_model_layer(["iris:3"], source=store, root=tmp_path)
    assert list((tmp_path / "build/models").iterdir()) == []


@pytest.mark.parametrize("reference", ["iris", "iris@live", "iris:0", "iris:latest", "../iris:1", "iris:1\n"])
def test_a_reference_that_may_move_or_is_not_one_is_refused(tmp_path: Path, reference: str) -> None:
    with pytest.raises(BuildError, match="expected a version, as in iris:3"):
        build_model_layer([reference], source=_store(), root=tmp_path)


@pytest.mark.parametrize("path", ["../model.onnx", "/model.onnx", "a/../../b", "manifest.json", ""])
def test_a_file_that_leaves_its_folder_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(BuildError, match="leaves its folder"):
        build_model_layer(["iris:3"], source=Store({("iris", 3): {path: b"x"}}), root=tmp_path)


def test_layouts_for_a_processor_are_baked_too(tmp_path: Path) -> None:
    store = Store({("iris", 3): {"model.onnx": b"graph", "avx2/model.onnx": b"laid out"}})
    built = build_model_layer(["iris:3"], source=store, root=tmp_path)
    assert (built.path / "models/iris/3/avx2/model.onnx").read_bytes() == b"laid out"


def test_layouts_for_a_processor_are_left_out_of_a_layer_that_they_would_fill(tmp_path: Path) -> None:
    store = Store({("iris", 3): {"model.onnx": b"graph", "avx2/model.onnx": b"laid out"}})
    store.declared_bytes = 131_072_000
    build_model_layer(["iris:3"], source=store, root=tmp_path)
    assert store.downloads == ["iris:3/model.onnx"]


def test_nothing_to_bake_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="at least one version"):
        build_model_layer([], source=_store(), root=tmp_path)
