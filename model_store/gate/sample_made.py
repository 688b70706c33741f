"""Rows made from a signature, for a model that came without: the same ones each time, edge values included."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch, Sample, rows_of
from warmstart.tensors import ANY, TensorSpec

GENERATED: Final = "generated from the signature"
AROUND: Final = "the model's own example, varied"
_ROWS: Final = 32
_ELEMENTS: Final = 2**20
"""Elements of all rows of one input at most, unless two rows have more."""
_FREE: Final = 8
_FREE_IMAGE: Final = 32
"""Sizes of a free axis that does not count rows; of arrays with 4 axes or more it is one of an image."""
_FLOATS: Final = (0.0, 1.0, -1.0, 0.5, 1e-6, -1e-6, 100.0, -100.0, 1000.0)
_TEXTS: Final = ("a", "", "The quick brown fox jumps over the lazy dog.", "é", "日本語", "0", "A b", "naïve café – 5 €")


def generate(inputs: tuple[TensorSpec, ...], example: Batch | None) -> Sample:
    """Make rows from the signature, edge values included, around the model's own example if it has one.

    Integers are 0 and 1, those of 8 bits apart: they may be indices of words or of categories, which a model has few
    of. Axes of free size beside the first are 8 long in every input, 32 in images, as inputs often share them.
    """
    if example is not None:
        return Sample(_varied(example), AROUND)
    dynamic = [spec for spec in inputs if spec.shape and spec.shape[0] == ANY]
    most = max((prod(_sizes(spec)[1:]) for spec in dynamic), default=1)
    rows = max(2, min(_ROWS, _ELEMENTS // max(1, most)))
    return Sample({spec.name: _made(spec, rows) for spec in inputs}, GENERATED)


def is_generated(sample: Sample) -> bool:
    """Say whether rows were made here, and may be none that the model was made for."""
    return sample.origin in (GENERATED, AROUND)


def _sizes(spec: TensorSpec) -> list[int]:
    free = _FREE_IMAGE if len(spec.shape) >= 4 else _FREE
    return [free if size == ANY else size for size in spec.shape]


def _made(spec: TensorSpec, rows: int) -> NDArray[Any]:
    """Fill an input: (rows, ...), or its own shape where the first axis has one size only."""
    sizes = _sizes(spec)
    if spec.shape and spec.shape[0] == ANY:
        sizes[0] = rows
    rng = np.random.default_rng([len(spec.name), *spec.name.encode()])  # inputs differ, runs do not
    kind, dtype = np.dtype(spec.type.numbers).kind, np.dtype(spec.type.numbers)
    if kind == "O":
        return _cycled(_TEXTS, sizes, dtype)
    if kind == "b":
        return _cycled((False, True, True), sizes, dtype)
    if kind in "iu":
        return _integers(rng, sizes, dtype)
    return _floats(rng, sizes, dtype)


def _cycled(values: tuple[Any, ...], sizes: list[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Go around the values, each row beginning one further."""
    if not sizes:
        return np.array(values[0], dtype)
    inner = np.arange(prod(sizes[1:]))
    places = (np.arange(sizes[0])[:, None] + inner[None, :]) % len(values)
    chosen = np.empty(len(values), dtype)
    chosen[:] = values
    return np.asarray(chosen[places].reshape(sizes))


def _floats(rng: np.random.Generator, sizes: list[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """One row of each edge value, one of all of them in turn, and random ones, as far as there are rows."""
    if not sizes:
        return np.array(1, dtype)
    array = rng.normal(size=sizes)
    edges = _FLOATS[: max(0, sizes[0] - 1)]
    for row, value in enumerate(edges):
        array[row] = value
    if sizes[0] > len(edges) + 1:
        array[len(edges)] = np.resize(np.array(_FLOATS), sizes[1:])
        array[sizes[0] // 2 :: 4] *= 10
    return array.astype(dtype)


def _integers(rng: np.random.Generator, sizes: list[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """0 and 1 at random, a whole row of 1 first, and each row beginning with 1 where it is longer than one value.

    So a mask of attention that is made here never hides a whole row. 8 bits hold pixels: all values then.
    """
    if dtype.itemsize == 1:
        limits = np.iinfo(dtype)
        array = rng.integers(limits.min, limits.max, size=sizes, endpoint=True, dtype=dtype)
        flat = array.reshape(-1)
        flat[: min(2, flat.size)] = (limits.min, limits.max)[: min(2, flat.size)]
        return array
    array = rng.integers(0, 2, size=sizes).astype(dtype)
    if not sizes:
        return np.array(1, dtype)
    if prod(sizes[1:]) > 1:
        array.reshape(sizes[0], -1)[:, 0] = 1
    if sizes[0]:
        array[0] = 1
    return array


def _varied(example: Batch) -> Batch:
    """Give the example's rows, and as many again: floats moved by up to 1 %, the rest in another order."""
    rows = rows_of(example)
    order = np.arange(rows)[::-1]
    varied = {}
    for name, array in example.items():
        if not array.ndim or len(array) != rows:
            varied[name] = array
            continue
        more = array[order]
        if array.dtype.kind == "f":
            rng = np.random.default_rng(len(name))
            more = (more * rng.uniform(0.99, 1.01, size=more.shape)).astype(array.dtype)
        varied[name] = np.concatenate([array, more])
    return varied
