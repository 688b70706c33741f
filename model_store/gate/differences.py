"""How far two answers are apart: numbers by their difference, labels by whether they are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, prod
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model_store.gate.steps import Figure

Array = NDArray[Any]
_DECADES: Final = tuple(range(-12, 4))
"""Edges of the bins of log10 |difference|; the first and the last bin have what lies beyond, too."""
_WORST: Final = 5
_VALUES_AT_ONCE: Final = 2**18


class Tolerance(NamedTuple):
    """Two numbers agree if |expected - got| <= absolute + relative * |expected|."""

    absolute: float
    relative: float

    def __str__(self) -> str:
        return f"{self.absolute:g} + {self.relative:g}·|expected|"


TOLERANCES: Final[Mapping[str, Tolerance]] = {
    "BF16": Tolerance(3e-2, 3e-2),
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


@dataclass
class _Tally:
    """What is found of an output's numbers, block by block: a whole one in FP64 may be larger than the memory."""

    tolerance: Tolerance
    max_absolute: float = 0.0
    max_relative: float = 0.0
    sum_absolute: float = 0.0
    passes_with: float = 0.0
    values: int = 0
    beyond: int = 0
    rows_beyond: int = 0
    lost: int = 0
    equal: int = 0
    decades: Array = field(default_factory=lambda: np.zeros(len(_DECADES) - 1, np.int64))
    worst: list[_Value] = field(default_factory=list)

    def add(self, first_row: int, expected: Array, got: Array) -> None:
        """Compare rows, both (rows, values). What is not finite on one side alone is lost, and beyond any tolerance."""
        wanted, came = expected.astype(np.float64), got.astype(np.float64)
        same = (wanted == came) | (np.isnan(wanted) & np.isnan(came))
        self.values += wanted.size
        if same.all():
            self.equal += wanted.size
            return
        lost = ~same & ~(np.isfinite(wanted) & np.isfinite(came))
        usual = ~(same | lost)
        size = np.abs(wanted[usual])
        absolute = np.abs(wanted[usual] - came[usual])
        over = np.where(lost, np.inf, -np.inf)
        over[usual] = absolute - (self.tolerance.absolute + self.tolerance.relative * size)
        beyond = over > 0
        self.lost += int(lost.sum())
        self.beyond += int(beyond.sum())
        self.rows_beyond += int(beyond.any(axis=1).sum())
        self.equal += int(same.sum())
        self._add_usual(absolute, size)
        self._add_worst(first_row, wanted, came, over)

    def _add_usual(self, absolute: Array, size: Array) -> None:
        if not absolute.size:
            return
        self.max_absolute = max(self.max_absolute, float(absolute.max()))
        self.sum_absolute += float(absolute.sum())
        self.passes_with = max(self.passes_with, float((absolute / (1 + size)).max()))
        if (size > 0).any():
            self.max_relative = max(self.max_relative, float((absolute[size > 0] / size[size > 0]).max()))
        clipped = np.clip(np.log10(absolute), _DECADES[0], _DECADES[-1])
        self.decades += np.histogram(clipped, bins=_DECADES)[0]

    def _add_worst(self, first_row: int, wanted: Array, came: Array, over: Array) -> None:
        """Keep the values that come closest to the tolerance, or go farthest beyond; equal ones are left out."""
        flat = over.reshape(-1)
        few = min(_WORST, flat.size)
        for place in np.argpartition(flat, flat.size - few)[flat.size - few :].tolist():
            if flat[place] > -np.inf:
                row, inner = divmod(place, over.shape[1])
                found = _Value(float(flat[place]), first_row + row, inner, wanted[row, inner], came[row, inner])
                self.worst.append(found)
        self.worst = sorted(self.worst, key=lambda value: (-value.over, value.row, value.inner))[:_WORST]

    def figures(self, shape: tuple[int, ...]) -> dict[str, Figure]:
        """Give all of it for the report; `shape` is that of a row."""
        bins: list[Figure] = [[edge, int(count)] for edge, count in zip(_DECADES, self.decades, strict=False)]
        worst: list[Figure] = [value.figures(shape) for value in self.worst]
        return {
            "tolerance": {"absolute": self.tolerance.absolute, "relative": self.tolerance.relative},
            "max_absolute_difference": self.max_absolute,
            "max_relative_difference": self.max_relative,
            "mean_absolute_difference": self.sum_absolute / max(1, self.values - self.lost),
            "values": self.values,
            "values_beyond": self.beyond,
            "rows_beyond": self.rows_beyond,
            "values_not_finite_on_one_side": self.lost,
            "equal_values": self.equal,
            "log10_difference": bins if self.decades.any() else [],
            "worst": worst,
        }


class _Value(NamedTuple):
    """One value: how far beyond the tolerance it is, its row, its place in the flat row, and what it is."""

    over: float
    row: int
    inner: int
    expected: np.float64
    got: np.float64

    def place(self, shape: tuple[int, ...]) -> list[int]:
        """Give its place in a row, by axis."""
        return [int(axis) for axis in np.unravel_index(self.inner, shape)] if shape else []

    def figures(self, shape: tuple[int, ...]) -> dict[str, Figure]:
        """Give it for the report."""
        index: list[Figure] = list(self.place(shape))
        return {"row": self.row, "index": index, "expected": _shown(self.expected), "got": _shown(self.got)}


def compare_numbers(output: str, expected: Array, got: Array, tolerance: Tolerance) -> Difference:
    """Compare value by value; both (rows, ...), of one shape. NaN agrees with NaN, an infinity with the same one."""
    shape, rows = expected.shape[1:], len(expected) if expected.ndim else 1
    wanted, came = (array.reshape(rows, prod(shape)) for array in (expected, got))
    tally, step = _Tally(tolerance), max(1, _VALUES_AT_ONCE // max(1, wanted.shape[1]))
    for start in range(0, rows, step):
        tally.add(start, wanted[start : start + step], came[start : start + step])
    figures = tally.figures(shape)
    if not tally.beyond:
        within = f"within {tally.max_absolute:.2g} ({tolerance} is tolerated)"
        says = f"{output} {within if tally.max_absolute else 'equal'}"
        return Difference(output=output, agrees=True, row=None, says=says, figures=figures)
    worst = tally.worst[0]
    remedy = "" if tally.lost else f"; it would pass with a tolerance of {_up(tally.passes_with):g}"
    says = (
        f"{output}: {tally.rows_beyond} of {rows} rows differ by more than {tolerance}; the worst is row {worst.row}"
        f"{f', at {worst.place(shape)}' if shape else ''}: expected {worst.expected:.8g}, got {worst.got:.8g}{remedy}"
    )
    return Difference(output=output, agrees=False, row=worst.row, says=says, figures=figures)


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
    by_row = found.reshape(len(found), prod(found.shape[1:])) if found.ndim else found.reshape(1, 1)
    return np.asarray(by_row.any(axis=1))


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
