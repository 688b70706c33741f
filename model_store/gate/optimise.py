"""Step 5: the layout that loads and runs fastest, by measurement; smaller numbers if asked for."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch, lacks
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.layouts import AS_CONVERTED, Written, this_processor, write_layouts
from model_store.gate.measure import one_request
from model_store.gate.quantize import quantize
from model_store.gate.sample import cast
from model_store.gate.side_by_side import MAX_WARM_RATIO, PATIENCE, Measured, Patience, measure
from model_store.gate.speed import DOWNLOAD_BYTES_PER_S
from model_store.gate.steps import Figure, GateOptions, Outcome, Target
from model_store.gate.threads import single_thread_rows
from warmstart import limits

MIN_GAIN: Final = 0.05
"""By which part of the first answer's time a cold start has to be shorter, for a layout to replace a simpler one."""
MIN_GAIN_OF_VARIANT: Final = 0.1
"""... and for one that is kept beside it, for one kind of processor: it is stored, uploaded and verified as well."""
MIN_GAIN_MS: Final = 1.0
"""What is less than this is nothing beside a cold start."""


class Choice(NamedTuple):
    """The names of the layouts kept: one for every machine, and perhaps one for this processor."""

    portable: str
    own: str | None = None


def optimise(
    candidate: Candidate,
    inputs: Batch,
    truth: NDArray[np.generic] | None,
    options: GateOptions,
    folder: Path,
    *,
    patience: Patience = PATIENCE,
) -> Outcome[Candidate]:
    """Choose the layout by measurement; `folder` does not exist yet, and what is new is written there.

    Raises: Rejected if a quantized model loses more than `options.max_drop`, or there is nothing to quantize;
    InvalidSample if it cannot be told.
    """
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise lacks(error, "convert") from error
    folder.mkdir(parents=True)
    given = cast(inputs, candidate.signature.inputs)
    request = one_request(given, candidate.signature.inputs)
    smaller = None
    if options.quantize is not None:
        smaller = quantize(candidate, given, truth, options, folder / "quantized", request=request, patience=patience)
        candidate = smaller.value
    own, note = _processor(options.target, ort.__version__)
    written = write_layouts(candidate, request, folder / "layouts", processor=own)
    threads = limits.threads(options.target.memory_mb)
    measured = measure(written.layouts, request, threads=threads, patience=patience)
    choice = choose({name: (found, written.layouts[name].size_bytes) for name, found in measured.items()}, written.own)
    figures: dict[str, Figure] = {
        "chosen": choice.portable,
        "for_processor": own if choice.own else None,
        "onnxruntime": ort.__version__,
        "threads": threads,
        "layouts": [_row(name, found, written, choice) for name, found in measured.items()],
        "left_out": dict(written.dropped),
    }
    if note:
        figures["note"] = note
    if smaller is not None:
        figures["quantized"] = dict(smaller.figures)
    chosen = _kept(candidate, written, choice, own, folder / "layouts")
    rows = single_thread_rows(chosen.layout, given, candidate.signature.inputs, threads=threads)
    figures["single_thread_rows"] = rows
    if rows:
        chosen = replace(
            chosen,
            layout=_on_one_thread(chosen.layout, rows),
            variants={name: _on_one_thread(layout, rows) for name, layout in chosen.variants.items()},
        )
    alone = f"one thread for up to {rows} {'row' if rows == 1 else 'rows'}" if rows else ""
    lines = (smaller.summary if smaller else "", _summary(choice, measured), alone, note)
    return Outcome(chosen, "; ".join(line for line in lines if line), figures)


def _on_one_thread(layout: Layout, rows: int) -> Layout:
    return layout._replace(run=layout.run._replace(single_thread_rows=rows))


