"""Statistics of columns: of numbers, their moments, a histogram and a quantile sketch; of text, its values if few.

A tensor of up to `MAX_ELEMENTS` values per row is a column for each of them, `name[3]`; of larger ones (an image, an
embedding of a text) all values together are one column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch

MAX_ELEMENTS: Final = 100
MAX_VALUES: Final = 4_000_000
"""Of a large tensor, evenly spaced rows are looked at, up to so many values."""
BUCKETS: Final = 10
SKETCH_SIZE: Final = 512
"""Values of a sketch. A rank read off it is wrong by at most one in 512."""
MAX_DOMAIN: Final = 120
"""Text with more values than this has no domain (deequ, `ColumnProfiler.DEFAULT_CARDINALITY_THRESHOLD`) ..."""
MIN_REPEATS: Final = 2
"""... and neither has one whose values do not come this often on average: free text, names, keys."""

Kind: TypeAlias = Literal["Integral", "Fractional", "String", "Unknown"]


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Statistics of finite numbers. `std_dev` is the population's.

    `edges` are those of `BUCKETS` buckets of equal width, each closed below and open above, the last closed; `counts`
    are theirs. A value in `levels[i]` stands for 2^i values near it.
    """

    mean: float
    total: float
    std_dev: float
    least: float
    most: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    levels: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Statistics of text. `domain` has each value and its count, most frequent first; None if there are many."""

    distinct: int
    domain: tuple[tuple[str, int], ...] | None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. NaN, infinity, None and empty text are missing; of kind Unknown nothing is present."""

    name: str
    kind: Kind
    present: int
    missing: int
    numbers: Numbers | None = None
    texts: Texts | None = None

    @property
    def completeness(self) -> float:
        """The part of values that are present."""
        return self.present / max(self.present + self.missing, 1)


def describe(batch: Batch) -> tuple[Column, ...]:
    """Describe all columns of a table, or of tensors, in order."""
    return tuple(
        _describe(name, values) for tensor, array in batch.items() for name, values in columns_of(tensor, array)
    )


def columns_of(name: str, array: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Take a tensor (rows, ...) apart into columns of one dimension, by name."""
    if array.ndim < 2 or array.shape[1:] == (1,):
        yield name, array.reshape(-1)
    elif array.ndim == 2 and array.shape[1] <= MAX_ELEMENTS:
        for index in range(array.shape[1]):
            yield f"{name}[{index}]", array[:, index]
    else:
        step = -(-array.size // MAX_VALUES) or 1
        yield name, array[::step].reshape(-1)[:MAX_VALUES]


def _describe(name: str, values: NDArray[Any]) -> Column:
    if values.dtype.kind not in "biuf":
        return _describe_text(name, values)
    numbers = values.astype(np.float64)
    kind: Kind = "Fractional" if values.dtype.kind == "f" else "Integral"
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return Column(name=name, kind="Unknown", present=0, missing=len(values))
    missing = len(values) - len(numbers)
    return Column(name=name, kind=kind, present=len(numbers), missing=missing, numbers=_summarise(numbers))


def _summarise(numbers: NDArray[np.float64]) -> Numbers:
    ordered = np.sort(numbers)
    with np.errstate(over="ignore", invalid="ignore"):
        total = numbers.sum()
        mean = total / len(numbers)
        std_dev = np.sqrt(np.square(numbers - mean).mean())
    edges = _edges(float(ordered[0]), float(ordered[-1]))
    ranks = np.searchsorted(ordered, edges, side="left")
    ranks[-1] = len(ordered)
    return Numbers(
        mean=_held(mean),
        total=_held(total),
        std_dev=_held(std_dev),
        least=float(ordered[0]),
        most=float(ordered[-1]),
        edges=tuple(edges.tolist()),
        counts=tuple(np.diff(ranks).tolist()),
        levels=_sketch(ordered),
    )


def _held(value: np.floating[Any]) -> float:
    """Give the largest number there is for what is larger: JSON has no infinity."""
    return float(np.nan_to_num(value))


def _edges(least: float, most: float) -> NDArray[np.float64]:
    """Edges from `least` to `most`, both exact, without the difference, which may be larger than any number."""
    parts = np.arange(BUCKETS + 1) / BUCKETS
    return np.clip(least * (1 - parts) + most * parts, least, most)


def _sketch(ordered: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    """Choose values that stand for their neighbours: of each 2^h consecutive ones the middle, of the rest likewise.

    What a KLL sketch gives, but made from all values at once, so that its error is half a group and not random.
    Source: Karnin, Lang, Liberty, "Optimal Quantile Approximation in Streams" (2016).
    """
    height = 0
    while len(ordered) >> height > SKETCH_SIZE:
        height += 1
    levels: list[tuple[float, ...]] = []
    taken = 0
    for level in range(height, -1, -1):
        group = 1 << level
        groups = (len(ordered) - taken) // group
        ends = taken + groups * group
        levels.append(tuple(ordered[taken + group // 2 : ends : group].tolist()))
        taken = ends
    return tuple(reversed(levels))


def _describe_text(name: str, values: NDArray[Any]) -> Column:
    counted: Counter[str] = Counter()
    for value, count in Counter(values.tolist()).items():
        if not _is_missing(value):
            counted[value if isinstance(value, str) else str(value)] += count
    present = counted.total()
    if not present:
        return Column(name=name, kind="Unknown", present=0, missing=len(values))
    few = len(counted) <= MAX_DOMAIN and len(counted) * MIN_REPEATS <= present
    domain = tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0]))) if few else None
    texts = Texts(distinct=len(counted), domain=domain)
    return Column(name=name, kind="String", present=present, missing=len(values) - present, texts=texts)


def _is_missing(value: object) -> bool:
    return value is None or value == "" or value != value
