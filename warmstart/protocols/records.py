"""Rows of JSON: one record or a list of them to tensors, and what was computed to one prediction per record.

A record is an object that names the model's inputs: `{"age": 3, "income": 1200}`. An input that takes one number per
row takes a value; an input that takes n numbers per row takes an array of n. A model with a single input also reads
records that are bare arrays: `[5.1, 3.5, 1.4, 0.2]`. A file in base64 may be marked as such, as TensorFlow Serving's
clients do: `{"image": {"b64": "/9j/4AAQ..."}}` is `{"image": "/9j/4AAQ..."}`. Many records may come as columns:
`{"age": [3, 4], "income": [1200, 900]}`.

Where the manifest has class labels, a score per class becomes `{label: score}`, and the index of a class its label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from warmstart.bfloat16 import numbers
from warmstart.datatypes import DATATYPES
from warmstart.errors import (
    InvalidRequest,
    MalformedBody,
    MissingTensor,
    UnknownTensor,
    UnrepresentableOutput,
    WrongShape,
)
from warmstart.protocols.json_tensors import flatten, kind_of, pack, refuse_not_finite, shown
from warmstart.tensors import ANY, fits, listed

if TYPE_CHECKING:
    from warmstart.protocols.wire import Outputs
    from warmstart.tensors import Tensor, TensorSpec

_INTEGERS = "iu"
_FLOATS = "f"


class Records(NamedTuple):
    """A parsed body: all rows are objects, or all are bare arrays."""

    rows: list[Any]
    bare: bool


def parse_records(document: Any) -> Records:
    """Read one record, or a list of them. Raises: MalformedBody."""
    if type(document) is dict:
        return Records([document], bare=False)
    if type(document) is not list or not document:
        found = "an empty array" if document == [] else kind_of(document)
        raise MalformedBody(f"body: expected a record or a non-empty array of records, got {found}")
    kinds = {type(row) if type(row) in (dict, list) else None for row in document}
    if len(kinds) > 1:
        raise MalformedBody(f"body: expected records of one form, got {' and '.join(_kinds(document))}")
    match kinds.pop():
        case None:
            return Records([document], bare=True)
        case kind:
            return Records(document, bare=kind is list)


def _kinds(rows: list[Any]) -> list[str]:
    return sorted(set(map(kind_of, rows)))


def tensors(records: Records, inputs: tuple[TensorSpec, ...]) -> dict[str, Tensor]:
    """Gather records into tensors, one row per record.

    Raises: InvalidRequest, MissingTensor, UnknownTensor, WrongShape, InvalidValue.
    """
    if records.bare:
        if len(inputs) != 1:
            raise InvalidRequest(
                f"body: expected records that name the model's {len(inputs)} inputs "
                f"({listed({spec.name: None for spec in inputs})}), got bare arrays"
            )
        return {inputs[0].name: gather(records.rows, inputs[0])}
    gathered = {spec.name: gather(_column(records.rows, spec), spec) for spec in inputs}
    for index, row in enumerate(records.rows):
        if len(row) != len(inputs):
            extra = next(name for name in row if name not in gathered)
            raise UnknownTensor(
                f"input {extra[:80]!r}: the model has no such input (it has: {listed(gathered)}); in record {index}",
                tensor=extra,
            )
    return gathered


def is_columns(document: dict[str, Any], inputs: tuple[TensorSpec, ...]) -> bool:
    """Say whether an object holds columns and no record: each of its values is nested one level deeper than there.

    Of an input of one value per row, `[5]` is both, and means the same.
    """
    for spec in inputs:
        value = document.get(spec.name)
        if type(value) is not list or not value:
            return False
        row, depth = spec.shape[1:], 0
        while type(value) is list:
            value, depth = value[0] if value else None, depth + 1
        if depth <= len(row) and row != (1,):
            return False
    return True


def columns(document: dict[str, Any], inputs: tuple[TensorSpec, ...]) -> dict[str, Tensor]:
    """Gather columns, for which `is_columns` holds, into tensors. Raises: as `tensors`, and MalformedBody."""
    if extra := next((name for name in document if all(name != spec.name for spec in inputs)), None):
        has = listed({spec.name: None for spec in inputs})
        raise UnknownTensor(f"input {extra[:80]!r}: the model has no such input (it has: {has})", tensor=extra)
    count = len(document[inputs[0].name])
    for spec in inputs:
        if (found := len(document[spec.name])) != count:
            raise MalformedBody(
                f"body: expected columns of one length, got {count} values of {inputs[0].name!r} "
                f"and {found} of {spec.name!r}"
            )
    return {spec.name: gather(document[spec.name], spec) for spec in inputs}


def _column(rows: list[Any], spec: TensorSpec) -> list[Any]:
    try:
        return [row[spec.name] for row in rows]
    except KeyError:
        index = next(index for index, row in enumerate(rows) if spec.name not in row)
        raise MissingTensor(
            f"input {spec.name!r}: expected {spec.datatype} in every record, got none in record {index} "
            f"(which has: {listed(rows[index])})",
            tensor=spec.name,
        ) from None


def check_count(spec: TensorSpec, count: int) -> None:
    """Raises: InvalidRequest if an input has no rows, WrongShape if it takes another number of them."""
    if not spec.shape:
        raise InvalidRequest(
            f"input {spec.name!r}: is one value for all records; ask this model through /v2/models/.../infer"
        )
    if spec.shape[0] not in (ANY, count):
        raise WrongShape(
            f"input {spec.name!r}: the model takes {spec.shape[0]} records at a time, got {count}", tensor=spec.name
        )


def gather(values: list[Any], spec: TensorSpec) -> Tensor:
    """Gather an input's values, one per record. Raises: InvalidRequest, WrongShape, InvalidValue."""
    check_count(spec, len(values))
    row = spec.shape[1:]
    datatype = DATATYPES[spec.datatype]
    if spec.datatype == "BYTES" and dict in map(type, values):
        values = [_unmarked(value) for value in values]
    if row in ((), (1,), (ANY,)) and type(values[0]) is not list:
        if row == (ANY,):
            row = (1,)
        return pack(values, datatype, spec.name, in_record(1)).reshape((len(values), *row))
    row = _row_shape(values, spec)
    flat = list(chain.from_iterable(_flat_rows(values, row, spec)))
    return pack(flat, datatype, spec.name, in_record(prod(row))).reshape((len(values), *row))