def choose(measured: Mapping[str, tuple[Measured, int]], own: frozenset[str]) -> Choice:
    """Choose by name, from what was measured and the bytes of each; `own` are those for one kind of processor.

    None that is slower warm than 1.03 times the model as converted. A cold start counts as the time from opening to the
    first answer, and what bytes it has more than the model as converted cost to fetch. Of the portable layouts, the
    simplest that is within 5 % of the model as converted, or 1 ms, of the shortest cold start. Beside it the one for
    this processor with the shortest, if that is shorter by a tenth, and 1 ms.
    """
    reference, reference_bytes = measured[AS_CONVERTED]

    def cost_ms(name: str) -> float:
        found, size_bytes = measured[name]
        fetching_ms = 1e3 * (size_bytes - reference_bytes) / DOWNLOAD_BYTES_PER_S
        return found.first_ratio * reference.first_ms + fetching_ms

    def gain_ms(share: float) -> float:
        return max(MIN_GAIN_MS, share * reference.first_ms)

    fit = [name for name, (found, _) in measured.items() if found.warm_ratio <= MAX_WARM_RATIO]
    portables = [name for name in fit if name not in own]
    least_ms = min(map(cost_ms, portables))
    portable = next(name for name in portables if cost_ms(name) <= least_ms + gain_ms(MIN_GAIN))
    best = min((name for name in fit if name in own), key=cost_ms, default=None)
    if best is None or cost_ms(best) > cost_ms(portable) - gain_ms(MIN_GAIN_OF_VARIANT):
        return Choice(portable)
    return Choice(portable, best)


def _processor(target: Target, runtime: str) -> tuple[str | None, str]:
    """Name this processor if the target is of its architecture, and say why not otherwise."""
    own = this_processor(runtime)
    if own is None:
        return None, "portable layouts only: this machine's processor is not known"
    if not own.startswith(f"{target.architecture}-"):
        return (
            None,
            f"portable layouts only: the function's architecture is {target.architecture}, this machine's is not",
        )
    return own, ""


def _kept(candidate: Candidate, written: Written, choice: Choice, own: str | None, folder: Path) -> Candidate:
    """Put the chosen layouts into the candidate, and delete the others' files."""
    kept = {name: written.layouts[name] for name in choice if name is not None}
    folders = {layout.graph.parent for layout in kept.values()}
    for written_folder in folder.iterdir() if folder.exists() else ():
        if written_folder not in folders:
            shutil.rmtree(written_folder)
    variants: dict[str, Layout] = {} if choice.own is None or own is None else {own: kept[choice.own]}
    return replace(candidate, layout=kept[choice.portable], variants=variants)


def _row(name: str, found: Measured, written: Written, choice: Choice) -> dict[str, Figure]:
    layout = written.layouts[name]
    return {
        "layout": name,
        "kept": name in choice,
        "portable": name not in written.own,
        "files": len(layout.files),
        "size_bytes": layout.size_bytes,
        "load_ms": round(found.load_ms, 3),
        "first_answer_ms": round(found.first_ms, 3),
        "warm_ms": round(found.warm_ms, 4),
        "memory_mb": None if found.memory_mb is None else round(found.memory_mb, 1),
        "load_ratio": round(found.load_ratio, 3),
        "first_answer_ratio": round(found.first_ratio, 3),
        "warm_ratio": round(found.warm_ratio, 3),
    }


def _summary(choice: Choice, measured: Mapping[str, Measured]) -> str:
    before, after = measured[AS_CONVERTED], measured[choice.portable]
    if choice.portable == AS_CONVERTED:
        line = f"as converted: load {before.load_ms:.1f} ms, warm {_ms(before.warm_ms)}"
    else:
        line = (
            f"{choice.portable}: load {before.load_ms:.1f} → {after.load_ms:.1f} ms, "
            f"first answer {before.first_ms:.1f} → {after.first_ms:.1f} ms, warm × {after.warm_ratio:.2f}"
        )
    if choice.own is None:
        return line
    own = measured[choice.own]
    return f"{line}; {choice.own}: load {own.load_ms:.1f} ms, first answer {own.first_ms:.1f} ms"


def _ms(value: float) -> str:
    return f"{value:.1f} ms" if value >= 1 else f"{value * 1000:.0f} µs"
