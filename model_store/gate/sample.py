"""Rows to try a model on, laid out as its graph takes them: names, shapes, and, last, datatypes."""

from __future__ import annotations

from difflib import get_close_matches
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch, Sample, take
from model_store.gate.sample_file import labelled, read_sample
from model_store.gate.sample_made import generate
from warmstart.bfloat16 import rounded, widened
from warmstart.errors import InvalidSample
from warmstart.tensors import ANY, TensorSpec, fits

__all__ = ["arrange", "cast", "generate", "labelled", "read_sample", "thin"]

Array = NDArray[Any]
MAX_ROWS: Final = 1000
MAX_BYTES: Final = 64 * 2**20
"""The most that models are tried on, whichever is reached first."""


def thin(sample: Sample) -> Sample:
    """Take rows from a large sample at even distances, from the first to the last: a file may be sorted by class."""
    size = sum(array.nbytes for array in sample.columns.values())
    rows = min(sample.rows, MAX_ROWS, max(1, MAX_BYTES * sample.rows // max(1, size)))
    if rows == sample.rows:
        return sample
    chosen = np.linspace(0, sample.rows - 1, rows).astype(np.intp)
    truth = None if sample.truth is None else sample.truth[chosen]
    columns = {
        name: take({name: array}, chosen)[name] if len(array) == sample.rows else array
        for name, array in sample.columns.items()
    }
    return Sample(columns, sample.origin, truth)


def arrange(sample: Sample, inputs: tuple[TensorSpec, ...]) -> Batch:
    """Lay the rows out by the graph's inputs: names and shapes, the datatypes of the sample left as they are.

    A table's columns become (rows, 1) where each is an input of its own, or are stacked, in order, into the model's one
    input (rows, features). Raises: InvalidSample, naming columns that are missing or too many.
    """
    columns = sample.columns
    for name, array in columns.items():
        if array.dtype.kind not in "biufOU":
            raise InvalidSample(f"column {name!r}: expected numbers, booleans or text, got {array.dtype}: convert it")
    if len(inputs) == 1 and inputs[0].name not in columns:
        [spec] = inputs
        if len(columns) == 1:
            [(name, array)] = columns.items()
            return {spec.name: _shaped(name, array, spec)}
        if len(spec.shape) == 2 and all(array.ndim == 1 for array in columns.values()):
            return {spec.name: _stacked(columns, spec)}
    _match_names(list(columns), inputs)
    batch = {spec.name: _shaped(spec.name, columns[spec.name], spec) for spec in inputs}
    _check_rows(batch, inputs)
    return batch


def cast(inputs: Batch, specs: tuple[TensorSpec, ...]) -> Batch:
    """Give the arrays the signature's datatypes; BF16 is FP32 here, with the digits that BF16 has.

    A float may lose digits; nothing else may change. Raises: InvalidSample for a value that its datatype cannot hold.
    """
    return {spec.name: _cast(inputs[spec.name], spec) for spec in specs}


def _match_names(names: list[str], inputs: tuple[TensorSpec, ...]) -> None:
    wanted = [spec.name for spec in inputs]
    missing = [name for name in wanted if name not in names]
    extra = [name for name in names if name not in wanted]
    if missing:
        lacks = ", ".join(_meant(name, extra) for name in missing[:10])
        has = f", and has {_some(extra)} beside" if extra and "did you mean" not in lacks else ""
        raise InvalidSample(
            f"the model takes {_some(wanted)}; the sample lacks {lacks}{has}: name its columns as the model's inputs"
        )
    if extra:
        raise InvalidSample(
            f"the model takes {_some(wanted)}; the sample has {_some(extra)} beside: remove what is no input, "
            f"or, if it is the right answer, say so (--truth {extra[-1]})"
        )


def _meant(name: str, others: list[str]) -> str:
    close = get_close_matches(name, others, 1)
    return f"{name!r} (did you mean it by {close[0]!r}?)" if close else repr(name)


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:10])) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _stacked(columns: Batch, spec: TensorSpec) -> Array:
    """Put columns side by side: (rows, features)."""
    wanted, names = spec.shape[1], list(columns)
    if wanted not in (ANY, len(names)):
        hint = (
            f": if {names[-1]!r} is the right answer, say so (--truth {names[-1]})" if len(names) == wanted + 1 else ""
        )
        raise InvalidSample(f"{spec}: expected {wanted} columns, got {len(names)}: {_some(names)}{hint}")
    takes_text = spec.datatype == "BYTES"
    for name, array in columns.items():
        if (array.dtype.kind in "OU") != takes_text:
            got = "text" if array.dtype.kind in "OU" else array.dtype.name
            raise InvalidSample(f"{spec}: column {name!r}: expected {'text' if takes_text else 'numbers'}, got {got}")
    stacked = np.column_stack(list(columns.values()))
    _check_rows({spec.name: stacked}, (spec,))
    return _shaped(spec.name, stacked, spec)


