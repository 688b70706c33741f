"""Step 7: statistics of the sample and of the answers to it, and golden examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch, Sample, rows_of, take
from model_store.gate.candidate import Candidate, open_session, run
from model_store.gate.column_statistics import describe
from model_store.gate.golden import GoldenExample, example, is_representable, is_tied, reduced, render_golden
from model_store.gate.model_monitor import render_constraints, render_statistics
from model_store.gate.sample import cast
from model_store.gate.sample_made import is_generated
from model_store.gate.steps import Figure, Outcome
from model_store.keys import CONSTRAINTS, GOLDEN, STATISTICS
from warmstart.errors import UnsupportedModel
from warmstart.tensors import TensorSpec

MAX_EXAMPLES: Final = 10
MAX_GOLDEN_BYTES: Final = 100_000
_TRIED_ROWS: Final = 100
"""So many rows are looked at for examples: most of a sample may be NaN, or longer than an example may be."""
_EXTREMES: Final = 4
"""Of so many columns the smallest and the largest value are looked for."""


def baseline(
    candidate: Candidate, sample: Sample, inputs: Batch, outputs: Batch, *, quantized: bool = False
) -> Outcome[Mapping[str, bytes]]:
    """Describe the sample and the answers: the documents by their path within the version.

    Rows that were made from the signature say nothing of what will be asked: of them there are no statistics.
    `inputs` and `outputs` are of all rows of the sample, or of fewer. Of a `quantized` model, golden answers may differ
    by more.
    """
    examples = _examples(candidate, inputs, outputs, quantized=quantized)
    golden = {GOLDEN: render_golden(examples)}
    kept: dict[str, Figure] = {"golden_examples": len(examples), "golden_bytes": len(golden[GOLDEN])}
    known = f"golden examples: {len(examples)}"
    if is_generated(sample):
        return Outcome(golden, f"no rows of yours, so no statistics to find drift by (--sample FILE); {known}", kept)
    columns = describe(_together(sample.columns, outputs))
    statistics = {
        STATISTICS: render_statistics(columns, sample.rows),
        CONSTRAINTS: render_constraints(columns),
    }
    figures: dict[str, Figure] = {
        "rows": sample.rows,
        "columns": len(columns),
        "incomplete_columns": [column.name for column in columns if column.missing],
        **kept,
    }
    summary = f"{len(columns)} columns of {sample.rows} rows described; {known}"
    return Outcome({**statistics, **golden}, summary, figures)


def _together(columns: Batch, outputs: Batch) -> Batch:
    """Put outputs after the columns; one of the same name as a column is called `output.NAME`."""
    return {**columns, **{f"output.{name}" if name in columns else name: array for name, array in outputs.items()}}


def _examples(candidate: Candidate, inputs: Batch, outputs: Batch, *, quantized: bool) -> list[GoldenExample]:
    """Ask the session for single requests: alone, a row may be answered otherwise than in a batch, if by a rounding."""
    signature = candidate.signature
    session = open_session(candidate.layout)
    found: list[GoldenExample] = []
    size = 0
    for request in _requests(inputs, outputs, signature.inputs):
        if not is_representable(request, missing=True):
            continue
        try:
            given = reduced(cast(request, signature.inputs))
            answer = run(session, given)
        except UnsupportedModel:  # repeated values of a large tensor need not be what the model can compute
            continue
        if not is_representable(given, missing=True) or not is_representable(answer):
            continue
        if is_tied(signature, answer, quantized=quantized):
            continue
        made = example(signature, given, answer, quantized=quantized)
        if size + (more := len(render_golden([made]))) > MAX_GOLDEN_BYTES:
            continue
        found.append(made)
        size += more
        if len(found) == MAX_EXAMPLES:
            break
    return found


def _requests(inputs: Batch, outputs: Batch, specs: tuple[TensorSpec, ...]) -> Iterator[Batch]:
    """Choose rows that differ, and make a request of each: with as many rows as the graph wants, from that one on."""
    sizes = {spec.shape[0] if spec.shape else 0 for spec in specs}
    if 0 in sizes or len(sizes) != 1:  # rows are not the first axis of all: one request is all there is
        yield inputs
        return
    rows, wanted = rows_of(inputs), max(sizes.pop(), 1)
    for row in _diverse(inputs, outputs, rows):
        yield take(inputs, (np.arange(wanted) + row) % rows)


def _diverse(inputs: Batch, outputs: Batch, rows: int) -> list[int]:
    """List rows, each once: the first, one of each label, those of extreme values, then evenly spaced ones."""
    chosen = [0]
    for array in _aligned(outputs, rows):
        chosen += _first_of_each(array)
    for batch in (outputs, inputs):
        columns = (column for array in _aligned(batch, rows) for column in _number_columns(array))
        for column, _ in zip(columns, range(_EXTREMES), strict=False):
            chosen += [int(np.argmin(column)), int(np.argmax(column))]
    chosen += np.linspace(0, rows - 1, min(rows, _TRIED_ROWS), dtype=int).tolist()
    return list(dict.fromkeys(chosen))[:_TRIED_ROWS]


def _aligned(batch: Batch, rows: int) -> Iterator[NDArray[Any]]:
    yield from (array for array in batch.values() if array.ndim and len(array) == rows)


def _first_of_each(array: NDArray[Any]) -> list[int]:
    """Find the first rows of up to `_EXTREMES` labels."""
    if array.dtype.kind == "f" or array.size != len(array):
        return []
    seen: dict[object, int] = {}
    for row, label in enumerate(array.reshape(-1).tolist()):
        seen.setdefault(label, row)
        if len(seen) == _EXTREMES:
            break
    return list(seen.values())


def _number_columns(array: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    if array.dtype.kind in "iuf" and array.size:
        flat = array.reshape(len(array), -1)
        yield from (np.nan_to_num(flat[:, index].astype(np.float64)) for index in range(min(flat.shape[1], _EXTREMES)))
