"""Up to how many rows one thread computes: by a rule over ratios, and asked of real sessions where it may matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_store.gate import threads
from model_store.gate.candidate import Layout
from model_store.gate.threads import ROWS, most_rows, single_thread_rows
from model_store.manifest import RunOptions
from tests.build import models
from warmstart.tensors import TensorSpec

X = TensorSpec("x", "FP32", (-1, 1))
INPUTS = {"x": np.linspace(0, 1, 10, dtype=np.float32)[:, None]}


@pytest.mark.parametrize(
    ("ratios", "rows"),
    [
        ((0.3, 1.0, 1.05, 1.06), 16),
        ((0.95, 2.0), 1),
        ((0.96,), 0),
        ((0.5, 0.5, 0.5, 0.5, 0.5), 256),
    ],
)
def test_one_row_has_to_gain_and_more_may_not_lose(ratios: tuple[float, ...], rows: int) -> None:
    assert most_rows(dict(zip(ROWS, ratios, strict=False)).__getitem__) == rows


def written(tmp_path: Path, body: bytes) -> Layout:
    path = tmp_path / "model.onnx"
    path.write_bytes(body)
    return Layout((("model.onnx", path),), RunOptions())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of rows that are timed, on a machine of four processors."""
    found: list[int] = []
    timed = threads._seconds

    def seconds(session: Any, batch: Any) -> float:
        found.append(len(batch["x"]))
        return timed(session, batch)

    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr(threads, "_seconds", seconds)
    return found


def test_an_ensemble_of_trees_is_timed(tmp_path: Path, asked: list[int]) -> None:
    found = single_thread_rows(written(tmp_path, models.trees(100)), INPUTS, [X], threads=1)
    assert found in (0, *ROWS)
    assert sorted(set(asked)) == list(ROWS[: len(set(asked))])
    assert asked.count(1) == 2 * threads.PAIRS


@pytest.mark.parametrize(
    ("body", "spec", "processors"),
    [
        (models.trees(100), X, 1),
        (models.trees(100), TensorSpec("x", "FP32", (1, 1)), 2),
        (models.identity(), X, 2),
    ],
    ids=["one processor", "no batches", "operators whose work is weighed"],
)
def test_what_has_nothing_to_gain_is_not_timed(
    tmp_path: Path, asked: list[int], monkeypatch: pytest.MonkeyPatch, body: bytes, spec: TensorSpec, processors: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    assert single_thread_rows(written(tmp_path, body), INPUTS, [spec], threads=2) == 0
    assert asked == []


def test_a_large_model_is_not_opened_twice(tmp_path: Path, asked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MOST_BYTES", 100)
    assert single_thread_rows(written(tmp_path, models.trees(100)), INPUTS, [X], threads=2) == 0
    assert asked == []
