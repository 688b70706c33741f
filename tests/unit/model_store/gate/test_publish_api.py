"""`from model_store import open_store, publish`: what a notebook calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from model_store import open_store, publish
from model_store.convert.source import Sample
from model_store.gate.publish import git_commit, sample_of
from tests.build import models
from warmstart.errors import InvalidSample


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
        assert store.registry.document(manifest, "gate.json") is not None
    assert manifest.provenance["source"] == "scale.onnx"
    assert len(manifest.provenance["gate_sha256"]) == 64


def test_a_frame_is_its_columns_and_text_stays_text() -> None:
    sample = sample_of(Frame({"age": [31, 44], "city": ["Paris", "Köln"]}))

    assert isinstance(sample, Sample)
    assert sample.columns["age"].tolist() == [31, 44]
    assert sample.columns["city"].tolist() == ["Paris", "Köln"]
    assert sample.columns["city"].dtype == object


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


def test_importing_the_registry_imports_neither() -> None:
    code = "import sys, model_store.registry_reader; print([m for m in sys.modules if 'gate' in m or 'stores' in m])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
