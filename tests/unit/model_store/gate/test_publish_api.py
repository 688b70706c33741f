"""`from model_store import open_store, publish`: what a notebook calls."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from model_store import open_store, publish
from model_store.convert.source import Sample
from model_store.gate.candidate import Layout
from model_store.gate.gate import called, examine, stamp_of
from model_store.gate.publish import git_commit, plan_examined, sample_of
from model_store.gate.report import render_report
from model_store.gate.steps import GateOptions, GateRejected
from model_store.manifest import RunOptions
from model_store.memory import MemoryObjects
from tests.build import models
from warmstart.errors import InvalidSample, InvalidSetting, UnsupportedModel

ROOT = Path(__file__).parents[4]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "scale.onnx"
    path.write_bytes(models.scale())
    return path


class Frame(NamedTuple):
    """As little of a DataFrame as is asked for."""

    data: dict[str, Any]

    @property
    def columns(self) -> list[str]:
        return list(self.data)

    def __getitem__(self, name: Any) -> Any:
        return Column(self.data[name])


class Column(NamedTuple):
    """One column of a frame."""

    values: list[Any]

    def to_numpy(self) -> NDArray[Any]:
        return np.array(self.values)


def test_a_model_is_published_into_a_folder_by_its_url(source: Path, tmp_path: Path) -> None:
    url = (tmp_path / "store").as_uri()

    published = publish(source, name="scale", store=url, sample=np.array([[1, 2], [3, 4]], np.float32), by="ada")

    assert published.alias.version == published.manifest.version == 1
    assert published.alias.change.changed_by == "ada"
    with open_store(url) as store:
        manifest = store.registry.manifest("scale", 1)
        assert published.report is not None
        assert store.registry.document(manifest, "gate.json") == render_report(published.report)
    assert manifest.provenance["source"] == "scale.onnx"
    assert len(manifest.provenance["gate_sha256"]) == 64


def test_what_the_gates_document_says_of_python_runs(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [shown] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/gate.md").read_text(encoding="utf-8"), re.DOTALL)
    shown = shown.replace("file:///tmp/models", (tmp_path / "models").as_uri())
    monkeypatch.chdir(tmp_path)

    exec(shown, {"estimator": source, "X": np.ones((60, 2), np.float32)})  # noqa: S102 - the document's own lines

    assert re.fullmatch(r"\[1\] onnx [\d.]+\n", capsys.readouterr().out)
    assert "<title>iris: passed</title>" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_trust_is_asked_for_by_the_name_that_the_refusal_says(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04csklearn.linear_model\nRidge\n")  # is cut off there
    url = (tmp_path / "store").as_uri()

    with pytest.raises(GateRejected, match="say so \\(--trust, trust=True\\)"):
        publish(tmp_path / "model.pkl", name="prices", store=url)
    with pytest.raises(GateRejected, match="cannot be read here"):
        publish(tmp_path / "model.pkl", name="prices", store=url, trust=True)


def test_a_frame_is_its_columns_and_text_stays_text() -> None:
    sample = sample_of(Frame({"age": [31, 44], "city": ["Paris", "Köln"]}))

    assert isinstance(sample, Sample)
    assert sample.columns["age"].tolist() == [31, 44]
    assert sample.columns["city"].tolist() == ["Paris", "Köln"]
    assert sample.columns["city"].dtype == object


def test_the_right_answers_may_be_a_column_of_rows_in_memory(tmp_path: Path) -> None:
    rows = Sample({"x": np.ones(2)}, "rows")

    with pytest.raises(GateRejected, match="load: rows: no column 'kind' of right answers: it has x"):
        examine(object(), "scale", tmp_path, GateOptions(sample=rows, truth="kind"))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("models:/iris/3", "models:/iris/3"),
        ("models:/iris@champion", "models:/iris@champion"),
        ("https://ann:secret@store/model?signature=secret", "https://store/model"),
        ("package.module:factory", "package.module:factory"),
        (Path(__file__), "test_publish_api.py"),
        (Path(__file__).parent / "..", "model_store"),
        (3, "int"),
    ],
)
def test_a_source_is_called_by_what_tells_it_apart(source: object, name: str) -> None:
    assert called(source) == name


@pytest.mark.parametrize("wrong", [{"tolerance": float("nan")}, {"tolerance": -1.0}, {"quantize": "int4"}], ids=str)
def test_options_that_would_prove_nothing_cannot_be_made(wrong: Any) -> None:
    with pytest.raises(InvalidSetting, match="expected"):
        GateOptions(**wrong)


def test_a_path_is_read_later() -> None:
    assert sample_of("rows.csv") == Path("rows.csv")


@pytest.mark.parametrize("rows", [3, {}, {"a": [1], "b": [1, 2]}, {"a": 1}], ids=["number", "none", "uneven", "scalar"])
def test_what_are_no_rows_is_refused(rows: object) -> None:
    with pytest.raises(InvalidSample, match="sample: expected"):
        sample_of(rows)


def test_the_commit_of_the_sources_folder_is_noted(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == ""
    identity = ("-c", "user.name=ada", "-c", "user.email=ada@example.com")
    (tmp_path / "train.py").write_text("")
    for command in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "one")):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)

    clean = git_commit(tmp_path)
    (tmp_path / "train.py").write_text("changed = True")

    assert len(clean) == 40
    assert git_commit(tmp_path) == f"{clean}+changes"


def test_a_repository_that_comes_with_a_model_runs_none_of_its_programs(tmp_path: Path) -> None:
    canary, repository = tmp_path / "canary", tmp_path / "model"
    repository.mkdir()

    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True)

    (repository / "model.bin").write_text("one")
    (repository / ".gitattributes").write_text("*.bin filter=evil")
    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=ada", "-c", "user.email=ada@example.com", "commit", "-qm", "one")
    for setting in ("core.fsmonitor", "filter.evil.clean", "core.sshCommand"):
        git("config", setting, f"touch '{canary}'; cat")
    hook = repository / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch '{canary}'\n")
    hook.chmod(0o755)
    (repository / "model.bin").write_text("two")

    assert git_commit(repository).endswith("+changes")
    assert not canary.exists()

    for setting, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": "ssh://host/repository",
    }.items():
        git("config", setting, value)
    for lost in (repository / ".git/objects").glob("??"):
        lost.rename(tmp_path / lost.name)

    git_commit(repository)
    assert not canary.exists()


def test_a_user_without_a_name_as_containers_have_them_is_unknown() -> None:
    code = "import os; from model_store.gate.publish import user_name; os.setuid(%d); print(user_name())"
    uid = 54321 if os.getuid() == 0 else os.getuid()  # who is not root keeps their own, which may have a name
    known = {entry.pw_uid: entry.pw_name for entry in pwd.getpwall()}

    done = subprocess.run(
        [sys.executable, "-c", code % uid], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)}
    )

    assert done.stdout.strip() == known.get(uid, "unknown")


def test_a_model_that_is_written_to_while_it_is_examined_is_not_published(source: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "work").mkdir()
    examined = examine(source, "scale", folder, GateOptions())
    as_it_came = replace(examined.candidate, layout=Layout((("model.onnx", source),), RunOptions()))
    examined = replace(examined, candidate=as_it_came, stamps={source: stamp_of(source)})
    source.write_bytes(models.scale(3.0))

    with pytest.raises(UnsupportedModel, match=r"scale\.onnx: it was written to while it was examined"):
        plan_examined(examined, "scale", MemoryObjects(), source=source)


def test_all_that_would_be_published_is_watched(source: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "work").mkdir()
    examined = examine(source, "scale", folder, GateOptions())

    assert set(examined.stamps) == {path for _, path in examined.candidate.layout.files}


def test_importing_the_registry_imports_neither() -> None:
    code = "import sys, model_store.registry_reader; print([m for m in sys.modules if 'gate' in m or 'stores' in m])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