def _unmarked(value: Any) -> Any:
    """Take base64 out of its mark; any other object stays, to be refused as one."""
    return value["b64"] if type(value) is dict and [*value] == ["b64"] else value


def _row_shape(values: list[Any], spec: TensorSpec) -> tuple[int, ...]:
    """Return the shape of a row: as declared, what is open taken from the first record."""
    declared = spec.shape[1:]
    if ANY not in declared:
        return declared
    found: list[int] = []
    level: Any = values[0]
    while type(level) is list and len(found) <= len(declared):
        found.append(len(level))
        level = level[0] if level else None
    if not fits(tuple(found), declared):
        raise WrongShape(
            f"input {spec.name!r}: expected an array of shape {list(declared)} (-1 is any size) in every record, "
            f"got {f'shape {found}' if found else kind_of(values[0])} in record 0",
            tensor=spec.name,
        )
    return tuple(found)


def _flat_rows(values: list[Any], row: tuple[int, ...], spec: TensorSpec) -> Iterable[list[Any]]:
    size = prod(row)
    for index, value in enumerate(values):
        if type(value) is not list:
            raise WrongShape(
                f"input {spec.name!r}: expected an array of {size} {spec.datatype} values, "
                f"got {shown(value)} in record {index}",
                tensor=spec.name,
            )
        flat = flatten(value, row, spec.name) if value and type(value[0]) is list else value
        if len(flat) != size:
            raise WrongShape(
                f"input {spec.name!r}: expected an array of {size} {spec.datatype} values, "
                f"got {len(flat)} in record {index}",
                tensor=spec.name,
            )
        yield flat


def in_record(size: int) -> Callable[[int], str]:
    """Say where an element stands among records of so many."""

    def place(index: int) -> str:
        record, element = divmod(index, max(size, 1))
        return f"in record {record}" if size == 1 else f"in record {record}, element {element}"

    return place


def predictions(outputs: Outputs, *, count: int, labels: tuple[str | int, ...] = ()) -> list[dict[str, Any]]:
    """Return one prediction per record, `{output: value}`, for `dump`; a row of one value is the value.

    Raises: UnrepresentableOutput for NaN and infinity, and for an output that has no row per record.
    """
    names = [spec.name for spec, _ in outputs]
    labelled = label_output(outputs, labels)
    columns = [_cells(spec, array, count, labels, spec is labelled) for spec, array in outputs]
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def label_output(outputs: Outputs, labels: tuple[str | int, ...]) -> TensorSpec | None:
    """Return the output that holds the index of a label: the only one of whole numbers, where labels are text."""
    if not labels or not all(isinstance(label, str) for label in labels):
        return None
    found = [
        spec
        for spec, array in outputs
        if array.dtype.kind in _INTEGERS and array.shape[1:] in ((), (1,)) and array.ndim
    ]
    return found[0] if len(found) == 1 else None


def check_rows(spec: TensorSpec, array: Tensor, count: int) -> None:
    """Raises: UnrepresentableOutput if an output has no row per record."""
    if array.ndim == 0 or array.shape[0] != count:
        raise UnrepresentableOutput(
            f"output {spec.name!r}: expected a row per record ({count}), got shape {list(array.shape)}; "
            "ask this model through /v2/models/.../infer"
        )


def _cells(spec: TensorSpec, array: Tensor, count: int, labels: tuple[str | int, ...], is_label: bool) -> Iterable[Any]:
    check_rows(spec, array, count)
    array = numbers(spec, array)
    refuse_not_finite(spec, array)
    row = array.shape[1:]
    if row in ((), (1,)):
        # Elements of an array keep their precision in JSON: 0.1 stays 0.1, which as an FP64 would have 17 digits.
        # Whole numbers need that not, and ONNX Runtime's are numpy.longlong, which orjson knows in arrays alone.
        values: list[Any] = list(array.flat) if array.dtype.kind in _FLOATS else array.ravel().tolist()
        return [label_of(labels, value) for value in values] if is_label else values
    keys = {str(label): None for label in labels}
    if keys and row == (len(keys),) and array.dtype.kind in _FLOATS:
        return [dict(zip(keys, scores, strict=True)) for scores in array]
    return array.tolist() if array.dtype.kind == "O" else list(array)


def label_of(labels: tuple[str | int, ...], index: Any) -> Any:
    """Return the label of a class; an index that has none stays."""
    return labels[index] if 0 <= index < len(labels) else index
