"""How far two answers are apart: numbers by their difference, labels by whether they are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model_store.gate.steps import Figure

Array = NDArray[Any]
_DECADES: Final = tuple(range(-12, 4))
_WORST: Final = 5


class Tolerance(NamedTuple):
    """Two numbers agree if |expected - got| <= absolute + relative * |expected|."""

    absolute: float
    relative: float

    def __str__(self) -> str:
        return f"{self.absolute:g} + {self.relative:g}·|expected|"


TOLERANCES: Final[Mapping[str, Tolerance]] = {
    "FP16": Tolerance(1e-2, 1e-2),
    "FP32": Tolerance(1e-4, 1e-3),
    "FP64": Tolerance(1e-6, 1e-5),
}
"""By the output's datatype. Those of integers, booleans and text have to be the same."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One output compared. `row` is the worst, None if nothing is amiss; `says` is a line for people."""

    output: str
    agrees: bool
    row: int | None
    says: str
    figures: Mapping[str, Figure]


def compare_numbers(output: str, expected: Array, got: Array, tolerance: Tolerance) -> Difference:
    """Compare value by value; both (rows, ...), of one shape. NaN agrees with NaN, an infinity with the same one."""
    wanted, came = expected.astype(np.float64), got.astype(np.float64)
    same = (wanted == came) | (np.isnan(wanted) & np.isnan(came))
    with np.errstate(all="ignore"):  # where one is not finite, the other differs: that is told apart below
        absolute = np.where(same, 0.0, np.abs(wanted - came))
        relative = np.where(same, 0.0, absolute / np.abs(wanted))
        lost = ~same & ~(np.isfinite(wanted) & np.isfinite(came))
        over = np.where(lost, np.inf, absolute - (tolerance.absolute + tolerance.relative * np.abs(wanted)))
        passes_with = absolute / (1 + np.abs(wanted))
    over[same] = -np.inf
    beyond = over > 0
    rows = _any_in_row(beyond)
    figures: dict[str, Figure] = {
        "tolerance": {"absolute": tolerance.absolute, "relative": tolerance.relative},
        "max_absolute_difference": _greatest(absolute[~lost]),
        "max_relative_difference": _greatest(relative[np.isfinite(relative)]),
        "mean_absolute_difference": float(absolute[~lost].mean()) if (~lost).any() else 0.0,
        "values": int(absolute.size),
        "values_beyond": int(beyond.sum()),
        "rows_beyond": int(rows.sum()),
        "values_not_finite_on_one_side": int(lost.sum()),
        "histogram": _histogram(absolute[~lost]),
        "worst": _worst(wanted, came, over),
    }
    if not beyond.any():
        within = f"within {figures['max_absolute_difference']:.2g} ({tolerance} is tolerated)"
        says = f"{output} {within if absolute.any() else 'is equal'}"
        return Difference(output=output, agrees=True, row=None, says=says, figures=figures)
    place = np.unravel_index(int(np.argmax(over)), over.shape)
    row, inner = int(place[0]) if place else 0, [int(axis) for axis in place[1:]]
    remedy = "" if lost.any() else f"; it would pass with a tolerance of {_up(float(passes_with.max())):g}"
    says = (
        f"{output}: {int(rows.sum())} of {len(rows)} rows differ by more than {tolerance}; the worst is row {row}"
        f"{f', at {inner}' if inner else ''}: expected {wanted[place]:.8g}, got {came[place]:.8g}{remedy}"
    )
    return Difference(output=output, agrees=False, row=row, says=says, figures=figures)


class Scores(NamedTuple):
    """What a source gives beside its labels: (rows, classes), and which label each column stands for."""

    values: Array
    labels: tuple[str | int, ...]


