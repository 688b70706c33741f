"""Builders of what the forecast works on: measurements in literal numbers, candidates of any size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from model_store.convert.source import Batch
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.measure import Measured, Timing
from model_store.manifest import RunOptions
from tests.build import manifests

MIB = 1024 * 1024
ROWS: Batch = {"x": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)}
"""Two rows of `manifests.IDENTITY`."""


def measured(**changes: Any) -> Measured:
    """A model of which a run takes 40 ms on one processor and 25 ms on two, in round numbers."""
    return Measured(
        **{
            "machine": "x86_64",
            "processor": "Literal Processor",
            "cores": 2,
            "onnxruntime": "1.28.0",
            "init": Timing(0.2, 0.2),
            "session": Timing(0.1, 0.1),
            "first_run": Timing(0.05, 0.05),
            "warm": {1: Timing(0.040, 0.040), 2: Timing(0.025, 0.044)},
            "values_in": 0,
            "values_out": 0,
            "resident_bytes": 90 * MIB,
            "peak_bytes": 104 * MIB,
            "hash_bytes_per_s": 1e9,
            **changes,
        }
    )


def candidate(folder: Path, size_bytes: int) -> Candidate:
    """A candidate whose one file has this size and takes no disk."""
    path = folder / "model.onnx"
    with path.open("wb") as file:
        file.truncate(size_bytes)
    return Candidate(signature=manifests.IDENTITY, layout=Layout(((path.name, path),), RunOptions()))
