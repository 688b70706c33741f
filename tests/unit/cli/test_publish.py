"""`warmstart publish` and `warmstart show`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import typer

from cli.publish import parse_labels
from model_store import keys
from model_store.registry_reader import RegistryReader
from tests.build import models
from tests.build.command_line import CommandLine
from warmstart.refs import ModelRef


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "scale.onnx"
    path.write_bytes(models.scale())
    return path


def test_a_model_is_published_and_live(warmstart: CommandLine, source: Path) -> None:
    ran = warmstart("publish", str(source), "--name", "scale")

    assert (ran.code, ran.out, ran.err) == (0, "scale:1 published, 0.1 kB\n", "")
    assert RegistryReader(warmstart.stage.store).resolve(ModelRef.parse("scale")).version == 1


def test_the_next_publication_is_the_next_version(warmstart: CommandLine, source: Path) -> None:
    warmstart("publish", str(source), "--name", "scale")

    assert warmstart("publish", str(source), "-n", "scale", "--json").document == {
        "name": "scale",
        "version": 2,
        "live": 2,
    }


def test_a_dry_run_prints_the_plan_and_changes_nothing(warmstart: CommandLine, source: Path) -> None:
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()

    ran = warmstart("publish", str(source), "--name", "scale", "--dry-run")

    assert ran.lines == [
        "scale:1",
        "        name  datatype  shape",
        "input   x     FP32      [-1, 2]",
        "output  y     FP32      [-1, 2]",
        "  claim version 1",
        f"  upload scale.onnx as model.onnx, 0.1 kB, sha256 {sha256[:16]}…",
        "  write the manifest",
        "  create live",
    ]
    assert list(warmstart.stage.store.keys(keys.MODELS)) == []


def test_a_dry_run_is_a_plan_for_machines_too(warmstart: CommandLine, source: Path) -> None:
    warmstart("publish", str(source), "--name", "scale")

    document = warmstart("publish", str(source), "--name", "scale", "--labels", "a,b", "--dry-run", "--json").document

    assert document["version"] == 2
    assert document["labels"] == ["a", "b"]
    assert document["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
    assert document["steps"] == [
        {"step": "claim_version", "version": 2},
        {
            "step": "upload_file",
            "source": str(source),
            "path": "model.onnx",
            "size_bytes": source.stat().st_size,
            "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        },
        {"step": "write_manifest"},
        {"step": "move_alias", "alias": "live", "from": 1},
    ]


def test_what_was_published_is_shown_with_its_digest_whole(warmstart: CommandLine, source: Path) -> None:
    warmstart("publish", str(source), "--name", "scale", "--labels", "off,on")

    [title, *rest] = warmstart("show", "scale").lines

    assert title.startswith("scale:1  published 2")
    assert rest == [
        "        name  datatype  shape",
        "input   x     FP32      [-1, 2]",
        "output  y     FP32      [-1, 2]",
        "labels  off, on",
        "file        size    sha256",
        f"model.onnx  0.1 kB  {hashlib.sha256(source.read_bytes()).hexdigest()}",
        "source  scale.onnx",
    ]


def test_for_machines_the_manifest_itself_is_shown(warmstart: CommandLine, source: Path) -> None:
    warmstart("publish", str(source), "--name", "scale")

    document = warmstart("show", "scale:1", "--json").document

    assert (document["name"], document["version"]) == ("scale", 1)
    assert document["files"][0]["path"] == "model.onnx"


@pytest.mark.parametrize("ref", ["scale:9", "scale@canary"])
def test_a_version_or_an_alias_that_is_not_there_is_refused(warmstart: CommandLine, source: Path, ref: str) -> None:
    warmstart("publish", str(source), "--name", "scale")

    ran = warmstart("show", ref)

    assert ran.code == 1
    assert ran.err.endswith("→ `warmstart models` lists models, versions and aliases\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello", "not an ONNX model"),
        (b"", "not an ONNX model"),
        (models.zipmap(), "output 'probabilities': expected a tensor, got a sequence; convert it without ZipMap"),
    ],
    ids=["text", "empty", "zipmap"],
)
def test_what_cannot_be_served_is_refused_with_the_way_out(
    warmstart: CommandLine, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    ran = warmstart("publish", str(path), "--name", "iris")

    assert ran.code == 1
    assert ran.err.startswith(f"unsupported_model: {path}: ")
    assert message in ran.err


def test_a_file_that_is_not_there_is_refused(warmstart: CommandLine, tmp_path: Path) -> None:
    ran = warmstart("publish", str(tmp_path / "model.onnx"), "--name", "iris")

    assert (ran.code, ran.err) == (
        1,
        f"unsupported_model: {tmp_path / 'model.onnx'}: expected an .onnx file, found nothing\n",
    )


def test_a_name_that_no_model_may_have_is_wrong_usage(warmstart: CommandLine, source: Path) -> None:
    assert warmstart("publish", str(source), "--name", "Iris").code == 2


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (None, ()),
        ("setosa,versicolor", ("setosa", "versicolor")),
        (" a , b ", ("a", "b")),
        ("0,1,2", (0, 1, 2)),
        ("0,one", ("0", "one")),
    ],
)
def test_labels_are_whole_numbers_if_all_are(text: str | None, labels: tuple[str | int, ...]) -> None:
    assert parse_labels(text) == labels


@pytest.mark.parametrize("text", ["", "a,,b", "a,b,", "a,a"])
def test_empty_and_repeated_labels_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_labels(text)
