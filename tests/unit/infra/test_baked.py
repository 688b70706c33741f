"""Versions out of the store, for the layer that bakes them."""

from pathlib import Path

import pytest

from infra.baked import StoredModels
from layers.model_layer import build_model_layer
from model_store.memory import MemoryObjects
from tests.build.manifests import manifest, store_version
from warmstart.errors import ArtifactMismatch, InvalidManifest, Unsigned, VersionNotFound


def store() -> MemoryObjects:
    objects = MemoryObjects()
    store_version(objects, manifest("iris", 3, body=b"graph"), body=b"graph")
    return objects


def test_a_published_version_is_baked_where_the_handler_looks_first(tmp_path: Path) -> None:
    objects = store()

    built = build_model_layer(["iris:3"], source=StoredModels(objects), root=tmp_path)

    assert (built.path / "models/iris/3/model.onnx").read_bytes() == b"graph"
    stored = objects.get("models/iris/versions/3/manifest.json").body
    assert (built.path / "models/iris/3/manifest.json").read_bytes() == stored


def test_a_version_that_was_never_published_is_an_error() -> None:
    with pytest.raises(VersionNotFound, match="baked_models: expected a published version; got digits:1"):
        StoredModels(store()).read("digits", 1)


def test_a_manifest_that_cannot_be_read_is_an_error() -> None:
    objects = store()
    objects.put("models/iris/versions/3/manifest.json", b"{}")

    with pytest.raises(InvalidManifest):
        StoredModels(objects).read("iris", 3)


def test_a_file_of_another_size_than_published_is_refused(tmp_path: Path) -> None:
    objects = store()
    objects.put("models/iris/versions/3/model.onnx", b"graph!")

    with pytest.raises(ArtifactMismatch):
        build_model_layer(["iris:3"], source=StoredModels(objects), root=tmp_path)


def test_a_versions_signature_is_baked_beside_its_manifest(tmp_path: Path) -> None:
    objects = store()
    objects.put("models/iris/versions/3/signature.json", b"signed")

    built = build_model_layer(["iris:3"], source=StoredModels(objects, signed=True), root=tmp_path)

    assert (built.path / "models/iris/3/signature.json").read_bytes() == b"signed"


def test_a_version_that_was_signed_anew_is_baked_anew(tmp_path: Path) -> None:
    objects = store()
    before = build_model_layer(["iris:3"], source=StoredModels(objects), root=tmp_path)
    objects.put("models/iris/versions/3/signature.json", b"signed")

    assert build_model_layer(["iris:3"], source=StoredModels(objects), root=tmp_path).digest != before.digest


def test_an_unsigned_version_is_not_baked_where_signatures_are_asked_for() -> None:
    with pytest.raises(Unsigned, match=r"baked_models: expected a signed version, .* got iris:3: publish it again"):
        StoredModels(store(), signed=True).read("iris", 3)
