"""A manifest as a value and as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from model_store.manifest import Manifest, ModelFile, parse_manifest, render_manifest
from tests.build.manifests import manifest
from warmstart.errors import InvalidManifest
from warmstart.tensors import Signature, TensorSpec


def document(**changes: Any) -> bytes:
    """Render a manifest whose fields are changed; a field that is changed to None is left out."""
    fields = json.loads(render_manifest(manifest())) | changes
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def test_what_is_written_is_read() -> None:
    written = Manifest(
        name="iris",
        version=3,
        created_at="2026-01-31T12:00:00.000Z",
        signature=Signature((TensorSpec("X", "FP32", (-1, 4)),), (TensorSpec("label", "INT64", (-1,)),)),
        files=(ModelFile("model.onnx", 5, "ab" * 32), ModelFile("data/w.bin", 0, "cd" * 32)),
        labels=("setosa", 1),
        provenance={"source": "notebook"},
    )

    assert parse_manifest(render_manifest(written), where="key") == written


def test_unknown_fields_are_kept() -> None:
    read = parse_manifest(document(schema_version="1.7", gate={"parity": 1e-7}), where="key")

    assert json.loads(render_manifest(read))["gate"] == {"parity": 1e-7}
    assert json.loads(render_manifest(read))["schema_version"] == "1.7"


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.1"])
def test_an_unknown_major_version_is_refused_with_the_remedy(version: str) -> None:
    with pytest.raises(InvalidManifest, match=rf"key: schema version {version}; this release reads 1\.x: upgrade"):
        parse_manifest(document(schema_version=version), where="key")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        document(schema_version=1),
        document(schema_version="one"),
        document(name=None),
        document(version="three"),
        document(files=[]),
        document(files=[{"path": "model.onnx"}]),
        document(files="model.onnx"),
        document(inputs=[{"name": "x", "datatype": "FP33", "shape": [1]}]),
        document(inputs=[{"name": "x", "datatype": "FP32", "shape": ["n"]}]),
        document(inputs=[{"name": "x", "datatype": "FP32", "shape": None}]),
        document(outputs=None),
        document(name=3),
        document(version=1.5),
        document(version=-1),
        document(created_at=0),
        document(inputs=[{"name": 1, "datatype": "FP32", "shape": [1]}]),
        document(inputs=[{"name": "x", "datatype": "FP32", "shape": [-2]}]),
        document(inputs=[{"name": "x", "datatype": "FP32", "shape": "4"}]),
        document(files=[{"path": "model.onnx", "size_bytes": -1, "sha256": "ab" * 32}]),
        document(files=[{"path": "model.onnx", "size_bytes": 1, "sha256": "AB" * 32}]),
        document(files=[{"path": "model.onnx", "size_bytes": 1, "sha256": None}]),
        document(labels=5),
        document(labels=[{"setosa": 1}]),
        document(labels=[0.5]),
        document(provenance=["notebook"]),
        document(provenance={"framework": 1}),
        b"[" * 100_000,
    ],
)
def test_what_is_no_manifest_is_refused_by_key(body: bytes) -> None:
    with pytest.raises(InvalidManifest, match=r"^models/iris/versions/1/manifest\.json: not a manifest"):
        parse_manifest(body, where="models/iris/versions/1/manifest.json")


@pytest.mark.parametrize("path", ["/etc/passwd", "../2/model.onnx", "a/../../b", "", ".", "a//b", "a/", "a\0b"])
def test_a_file_outside_of_the_version_is_refused(path: str) -> None:
    file = {"path": path, "size_bytes": 1, "sha256": "ab" * 32}

    with pytest.raises(InvalidManifest, match="is none within the version's folder"):
        parse_manifest(document(files=[file]), where="key")


def test_the_size_is_that_of_all_files() -> None:
    files = (ModelFile("model.onnx", 5, ""), ModelFile("w.bin", 7, ""))

    assert manifest()._replace(files=files).size_bytes == 12
