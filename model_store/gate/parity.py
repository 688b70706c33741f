"""Step 4: whether the converted model answers as the source does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch, SourceModel, rows_of, take
from model_store.gate.candidate import Candidate, Layout, open_session, run
from model_store.gate.differences import (
    TOLERANCES,
    Difference,
    Scores,
    Tolerance,
    compare_labels,
    compare_numbers,
    is_number,
)
from model_store.gate.sample import cast
from model_store.gate.steps import Figure, GateOptions, Outcome, Rejected
from warmstart.errors import UnsupportedModel
from warmstart.tensors import ANY, TensorSpec

Array = NDArray[Any]
ROWS_AT_ONCE: Final = 64
"""More rows are computed in parts: what a transformer holds between two layers grows with them."""
PORTABLE: Final = "portable"
"""The layout that every processor opens."""


class Answers(NamedTuple):
    """What the source and the converted model answered, by output."""

    expected: Batch
    got: Batch


def ask(model: SourceModel, inputs: Batch, specs: tuple[TensorSpec, ...], *, generated: bool) -> Batch:
    """Ask the source for its answers. `generated` rows may be none that it was made for.

    Raises: UnsupportedModel if the framework fails on these rows, with the first of them and what to do.
    """
    try:
        return in_parts(model.predict, inputs, specs)
    except UnsupportedModel as error:
        rows = "rows that were made from its signature" if generated else "the sample's rows"
        remedy = "give rows that it was made for: --sample FILE" if generated else "take rows out that it cannot answer"
        raise UnsupportedModel(
            f"the model itself fails on {rows}{_refused(model, inputs, specs)}: {error.message.strip()}; {remedy}"
        ) from error


def parity(
    expected: Batch, candidate: Candidate, inputs: Batch, options: GateOptions, *, quantized: bool = False
) -> Outcome[Answers]:
    """Compare the source's answers with the candidate's on the same rows, variants that this machine can run included.

    `inputs` are as `arrange` gives them. With `quantized`, numbers were made smaller on purpose: differences are told,
    and it is `options.max_drop` that decides. Raises: Rejected, with the worst row.
    """
    feeds = cast(inputs, candidate.signature.inputs)
    answers, found = dict[str, Batch](), dict[str, tuple[Difference, ...]]()
    for name, layout in {PORTABLE: candidate.layout, **own_variants(candidate)}.items():
        answers[name] = in_parts(partial(run, open_session(layout)), feeds, candidate.signature.inputs)
        found[name] = compare(expected, answers[name], candidate, options)
    figures = _figures(expected, inputs, candidate, found, quantized=quantized)
    for name, differences in found.items():
        for difference in differences:
            if not difference.agrees and not (quantized and _is_sound(difference)):
                raise Rejected(_refusal(name, difference, inputs), figures=figures)
    return Outcome(Answers(expected, answers[PORTABLE]), _summary(inputs, found, quantized=quantized), figures)


def compare(expected: Batch, got: Batch, candidate: Candidate, options: GateOptions) -> tuple[Difference, ...]:
    """Compare all outputs that both give, in the model's order.

    Raises: Rejected if there is none, or if their shapes are not the same; (n,) and (n, 1) are.
    """
    both = [spec for spec in candidate.signature.outputs if spec.name in expected and spec.name in got]
    if not both:
        raise Rejected(
            f"nothing could be compared: the source answers with {_names(expected)}, the converted model with "
            f"{_names(got)}: expected at least one output of the same name"
        )
    return tuple(_compare_output(spec, expected, got[spec.name], candidate.labels, options) for spec in both)


def own_variants(candidate: Candidate) -> Mapping[str, Layout]:
    """Choose the variants that were made for this machine's processor."""
    if not candidate.variants:
        return {}
    import onnxruntime

    from model_store.gate.layouts import this_processor

    own = this_processor(onnxruntime.__version__)
    return {name: layout for name, layout in candidate.variants.items() if name == own}


def in_parts(compute: Callable[[Batch], Batch], inputs: Batch, specs: tuple[TensorSpec, ...]) -> Batch:
    """Compute many rows in parts, where each input's first axis counts rows, and each output's does."""
    rows = rows_of(inputs)
    if rows <= ROWS_AT_ONCE or not all(spec.shape and spec.shape[0] == ANY for spec in specs):
        return compute(inputs)
    starts = range(0, rows, ROWS_AT_ONCE)
    parts = [compute(take(inputs, slice(start, start + ROWS_AT_ONCE))) for start in starts]
    sizes = [min(ROWS_AT_ONCE, rows - start) for start in starts]
    for part, size in zip(parts, sizes, strict=True):
        if any(not array.ndim or len(array) != size for array in part.values()):
            return compute(inputs)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def tolerance_of(spec: TensorSpec, options: GateOptions) -> Tolerance:
    """Choose what is tolerated of an output; of labels, it is that of the scores beside them."""
    if options.tolerance is not None:
        return Tolerance(options.tolerance, options.tolerance)
    return TOLERANCES.get(spec.datatype, TOLERANCES["FP32"])