def compare_labels(output: str, expected: Array, got: Array, scores: Scores | None, tolerance: Tolerance) -> Difference:
    """Compare what has to be the same: integers, booleans, text; both (rows, ...), of one shape.

    Two labels whose scores the source itself gives less than the tolerance apart are a tie, and either is right.
    """
    wanted, came = _comparable(np.atleast_1d(expected), np.atleast_1d(got))
    differ = _any_in_row(np.asarray(wanted != came))
    ties = np.zeros(len(differ), np.bool_)
    if scores is not None and differ.any() and wanted.size == len(differ):
        first, second = wanted.reshape(-1), came.reshape(-1)
        ties[differ] = [
            _ties(scores, row, first[row], second[row], tolerance) for row in np.flatnonzero(differ).tolist()
        ]
    wrong = np.flatnonzero(differ & ~ties)
    agreement = 1 - len(wrong) / max(1, len(differ))
    worst: list[Figure] = [
        {"row": int(row), "expected": _shown(wanted[row]), "got": _shown(came[row])} for row in wrong[:_WORST]
    ]
    figures: dict[str, Figure] = {
        "agreement": agreement,
        "rows_beyond": len(wrong),
        "ties": int(ties.sum()),
        "worst": worst,
    }
    tied = f", {int(ties.sum())} ties" if ties.any() else ""
    if not len(wrong):
        says = f"{output} agrees in every row{tied}"
        return Difference(output=output, agrees=True, row=None, says=says, figures=figures)
    row = int(wrong[0])
    says = (
        f"{output}: {len(wrong)} of {len(differ)} rows disagree{tied}; the first is row {row}: "
        f"expected {_shown(wanted[row])}, got {_shown(came[row])}"
    )
    return Difference(output=output, agrees=False, row=row, says=says, figures=figures)


def is_number(array: Array) -> bool:
    """Say whether an array is compared by difference."""
    return array.dtype.kind == "f"


def _ties(scores: Scores, row: int, expected: object, got: object, tolerance: Tolerance) -> bool:
    places = {str(label): place for place, label in enumerate(scores.labels)}
    first, second = places.get(str(expected)), places.get(str(got))
    if first is None or second is None:
        return False
    high, low = float(scores.values[row, first]), float(scores.values[row, second])
    return abs(high - low) <= tolerance.absolute + tolerance.relative * max(abs(high), abs(low))


def _comparable(expected: Array, got: Array) -> tuple[Array, Array]:
    """Give both one kind of element: numbers as they are, all else as text."""
    if expected.dtype.kind in "biuf" and got.dtype.kind in "biuf":
        return expected, got
    return _texts(expected), _texts(got)


def _texts(array: Array) -> Array:
    texts = np.empty(array.shape, object)
    for place, value in np.ndenumerate(array):
        texts[place] = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return texts


def _any_in_row(found: Array) -> NDArray[np.bool_]:
    by_row = found.reshape(len(found), -1) if found.ndim else found.reshape(1, 1)
    return np.asarray(by_row.any(axis=1))


def _greatest(values: Array) -> float:
    return float(values.max()) if values.size else 0.0


def _histogram(absolute: Array) -> dict[str, Figure]:
    """Count differences by their power of ten; the first and the last bin have what lies beyond."""
    some = absolute[absolute > 0]
    clipped = np.clip(np.log10(some), _DECADES[0], _DECADES[-1])
    counts, _ = np.histogram(clipped, bins=_DECADES)
    edges: list[Figure] = list(_DECADES)
    return {"log10_edges": edges, "counts": [int(n) for n in counts], "equal": int(absolute.size - some.size)}


def _worst(wanted: Array, came: Array, over: Array) -> list[Figure]:
    """Show the values that come closest to the tolerance, or go farthest beyond; equal ones are left out."""
    flat = over.reshape(-1)
    few = min(_WORST, flat.size)
    last = np.argpartition(flat, flat.size - few)[flat.size - few :].tolist() if few else []
    places = [place for place in sorted(last, key=lambda place: -flat[place]) if flat[place] > -np.inf]
    shown: list[Figure] = []
    for place in places:
        row, *inner = (int(axis) for axis in np.unravel_index(place, over.shape)) if over.ndim else (0,)
        index: list[Figure] = list(inner)
        value: dict[str, Figure] = {
            "row": row,
            "index": index,
            "expected": _shown(wanted.flat[place]),
            "got": _shown(came.flat[place]),
        }
        shown.append(value)
    return shown


def _shown(value: Any) -> Figure:
    """Give a value as JSON holds it; NaN and infinities as text."""
    plain = value.tolist() if isinstance(value, np.generic | np.ndarray) else value
    if isinstance(plain, float):
        return plain if isfinite(plain) else str(plain)
    if isinstance(plain, bool | int):
        return plain
    return str(plain)[:80]


def _up(value: float) -> float:
    """Round up to two digits."""
    if value <= 0 or not isfinite(value):
        return 0.0
    unit = 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(np.ceil(value / unit) * unit)
