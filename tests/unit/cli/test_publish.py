"""`warmstart publish` and `warmstart show`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer

from cli.publish import parse_drops, parse_labels
from cli.render import megabytes
from model_store import keys
from model_store.registry_reader import RegistryReader
from model_store.signing.sign import new_key
from tests.build import models
from tests.build.command_line import CommandLine
from warmstart.refs import ModelRef


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "scale.onnx"
    path.write_bytes(models.scale())
    return path


STEPS = ["load", "convert", "check", "parity", "optimise", "parity", "forecast", "baseline"]


def test_a_model_is_published_and_live(warmstart: CommandLine, source: Path) -> None:
    ran = warmstart("publish", str(source), "--name", "scale")

    assert ran.code == 0
    assert re.fullmatch(r"scale:1 published, 0\.\d kB\n", ran.out)
    assert RegistryReader(warmstart.stage.store).resolve(ModelRef.parse("scale")).version == 1


def test_each_step_of_the_gate_is_reported_with_its_time(warmstart: CommandLine, source: Path) -> None:
    ran = warmstart("publish", str(source), "--name", "scale")

    steps = [re.fullmatch(r"✓ (\w+) +\d+\.\d\d s  .+", line) for line in ran.err.splitlines()]
    assert [step and step[1] for step in steps] == [*STEPS, "register"]
    assert ran.err.splitlines()[1].endswith(" s  nothing to convert: it is ONNX")
    assert re.search(r" s  1 file, 0\.\d kB; 2 documents$", ran.err.splitlines()[-1])  # which layout won is measured


@pytest.mark.parametrize(
    ("option", "value", "refusal"),
    [
        ("--quantize", "int8", "--quantize: expected labelled rows"),
        ("--prices", "none.json", "none.json: expected a price table, found none"),
    ],
)
def test_a_slip_in_the_options_is_refused_before_any_work(
    warmstart: CommandLine, source: Path, option: str, value: str, refusal: str
) -> None:
    ran = warmstart("publish", str(source), "--name", "scale", option, value)

    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith(f"gate_rejected: load: {refusal}")


def test_with_a_key_it_is_signed(warmstart: CommandLine, source: Path, tmp_path: Path) -> None:
    public = new_key(tmp_path / "key.pem")

    ran = warmstart("publish", str(source), "-n", "scale", "--key", str(tmp_path / "key.pem"))

    assert ran.code == 0, ran.err
    assert f"key {public.key_id[:16]}…" in ran.err
    store = warmstart.stage.store
    assert json.loads(store.get(keys.signature("scale", 1)).body)["signatures"][0]["keyid"] == public.key_id
    assert f"signed by  {public.key_id[:16]}…" in warmstart("show", "scale").out


def test_the_key_may_come_from_the_environment_and_its_passphrase(
    warmstart: CommandLine, source: Path, tmp_path: Path
) -> None:
    new_key(tmp_path / "key.pem", passphrase="open sesame")
    environ = {"WARMSTART_SIGNING_KEY": str(tmp_path / "key.pem"), "WARMSTART_SIGNING_KEY_PASSPHRASE": "open sesame"}

    ran = warmstart("publish", str(source), "-n", "scale", environ=environ)

    assert ran.code == 0, ran.err
    assert keys.signature("scale", 1) in set(warmstart.stage.store.keys(keys.MODELS))
    assert "open sesame" not in ran.out + ran.err


def test_the_next_publication_is_the_next_version(warmstart: CommandLine, source: Path) -> None:
    warmstart("publish", str(source), "--name", "scale")

    document = warmstart("publish", str(source), "-n", "scale", "--json").document

    assert (document["name"], document["version"], document["live"]) == ("scale", 2, 2)
    assert [step["step"] for step in document["gate"]["steps"]] == STEPS


def test_a_dry_run_prints_the_plan_and_changes_nothing(warmstart: CommandLine, source: Path) -> None:
    ran = warmstart("publish", str(source), "--name", "scale", "--dry-run")

    assert ran.lines[:5] == [
        "scale:1",
        "        name  datatype  shape",
        "input   x     FP32      [-1, 2]",
        "output  y     FP32      [-1, 2]",
        "  claim version 1",
    ]
    assert ran.lines[5].startswith("  upload ")
    assert re.search(r" as model\.onnx, 0\.\d kB, sha256 ", ran.lines[5])
    assert ran.lines[-2:] == ["  write the manifest", "  create live"]
    assert list(warmstart.stage.store.keys(keys.MODELS)) == []


def test_a_dry_run_is_a_plan_for_machines_too(warmstart: CommandLine, source: Path) -> None:
    warmstart("publish", str(source), "--name", "scale")

    document = warmstart("publish", str(source), "--name", "scale", "--labels", "a,b", "--dry-run", "--json").document

    assert document["version"] == 2
    assert document["labels"] == ["a", "b"]
    assert document["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
    assert document["steps"][0] == {"step": "claim_version", "version": 2}
    files = [(step["step"], step["path"]) for step in document["steps"] if "path" in step]
    assert files[0] == ("upload_file", "model.onnx")
    assert ("write_document", "gate.json") in files
    assert document["steps"][-2:] == [{"step": "write_manifest"}, {"step": "move_alias", "alias": "live", "from": 1}]
    assert document["gate"]["steps"][0]["step"] == "load"


def test_what_was_published_is_shown_with_its_digest_whole_and_with_the_gates_report(
    warmstart: CommandLine, source: Path
) -> None:
    warmstart("publish", str(source), "--name", "scale", "--labels", "off,on")

    [title, *rest] = warmstart("show", "scale").lines

    assert title.startswith("scale:1  published 2")
    assert rest[:5] == [
        "        name  datatype  shape",
        "input   x     FP32      [-1, 2]",
        "output  y     FP32      [-1, 2]",
        "labels  off, on",
        "file        size    sha256",
    ]
    [file] = RegistryReader(warmstart.stage.store).manifest("scale", 1).files
    assert rest[5] == f"model.onnx  {megabytes(file.size_bytes)}  {file.sha256}"
    assert "source  scale.onnx" in rest
    assert [line.split()[1] for line in rest[rest.index("gate") + 1 :]] == STEPS


def test_for_machines_the_manifest_itself_is_shown_and_the_gates_report(warmstart: CommandLine, source: Path) -> None:
    warmstart("publish", str(source), "--name", "scale")

    document = warmstart("show", "scale:1", "--json").document

    assert (document["name"], document["version"]) == ("scale", 1)
    assert document["files"][0]["path"] == "model.onnx"
    assert [step["step"] for step in document["gate"]["steps"]] == STEPS


def test_the_report_is_a_page_that_needs_nothing_else(warmstart: CommandLine, source: Path, tmp_path: Path) -> None:
    warmstart("publish", str(source), "--name", "scale", "--report", str(tmp_path / "gate.html"), "--dry-run")

    page = (tmp_path / "gate.html").read_text(encoding="utf-8")

    assert "<title>scale: passed</title>" in page
    assert re.findall(r"(?:src|href|url)\s*[=(]", page) == []


def test_a_page_that_could_not_be_written_is_refused_before_any_work(
    warmstart: CommandLine, source: Path, tmp_path: Path
) -> None:
    ran = warmstart("publish", str(source), "--name", "scale", "--report", str(tmp_path / "nowhere" / "gate.html"))

    assert ran.code == 2
    assert "expected a file in a folder that is there" in ran.err
    assert "load" not in ran.err


def test_a_refusal_has_a_page_too(warmstart: CommandLine, tmp_path: Path) -> None:
    source = tmp_path / "<b>.onnx"
    source.write_bytes(b"hello")

    ran = warmstart("publish", str(source), "--name", "scale", "--report", str(tmp_path / "gate.html"))

    page = (tmp_path / "gate.html").read_text(encoding="utf-8")
    assert ran.code == 1
    assert re.search(r"<title>scale: rejected at (load|check)</title>", page)
    assert "<b>" not in page


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
    assert "gate_rejected: " in ran.err
    assert message in ran.err
    assert list(warmstart.stage.store.keys(keys.MODELS)) == []


def test_a_file_that_is_not_there_is_refused(warmstart: CommandLine, tmp_path: Path) -> None:
    ran = warmstart("publish", str(tmp_path / "model.onnx"), "--name", "iris")

    assert ran.code == 1
    assert ran.err.endswith(
        f"gate_rejected: load: {tmp_path / 'model.onnx'}: expected a model's file or folder, found nothing\n"
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


def test_drops_are_read_by_metric() -> None:
    assert parse_drops(["accuracy=0.01", "f1=0"]) == {"accuracy": 0.01, "f1": 0.0}


@pytest.mark.parametrize(
    "text", ["accuracy", "accuracy=", "=1", "accuracy=much", "accuracy=-1", "accuracy=nan", "f1=inf"]
)
def test_a_drop_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_drops([text])
