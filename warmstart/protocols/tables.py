"""Tables in JSON, as data frames and arrays are written: to the model's inputs, and what it computed to a list.

A model whose only input takes n values per row has no names for them: it reads any n columns, in order. All others
match columns to inputs by name, or in order where columns have no names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from warmstart.bfloat16 import numbers
from warmstart.errors import MalformedBody, MissingTensor, UnknownTensor, WrongShape
from warmstart.protocols.json_tensors import kind_of, refuse_not_finite, shown
from warmstart.protocols.records import Records, gather, parse_records, predictions, tensors
from warmstart.tensors import ANY, listed

if TYPE_CHECKING:
    from warmstart.protocols.wire import Outputs
    from warmstart.tensors import Tensor, TensorSpec

    Inputs: TypeAlias = tuple[TensorSpec, ...]
    Answers: TypeAlias = Sequence[Any] | Tensor


def from_split(document: Any, inputs: Inputs, place: str) -> dict[str, Tensor]:
    """Read `{"columns": [...], "data": [[...], ...]}`; an `index` is no input. `place` names the document.

    Raises: InvalidRequest and what is below it, as all of this module.
    """
    if type(document) is not dict or "data" not in document or document.keys() - {"columns", "data", "index"}:
        found = f"an object with {listed(document)}" if type(document) is dict else kind_of(document)
        raise MalformedBody(f"{place}: expected an object of 'data' and maybe 'columns' and 'index', got {found}")
    names = document.get("columns")
    if names is not None and type(names) is not list:
        raise MalformedBody(f"{place}: columns: expected an array of names, got {kind_of(names)}")
    return from_rows(names, _rows(document["data"], f"{place}: data"), inputs)


def from_rows(names: list[Any] | None, rows: list[Any], inputs: Inputs) -> dict[str, Tensor]:
    """Read arrays, one per row; columns without names, or numbered, are in the model's order."""
    width = _width(names, rows)
    named = names if names and all(type(name) is str for name in names) else None
    if len(inputs) == 1 and len(inputs[0].shape) > 1 and named != [inputs[0].name]:
        return tensors(Records(rows, bare=True), inputs)
    if named is None:
        if width != len(inputs):
            raise MalformedBody(f"body: expected {len(inputs)} columns ({described(inputs)}), got {width} in record 0")
        named = [spec.name for spec in inputs]
    check_once(named)
    columns = dict(zip(named, zip(*rows, strict=True), strict=True))
    if columns.keys() == {spec.name for spec in inputs}:
        return {spec.name: gather([*columns[spec.name]], spec) for spec in inputs}
    return tensors(Records([dict(zip(named, row, strict=True)) for row in rows], bare=False), inputs)


def check_once(names: Sequence[str]) -> None:
    """Raises: MalformedBody if a column comes again."""
    places = {name: index for index, name in enumerate(names)}
    if len(places) != len(names):
        twice = next(name for index, name in enumerate(names) if places[name] != index)
        raise MalformedBody(f"body: expected each column once, got {twice[:80]!r} again")


def described(inputs: Inputs) -> str:
    """List inputs for a message, the first ten."""
    return listed({str(spec): None for spec in inputs})


def _width(names: list[Any] | None, rows: list[Any]) -> int:
    if set(map(type, rows)) != {list}:
        other = next(index for index, row in enumerate(rows) if type(row) is not list)
        raise MalformedBody(f"body: expected an array per row, got {shown(rows[other])} in record {other}")
    width = len(rows[0] if names is None else names)
    if set(map(len, rows)) != {width}:
        other = next(index for index, row in enumerate(rows) if len(row) != width)
        raise MalformedBody(f"body: expected {width} columns in every row, got {len(rows[other])} in record {other}")
    return width


def from_records(rows: list[Any], inputs: Inputs) -> dict[str, Tensor]:
    """Read objects, one per row; the first of them gives the order of columns, where names do not."""
    records = parse_records(rows)
    if records.bare:
        raise MalformedBody(f"body: expected an object per record, got {shown(rows[0])} in record 0")
    first = records.rows[0]
    if len(inputs) != 1 or len(inputs[0].shape) < 2 or inputs[0].name in first:
        return tensors(records, inputs)
    return from_rows(None, [_cells(row, first, index) for index, row in enumerate(records.rows)], inputs)


