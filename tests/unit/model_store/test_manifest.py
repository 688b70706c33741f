"""A manifest as a value and as JSON."""

from __future__ import annotations

import json
import os
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_store.manifest import Manifest, ModelFile, RunOptions, parse_manifest, render_manifest
from tests.build.manifests import manifest
from warmstart.errors import InvalidManifest
from warmstart.tensors import Signature, TensorSpec

FILE = {"path": "model.onnx", "size_bytes": 1, "sha256": "ab" * 32}


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
        files=(ModelFile("model.onnx", 5, "ab" * 32), ModelFile("data/w.bin", 0, "cd" * 32, ("ef" * 32, "01" * 32))),
        labels=("setosa", 1),
        provenance={"source": "notebook"},
    )

    assert parse_manifest(render_manifest(written), where="key") == written


def test_a_file_of_one_part_has_no_list_of_them() -> None:
    assert "parts" not in json.loads(render_manifest(manifest()))["files"][0]


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
        document(files=[{**FILE, "parts": ["AB" * 32]}]),
        document(files=[{**FILE, "parts": "ab" * 32}]),
        document(files=[{**FILE, "parts": None}]),
        document(labels=5),
        document(labels=[{"setosa": 1}]),
        document(labels=[0.5]),
        document(provenance=["notebook"]),
        document(provenance={"framework": 1}),
        b"[" * 100_000,
        document(files=[FILE, FILE]),
        document(files=[FILE, {**FILE, "path": "model.onnx/weights"}]),
        document(files=[{**FILE, "path": "\ud800"}]),
    ],
)
def test_what_is_no_manifest_is_refused_by_key(body: bytes) -> None:
    with pytest.raises(InvalidManifest, match=r"^models/iris/versions/1/manifest\.json: not a manifest"):
        parse_manifest(body, where="models/iris/versions/1/manifest.json")


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../2/model.onnx", "a/../../b", "", ".", "a//b", "a/", "a\0b", "x" * 256, "é" * 128]
)
def test_a_file_outside_of_the_version_is_refused(path: str) -> None:
    file = {"path": path, "size_bytes": 1, "sha256": "ab" * 32}

    with pytest.raises(InvalidManifest, match="is none within the version's folder"):
        parse_manifest(document(files=[file]), where="key")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PATHS = st.lists(st.sampled_from(["..", ".", "", "a", "b", "\ud800", "\0", "x" * 300]), max_size=4).map("/".join)
FILES = st.lists(
    st.fixed_dictionaries({"path": PATHS | VALUES, "size_bytes": st.integers() | VALUES, "sha256": st.just("ab" * 32)}),
    max_size=3,
)
RUN = st.dictionaries(
    st.sampled_from(["optimise", "extensions", "preprocess", "single_thread_rows", "threads"]), st.booleans() | VALUES
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "schema_version": st.sampled_from(["1.0", "1.9", "1", "9", "one", ""]) | VALUES,
        "files": FILES | VALUES,
        "documents": FILES | VALUES,
        "variants": st.lists(st.fixed_dictionaries({"processor": VALUES, "files": FILES, "run": RUN}), max_size=2)
        | VALUES,
        "run": RUN | VALUES,
        "preprocessing": VALUES,
        "labels": VALUES,
        "provenance": VALUES,
        "version": VALUES,
        "inputs": VALUES,
        "outputs": VALUES,
        "unknown": VALUES,
    },
)


@given(FIELDS)
@settings(max_examples=150, deadline=None)
def test_whatever_a_manifest_says_it_is_refused_or_stays_within_its_folder(fields: dict[str, Any]) -> None:
    body = json.dumps(json.loads(document()) | fields).encode()
    try:
        read = parse_manifest(body, where="key")
    except InvalidManifest:
        return

    assert isinstance(read.version, int)
    assert render_manifest(parse_manifest(render_manifest(read), where="key")) == render_manifest(read)
    for file in [*read.files, *read.documents, *(file for variant in read.variants for file in variant.files)]:
        place = PurePosixPath("/folder", file.path)
        assert place.is_relative_to("/folder")
        assert ".." not in place.parts
        assert os.fsencode(file.path)


def test_the_size_is_that_of_all_files() -> None:
    files = (ModelFile("model.onnx", 5, ""), ModelFile("w.bin", 7, ""))

    assert manifest()._replace(files=files).size_bytes == 12


def test_run_options_that_change_nothing_are_not_written() -> None:
    described = manifest()
    assert "single_thread_rows" not in json.loads(render_manifest(described))["run"]
    several = described._replace(run=RunOptions(single_thread_rows=64))
    assert parse_manifest(render_manifest(several), where="key").run == RunOptions(single_thread_rows=64)


@pytest.mark.parametrize("rows", [True, -1, 1.0, None, "1"])
def test_a_number_of_rows_is_whole(rows: object) -> None:
    with pytest.raises(InvalidManifest, match="run: single_thread_rows: expected a whole number, 0 or more"):
        parse_manifest(document(run={"single_thread_rows": rows}), where="key")