def _compare_output(
    spec: TensorSpec, expected: Batch, got: Array, labels: tuple[str | int, ...], options: GateOptions
) -> Difference:
    wanted = np.asarray(expected[spec.name])
    if _without_ones(wanted.shape) != _without_ones(got.shape):
        raise Rejected(
            f"output {spec.name!r}: the source answers with the shape {list(wanted.shape)}, the converted model with "
            f"{list(got.shape)}: expected the same"
        )
    wanted, tolerance = wanted.reshape(got.shape), tolerance_of(spec, options)
    if is_number(got) and wanted.dtype.kind in "biuf":
        return compare_numbers(spec.name, wanted, got, tolerance)
    return compare_labels(spec.name, wanted, got, _scores(expected, len(got) if got.ndim else 1, labels), tolerance)


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Take axes of size 1 off the end: (n, 1) is (n,); one axis stays."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _scores(expected: Batch, rows: int, labels: tuple[str | int, ...]) -> Scores | None:
    """Find the source's scores, one column per label: those of the known labels, or of 0, 1, 2... without."""
    for array in map(np.asarray, expected.values()):
        if array.dtype.kind == "f" and array.ndim == 2 and len(array) == rows and array.shape[1] > 1:
            if not labels:
                return Scores(array, tuple(range(array.shape[1])))
            if array.shape[1] == len(labels):
                return Scores(array, labels)
    return None


def _refused(model: SourceModel, inputs: Batch, specs: tuple[TensorSpec, ...]) -> str:
    """Find the first row that the source refuses by itself, to show it."""
    if not all(spec.shape and spec.shape[0] == ANY for spec in specs):
        return ""
    for row in range(rows_of(inputs)):
        try:
            model.predict(take(inputs, slice(row, row + 1)))
        except UnsupportedModel:
            return f" (row {row}: {_row(inputs, row)})"
    return ""


def _is_sound(difference: Difference) -> bool:
    """Say whether a difference is one that fewer bits explain: a number where the source has none is not."""
    return not difference.figures.get("values_not_finite_on_one_side")


def _refusal(layout: str, difference: Difference, inputs: Batch) -> str:
    where = "" if layout == PORTABLE else f"in the layout for {layout}: "
    row = "" if difference.row is None else f" (inputs: {_row(inputs, difference.row)})"
    return (
        f"the converted model answers differently: {where}{difference.says}{row}; convert the model in higher "
        "precision, or, if that much may differ, say so: --tolerance"
    )


def _row(inputs: Batch, row: int) -> str:
    """Show a row's inputs, shortened."""
    shown = []
    for name, array in list(inputs.items())[:8]:
        values = np.asarray(array[row] if array.ndim and row < len(array) else array).reshape(-1)
        first = ", ".join(
            f"{value:.6g}" if values.dtype.kind == "f" else repr(value)[:40] for value in values[:8].tolist()
        )
        shown.append(f"{name}={first}" if values.size == 1 else f"{name}=[{first}{', ...' if values.size > 8 else ''}]")
    return ", ".join(shown) + (", ..." if len(inputs) > 8 else "")


def _summary(inputs: Batch, found: Mapping[str, tuple[Difference, ...]], *, quantized: bool) -> str:
    portable = "; ".join(difference.says for difference in found[PORTABLE])
    others = [name for name in found if name != PORTABLE]
    more = f"; the same of the layout for {', '.join(others)}" if others else ""
    why = " (quantized: --max-drop decides)" if quantized else ""
    return f"{rows_of(inputs)} {'row' if rows_of(inputs) == 1 else 'rows'}: {portable}{more}{why}"


def _figures(
    expected: Batch,
    inputs: Batch,
    candidate: Candidate,
    found: Mapping[str, tuple[Difference, ...]],
    *,
    quantized: bool,
) -> dict[str, Figure]:
    names = [spec.name for spec in candidate.signature.outputs]
    layouts: dict[str, Figure] = {
        name: {difference.output: dict(difference.figures) for difference in differences}
        for name, differences in found.items()
    }
    return {
        "rows": rows_of(inputs),
        "decided_by": "max_drop" if quantized else "tolerance",
        "outputs": layouts.pop(PORTABLE),
        "variants": layouts,
        "not_compared": [name for name in names if name not in expected],
        "only_of_the_source": [name for name in expected if name not in names],
    }


def _names(batch: Batch) -> str:
    return ", ".join(map(repr, batch)) or "nothing"