def _cells(row: Mapping[str, Any], first: Mapping[str, Any], index: int) -> list[Any]:
    if row.keys() != first.keys():
        name = min(row.keys() ^ first.keys())
        raise MalformedBody(f"body: expected the same columns in every record, not so {name[:80]!r} in record {index}")
    return [row[name] for name in first]


def from_items(items: Any, inputs: Inputs, place: str) -> dict[str, Tensor]:
    """Read records or arrays, one per row, or a value per row where a row is one value."""
    rows = _rows(items, place)
    kinds = set(map(type, rows))
    if kinds == {dict}:
        return from_records(rows, inputs)
    if kinds == {list} and len(inputs) > 1:
        return from_rows(None, rows, inputs)
    if not kinds & {dict, list} and len(inputs) == 1 and inputs[0].shape[1:] in ((), (1,)):
        return tensors(Records(rows, bare=True), inputs)
    return tensors(parse_records(rows), inputs)


def from_columns(columns: dict[str, Any], inputs: Inputs) -> dict[str, Tensor]:
    """Read `{name: [value per row]}`; columns without any array are one record."""
    if not columns or list not in map(type, columns.values()):
        return from_records([columns], inputs)
    if len(inputs) == 1 and len(inputs[0].shape) > 1 and inputs[0].name not in columns:
        values = [_column(name, columns) for name in columns]
        if len({len(column) for column in values}) > 1:
            raise MalformedBody("body: expected columns of one length, got several")
        return from_rows(None, [list(row) for row in zip(*values, strict=True)], inputs)
    if extra := next((name for name in columns if all(name != spec.name for spec in inputs)), None):
        has = listed({spec.name: None for spec in inputs})
        raise UnknownTensor(f"input {extra[:80]!r}: the model has no such input (it has: {has})", tensor=extra)
    for spec in inputs:
        if spec.name not in columns:
            raise MissingTensor(
                f"input {spec.name!r}: expected {spec.datatype} {list(spec.shape)}, got no such tensor "
                f"(came: {listed(columns)})",
                tensor=spec.name,
            )
    found = {spec.name: _column(spec.name, columns) for spec in inputs}
    # A graph may stretch one value over many rows: nobody who sends a table means that.
    counts = {spec.name: len(found[spec.name]) for spec in inputs if spec.shape[:1] == (ANY,)}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{count} of {name!r}" for name, count in counts.items())
        raise MalformedBody(f"body: expected columns of one length, got values {said:.400}")
    return {spec.name: gather(found[spec.name], spec) for spec in inputs}


def _column(name: str, columns: dict[str, Any]) -> list[Any]:
    values = columns[name]
    if type(values) is not list or not values:
        found = "an empty array" if values == [] else shown(values)
        raise WrongShape(f"input {name[:80]!r}: expected an array of a value per row, got {found}", tensor=name)
    return values


def _rows(rows: Any, place: str) -> list[Any]:
    if type(rows) is not list or not rows:
        found = "an empty array" if rows == [] else kind_of(rows)
        raise MalformedBody(f"{place}: expected a non-empty array of rows, got {found}")
    return rows


def answers(outputs: Outputs, labels: tuple[str | int, ...]) -> Answers:
    """Return what was computed, one per row: the value of a model with one output, else `{output: value}`.

    Raises: UnrepresentableOutput for NaN and infinity, and for an output that has no row per record.
    """
    if len(outputs) == 1 and not labels and outputs[0][1].ndim > 1 and prod(outputs[0][1].shape[1:]) > 1:
        return _rows_of(*outputs[0])
    found = predictions(outputs, count=count_of(outputs), labels=labels)
    if len(outputs) > 1:
        return found
    name = outputs[0][0].name
    return [prediction[name] for prediction in found]


def _rows_of(spec: TensorSpec, array: Tensor) -> Answers:
    """Return an output of several values per row as it is: `dump` writes it in one go."""
    array = numbers(spec, array)
    refuse_not_finite(spec, array)
    return array.tolist() if array.dtype.kind == "O" else np.ascontiguousarray(array)


def count_of(outputs: Outputs) -> int:
    """Return how many rows were computed."""
    shape = outputs[0][1].shape
    return shape[0] if shape else 1