def _shaped(name: str, array: Array, spec: TensorSpec) -> Array:
    """Give an array the input's number of axes: a column (rows,) is (rows, 1) for a model that wants two, or back."""
    shaped = array
    if array.ndim == 1 and len(spec.shape) >= 2 and all(size in (1, ANY) for size in spec.shape[1:]):
        shaped = array.reshape(len(array), *(1 for _ in spec.shape[1:]))
    elif array.ndim == 2 and array.shape[1] == 1 and len(spec.shape) == 1:
        shaped = array[:, 0]
    elif not spec.shape and array.size == 1:
        shaped = array.reshape(())
    if fits(shaped.shape, spec.shape):
        return shaped
    if shaped.ndim == len(spec.shape) and fits(shaped.shape[1:], spec.shape[1:]):
        raise InvalidSample(
            f"{spec}: the model takes {spec.shape[0]} rows at a time, the sample has {len(array)}: give as many rows, "
            "or export the model with a dynamic batch axis"
        )
    hint = ": give tensors as npz" if array.ndim == 1 and prod(spec.shape[1:]) != 1 else ""
    raise InvalidSample(f"{name!r}: expected {spec} (-1 is any size), got the shape {list(array.shape)}{hint}")


def _check_rows(batch: Batch, inputs: tuple[TensorSpec, ...]) -> None:
    rows = {spec.name: len(batch[spec.name]) for spec in inputs if spec.shape and spec.shape[0] == ANY}
    if len(set(rows.values())) > 1:
        listed = ", ".join(f"{count} of {name!r}" for name, count in rows.items())
        raise InvalidSample(f"expected as many rows of each input, got {listed}")


def _cast(array: Array, spec: TensorSpec) -> Array:
    wanted = np.dtype(spec.type.numbers)
    if (array.dtype.kind in "OUS") != (wanted.kind == "O"):
        got = f"text ({_first(array)!r})" if array.dtype.kind in "OUS" else array.dtype.name
        hint = ": CSV cannot tell numbers from codes, Parquet and JSON lines can" if wanted.kind == "O" else ""
        raise InvalidSample(f"{spec}: expected {_values(spec)}, got {got}{hint}")
    if wanted.kind == "O":
        return _as_text(array, spec)
    if array.dtype == wanted and spec.datatype != "BF16":
        return array
    with np.errstate(all="ignore"):  # what does not fit is found by comparing
        changed = array.astype(wanted)
        if spec.datatype == "BF16":
            changed = widened(rounded(changed))
        if wanted.kind == "f":
            lost = np.isfinite(array) & ~np.isfinite(changed)
        elif array.dtype.kind == "f":
            lost = ~np.isfinite(array) | (changed.astype(array.dtype) != array) | _outside(array, wanted)
        else:
            lost = (changed.astype(array.dtype) != array) | _outside(array, wanted)
    if lost.any():
        place = np.unravel_index(int(np.argmax(lost)), lost.shape)
        row = f" in row {place[0]}" if lost.ndim else ""
        raise InvalidSample(f"{spec}: expected {_values(spec)}, got {array[place]}{row}")
    return changed


def _outside(array: Array, wanted: np.dtype[Any]) -> NDArray[np.bool_]:
    """Find values beyond an integer's limits: casting wraps them around, and some back to themselves."""
    if wanted.kind == "b":
        return np.asarray((array != 0) & (array != 1))
    limits = np.iinfo(wanted)
    if array.dtype.kind == "f":  # 2^63 is a float, 2^63 - 1 is none
        return np.asarray((array < float(limits.min)) | (array >= float(limits.max) + 1))
    if array.dtype.kind == "b":
        return np.zeros(array.shape, bool)
    own = np.iinfo(array.dtype)
    low, high = max(limits.min, own.min), min(limits.max, own.max)
    return np.asarray((array < low) | (array > high))


def _as_text(array: Array, spec: TensorSpec) -> Array:
    objects = array.astype(object)
    for place, value in np.ndenumerate(objects):
        if type(value) is not str:
            row = f" in row {place[0]}" if place else ""
            raise InvalidSample(f"{spec}: expected text, got {value!r:.80}{row}")
    return objects


def _first(array: Array) -> str:
    return str(array.reshape(-1)[0])[:40] if array.size else ""


def _values(spec: TensorSpec) -> str:
    kind = np.dtype(spec.type.numbers)
    if spec.datatype == "BF16":
        return "numbers up to 3.39e+38"
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return f"whole numbers from {limits.min} to {limits.max}"
    if kind.kind == "f":
        return f"numbers up to {float(np.finfo(kind).max):.4g}"
    return "text" if kind.kind == "O" else "true or false"
