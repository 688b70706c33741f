"""Smaller numbers: int8 (dynamic, and static calibrated on the sample) or fp16, if the metric on labelled rows allows.

Signatures stay: inputs and outputs keep their datatypes. What each way costs and gains: docs/optimise.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch, rows_of, take
from model_store.gate.candidate import Candidate, Layout, open_session, run
from model_store.gate.layouts import AS_CONVERTED
from model_store.gate.metrics import check_metric, drop, score
from model_store.gate.onnx_source import GRAPH
from model_store.gate.quantized_graph import dynamic_int8, half_precision, static_int8
from model_store.gate.side_by_side import Measured, Patience, measure
from model_store.gate.steps import Figure, GateOptions, Outcome, Rejected
from warmstart import limits
from warmstart.errors import InvalidSample, UnsupportedModel

DYNAMIC, STATIC, HALF = "int8, dynamic", "int8, static", "fp16"
_BATCH_ROWS: Final = 32

Write = Callable[[Layout, Path], None]


class Tried(NamedTuple):
    """One precision: its layout, its metrics, how much worse each is than the model as converted."""

    layout: Layout
    metrics: Mapping[str, float]
    drops: Mapping[str, float]


def quantize(
    candidate: Candidate,
    inputs: Batch,
    truth: NDArray[np.generic] | None,
    options: GateOptions,
    folder: Path,
    *,
    request: Batch,
    patience: Patience,
) -> Outcome[Candidate]:
    """Write the model with smaller numbers, in every way there is; keep the fastest that loses no more than allowed.

    `inputs` are all rows, cast; `request` those of one request, to time it with.
    Raises: InvalidSample without truth, without a tolerated drop, or with a metric that does not fit; Rejected if
    there is nothing to quantize, or every way loses more.
    """
    expect_truth(truth, options)
    assert truth is not None  # noqa: S101 - it is expected above
    fixed = next((spec.shape[0] for spec in candidate.signature.inputs if spec.shape and spec.shape[0] > 0), None)
    batches = _batches(inputs, fixed or _BATCH_ROWS)
    before = Tried(candidate.layout, _metrics(candidate.layout, batches, truth, candidate, options), {})
    tried, failed = {AS_CONVERTED: before}, dict[str, str]()
    for number, (name, write) in enumerate(_ways(options, batches)):
        try:
            layout = _write(write, candidate.layout, folder / str(number))
            metrics = _metrics(layout, batches, truth, candidate, options)
        except UnsupportedModel as error:
            failed[name] = error.message
        else:
            drops = {metric: drop(metric, before.metrics[metric], value) for metric, value in metrics.items()}
            tried[name] = Tried(layout, metrics, drops)
    if len(tried) == 1:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        raise Rejected(f"--quantize {options.quantize}: {reasons}; publish it without --quantize")
    threads = limits.threads(options.target.memory_mb)
    measured = measure({name: one.layout for name, one in tried.items()}, request, threads=threads, patience=patience)
    rows: list[Figure] = [_row(name, tried[name], found) for name, found in measured.items()]
    figures: dict[str, Figure] = {"rows": rows_of(inputs), "precisions": rows, "failed": dict(failed)}
    best = _best(tried, measured, options, figures)
    return Outcome(
        replace(candidate, layout=tried[best].layout), _summary(best, tried, measured), {**figures, "chosen": best}
    )


def expect_truth(truth: NDArray[np.generic] | None, options: GateOptions) -> None:
    """Refuse to quantize without labelled rows and a limit, and what would be passed over. Raises: InvalidSample."""
    if options.truth is not None and truth is None:
        raise InvalidSample(f"--truth {options.truth}: expected the rows that it is a column of: --sample FILE")
    if options.quantize is None and options.max_drop:
        raise InvalidSample(
            "--max-drop: nothing is lost but by --quantize int8 or fp16: expected one of them beside it"
        )
    for metric in options.max_drop:
        check_metric(metric)
    if options.quantize is not None and (truth is None or not options.max_drop):
        raise InvalidSample(
            "--quantize: expected labelled rows and what may be lost on them; "
            "name the file by --sample, its column of right answers by --truth, and add --max-drop accuracy=0.01"
        )


def _ways(options: GateOptions, batches: list[Batch]) -> tuple[tuple[str, Write], ...]:
    if options.quantize == "fp16":
        return ((HALF, half_precision),)
    # Without VNNI, products of two full 8-bit numbers overflow on x86_64: 7 bits are safe on all of them.
    reduced = options.target.architecture == "x86_64"

    def dynamic(layout: Layout, graph: Path) -> None:
        dynamic_int8(layout, graph, reduced=reduced)

    def static(layout: Layout, graph: Path) -> None:
        static_int8(layout, graph, batches, reduced=reduced)

    return ((DYNAMIC, dynamic), (STATIC, static))


def _write(write: Write, source: Layout, folder: Path) -> Layout:
    folder.mkdir(parents=True)
    write(source, folder / GRAPH)
    beside = ((path.name, path) for path in sorted(folder.iterdir()) if path.name != GRAPH)
    return Layout(((GRAPH, folder / GRAPH), *beside), source.run)


def _batches(inputs: Batch, rows: int) -> list[Batch]:
    """Cut rows into requests; with a fixed batch, what is left over is left out."""
    return [take(inputs, slice(start, start + rows)) for start in range(0, rows_of(inputs) - rows + 1, rows)] or [
        inputs
    ]


def _metrics(
    layout: Layout, batches: list[Batch], truth: NDArray[Any], candidate: Candidate, options: GateOptions
) -> dict[str, float]:
    session = open_session(layout)
    answers = [run(session, batch) for batch in batches]
    outputs = {name: np.concatenate([np.asarray(answer[name]) for answer in answers]) for name in answers[0]}
    rows = sum(rows_of(batch) for batch in batches)
    return {metric: score(metric, truth[:rows], outputs, candidate.labels) for metric in options.max_drop}


def _best(
    tried: Mapping[str, Tried], measured: Mapping[str, Measured], options: GateOptions, figures: Mapping[str, Figure]
) -> str:
    """Name the fastest, warm, that loses no more than allowed. Raises: Rejected with what each loses."""

    def is_allowed(one: Tried) -> bool:
        return all(one.drops[metric] <= most for metric, most in options.max_drop.items())

    names = [name for name in measured if name != AS_CONVERTED and is_allowed(tried[name])]
    if names:
        return min(names, key=lambda name: measured[name].warm_ratio)
    lost = "; ".join(
        f"{name}: {metric} {tried[AS_CONVERTED].metrics[metric]:.4f} → {one.metrics[metric]:.4f}, "
        f"worse by {one.drops[metric]:.4f}"
        for name, one in tried.items()
        if name != AS_CONVERTED
        for metric in one.drops
    )
    most = ", ".join(f"{metric}={value:g}" for metric, value in options.max_drop.items())
    raise Rejected(
        f"--quantize {options.quantize}: expected to lose at most {most}; {lost}; "
        "allow more by --max-drop, or publish it without --quantize",
        figures=figures,
    )


def _row(name: str, one: Tried, found: Measured) -> dict[str, Figure]:
    return {
        "precision": name,
        "size_bytes": one.layout.size_bytes,
        "load_ms": round(found.load_ms, 3),
        "first_answer_ms": round(found.first_ms, 3),
        "warm_ms": round(found.warm_ms, 4),
        "memory_mb": None if found.memory_mb is None else round(found.memory_mb, 1),
        "warm_ratio": round(found.warm_ratio, 3),
        **{metric: round(value, 6) for metric, value in one.metrics.items()},
        **{f"{metric}_drop": round(value, 6) for metric, value in one.drops.items()},
    }


def _summary(best: str, tried: Mapping[str, Tried], measured: Mapping[str, Measured]) -> str:
    before, after = tried[AS_CONVERTED], tried[best]
    metrics = ", ".join(f"{name} {before.metrics[name]:.4f} → {value:.4f}" for name, value in after.metrics.items())
    sizes = f"{before.layout.size_bytes / 1e6:.1f} → {after.layout.size_bytes / 1e6:.1f} MB"
    return f"{best}: {sizes}, warm × {measured[best].warm_ratio:.2f}, {metrics}"
