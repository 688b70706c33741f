"""Step 5, its end: up to how many rows a model is computed sooner by one thread than by all of them.

ONNX Runtime weighs most operators' work before it shares it out. Those of classical models it shares out whatever the
work: an ensemble of more than 80 trees for a single row (`onnxruntime/core/providers/cpu/ml/tree_ensemble_common.h`,
`parallel_tree_`), and waking a thread takes longer than that row.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from model_store.convert.source import Batch, lacks, rows_of, take
from model_store.gate.candidate import Layout, open_session, run
from warmstart.tensors import ANY

if TYPE_CHECKING:
    from model_store.preprocessing.session import Runs
    from warmstart.tensors import TensorSpec

ROWS: Final = (1, 4, 16, 64, 256)
MIN_GAIN: Final = 0.05
"""By which part of its time one row has to be computed sooner: less is not worth a session of its own."""
MAX_LOSS: Final = 0.05
"""What more rows may lose: they are computed by the same operators, and a measurement has its noise."""
MOST_BYTES: Final = 16 * 2**20
"""Of a model's files: one that is opened twice takes its memory twice."""
PAIRS: Final = 41
PAUSE_S: Final = 0.0005
"""Between runs: as between requests, threads sleep meanwhile."""
_CLASSICAL: Final = "ai.onnx.ml"


def single_thread_rows(layout: Layout, inputs: Batch, specs: Sequence[TensorSpec], *, threads: int) -> int:
    """Return how many rows a request may have to be computed by one thread; 0 where that is no gain.

    `inputs` are rows as the model takes them, of which as many as needed are made. Raises: Unreachable if a package is
    missing.
    """
    threads = min(max(threads, 2), os.cpu_count() or 1)  # a function of one is not the only one to serve it
    if threads < 2 or layout.size_bytes > MOST_BYTES or not rows_of(inputs) or not _is_classical(layout):
        return 0
    if not all(spec.shape and spec.shape[0] == ANY for spec in specs):
        return 0
    one, all_of_them = open_session(layout, threads=1), open_session(layout, threads=threads)

    def ratio(rows: int) -> float:
        return _ratio(one, all_of_them, take(inputs, np.arange(rows) % rows_of(inputs)))

    return most_rows(ratio)


def most_rows(ratio: Callable[[int], float]) -> int:
    """Return the most of `ROWS` up to which one thread is the better choice; 0 where it is not even for one.

    `ratio` says what one thread takes for so many rows, in units of what all of them take.
    """
    found = 0
    for rows in ROWS:
        if ratio(rows) > (1 + MAX_LOSS if found else 1 - MIN_GAIN):
            break
        found = rows
    return found


def _is_classical(layout: Layout) -> bool:
    try:
        import onnx
    except ImportError as error:
        raise lacks(error, "convert") from error
    graph = onnx.load(layout.graph, load_external_data=False).graph
    return any(node.domain == _CLASSICAL for node in graph.node)


def _ratio(one: Runs, all_of_them: Runs, batch: Batch) -> float:
    """Return the median of what one thread takes for a batch, in units of what all of them take, side by side."""
    ratios = []
    for session in (one, all_of_them):
        run(session, batch)
    for _ in range(PAIRS):
        mine, theirs = _seconds(one, batch), _seconds(all_of_them, batch)
        ratios.append(mine / theirs)
    return statistics.median(ratios)


def _seconds(session: Runs, batch: Batch) -> float:
    time.sleep(PAUSE_S)
    started = time.perf_counter()
    run(session, batch)
    return time.perf_counter() - started
