"""What a plan refuses before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_store.gate import plan_file
from model_store.memory import MemoryObjects
from tests.build import models
from warmstart.errors import UnsupportedModel


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(models.identity())  # y: FP32 [-1, 2]
    return path


def test_a_label_for_each_score_is_planned(source: Path) -> None:
    assert plan_file(source, "iris", MemoryObjects(), labels=("no", "yes")).labels == ("no", "yes")


def test_labels_that_are_not_as_many_as_the_scores_are_refused(source: Path) -> None:
    with pytest.raises(
        UnsupportedModel, match=r"labels: expected one for each column of y: FP32 \[-1, 2\], got 3: a, b, c"
    ):
        plan_file(source, "iris", MemoryObjects(), labels=("a", "b", "c"))
