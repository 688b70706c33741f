"""Tables as CSV: to tensors, a column per value of a row, and back.

With a header, columns are matched to inputs by name, in any order. An input that takes n values per row has the columns
`name.0`, `name.1`, ...; where it is the only input, any n columns in order, whatever they are called, as data frames
name features and such models do not. Without a header, columns are the inputs' values in the model's order.

Numbers are read as strictly as in JSON: nothing is rounded to an integer, nothing above its datatype becomes infinity.
An empty cell is a missing value where there is a number for it (NaN), and empty text where text belongs; blank lines
are no rows. Source: RFC 4180, and what pandas 2 writes (`to_csv`): `True`, `nan`, lines that end with a newline alone.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from itertools import chain
from math import inf, isinf, prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import orjson

from warmstart.bfloat16 import numbers
from warmstart.datatypes import DATATYPES
from warmstart.errors import InvalidRequest, MalformedBody, MissingTensor, UnknownTensor
from warmstart.protocols.json_tensors import pack
from warmstart.protocols.records import check_count, check_rows, in_record, label_of, label_output
from warmstart.protocols.tables import check_once, described
from warmstart.tensors import ANY, listed

if TYPE_CHECKING:
    from warmstart.protocols.wire import Outputs
    from warmstart.tensors import Tensor, TensorSpec

_BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class _Columns(NamedTuple):
    """Where an input's values stand in a row, and the shape that they have there."""

    spec: TensorSpec
    indices: tuple[int, ...]
    row: tuple[int, ...]


def read_csv(body: bytes, inputs: tuple[TensorSpec, ...], *, header: bool) -> dict[str, Tensor]:
    """Read a table into the model's inputs, one row per line.

    Raises: InvalidRequest, MalformedBody, MissingTensor, UnknownTensor, WrongShape, InvalidValue.
    """
    rows = _rows(body)
    names = rows.pop(0) if header and rows else None
    if not rows:
        raise MalformedBody(f"body: expected at least one row of CSV{' below its header' if names else ''}, got none")
    width = len(rows[0]) if names is None else len(names)
    _check_widths(rows, width)
    found = _by_name(names, inputs) if names is not None else _in_order(width, inputs)
    if len(found) == 1 and len(found[0].indices) == width:
        return {found[0].spec.name: _tensor(found[0], list(chain.from_iterable(rows)), len(rows))}
    columns = [*zip(*rows, strict=True)]
    return {part.spec.name: _tensor(part, _interleaved(columns, part.indices), len(rows)) for part in found}


def _rows(body: bytes) -> list[list[str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedBody(f"body: expected CSV in UTF-8, got another byte at {error.start}") from None
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        return [row for row in reader if row]
    except csv.Error as error:
        raise MalformedBody(f"body: expected CSV, got: {error} (line {reader.line_num})") from None


def _check_widths(rows: list[list[str]], width: int) -> None:
    if set(map(len, rows)) != {width}:
        index = next(index for index, row in enumerate(rows) if len(row) != width)
        raise MalformedBody(f"body: expected {width} columns in every row, got {len(rows[index])} in record {index}")


def _row_shape(spec: TensorSpec, columns: int) -> tuple[int, ...]:
    """Return the shape of a row; one open dimension is as wide as there are columns for it."""
    row = spec.shape[1:]
    if row == (ANY,):
        return (columns,)
    if ANY in row:
        raise InvalidRequest(f"input {spec.name!r}: expected a shape that columns have, got {list(row)}; send JSON")
    return row


def _in_order(width: int, inputs: tuple[TensorSpec, ...]) -> list[_Columns]:
    found: list[_Columns] = []
    start = 0
    for spec in inputs:
        row = _row_shape(spec, width if len(inputs) == 1 else 1)
        found.append(_Columns(spec, tuple(range(start, start := start + prod(row))), row))
    if start != width:
        raise MalformedBody(f"body: expected {start} columns ({described(inputs)}), got {width} in record 0")
    return found


def _by_name(names: Sequence[str], inputs: tuple[TensorSpec, ...]) -> list[_Columns]:
    if len(inputs) == 1 and len(inputs[0].shape) > 1:
        row = _row_shape(inputs[0], len(names))
        if prod(row) != len(names):
            raise MalformedBody(f"body: expected {prod(row)} columns ({inputs[0]}), got {len(names)} in the header")
        return [_Columns(inputs[0], tuple(range(len(names))), row)]
    check_once(names)
    places = {name: index for index, name in enumerate(names)}
    found = [_named(spec, places) for spec in inputs]
    if (count := sum(len(part.indices) for part in found)) != len(names):
        taken = set(chain.from_iterable(part.indices for part in found))
        extra = next(name for name, index in places.items() if index not in taken)
        raise UnknownTensor(
            f"column {extra[:80]!r}: the model has no such input (it has {count} columns: "
            f"{listed({spec.name: None for spec in inputs})})",
            tensor=extra,
        )
    return found


def _named(spec: TensorSpec, places: dict[str, int]) -> _Columns:
    row = _row_shape(spec, sum(name.startswith(f"{spec.name}.") for name in places) or 1)
    size = prod(row)
    wanted = [spec.name] if row == () or spec.name in places else [f"{spec.name}.{index}" for index in range(size)]
    if (missing := next((name for name in wanted if name not in places), None)) is not None or len(wanted) != size:
        first = spec.name if size == 1 else missing or f"{spec.name}.0"
        raise MissingTensor(
            f"input {spec.name!r}: expected {'a column' if size == 1 else f'{size} columns'} "
            f"{repr(first)[:90]}{', ...' if size > 1 else ''} of {spec.datatype}, "
            f"got none (the header has: {listed(places)})",
            tensor=spec.name,
        )
    return _Columns(spec, tuple(places[name] for name in wanted), row)


def _interleaved(columns: list[tuple[str, ...]], indices: tuple[int, ...]) -> Sequence[str]:
    """Return the cells of some columns, row by row."""
    if len(indices) == 1:
        return columns[indices[0]]
    return [*chain.from_iterable(zip(*(columns[index] for index in indices), strict=True))]


def _tensor(part: _Columns, cells: Sequence[str], count: int) -> Tensor:
    check_count(part.spec, count)
    datatype = DATATYPES[part.spec.datatype]
    values = _values(cells, datatype.name)
    return pack(values, datatype, part.spec.name, in_record(prod(part.row))).reshape((count, *part.row))


# What is no number stays the text that it is: `pack` refuses it, and says where it stands.


def _values(cells: Sequence[str], datatype: str) -> list[Any]:
    match datatype:
        case "BYTES":
            return [*cells]
        case "BOOL":
            return [_BOOLEANS.get(cell.strip(), cell) for cell in cells]
        case "FP16" | "BF16" | "FP32" | "FP64":
            return _floats(cells)
        case _:
            return _read(cells, int, _integer)


def _floats(cells: Sequence[str]) -> list[Any]:
    values = _read(cells, float, _float)
    return [_float(cell) for cell in cells] if inf in values or -inf in values else values


def _read(cells: Sequence[str], convert: Callable[[str], Any], carefully: Callable[[str], Any]) -> list[Any]:
    """Convert all cells at once, or one by one where Python reads more than is written in CSV (`1_000`, `\u0661`)."""
    together = "".join(cells)
    if together.isascii() and "_" not in together:
        try:
            return [*map(convert, cells)]
        except ValueError:  # an empty cell, or what is no number
            pass
    return [carefully(cell) for cell in cells]


def _float(cell: str) -> float | str | None:
    text = cell.strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        return cell
    if not text.isascii() or "_" in text or (isinf(value) and "n" not in text.lower()):  # 1e999 is above FP64
        return cell
    return value


def _integer(cell: str) -> int | str:
    try:
        return int(cell) if cell.isascii() and "_" not in cell else cell
    except ValueError:
        return cell


def write_csv(outputs: Outputs, *, count: int, labels: tuple[str | int, ...] = (), header: bool) -> bytes:
    """Write a line per record and a column per value; an output of n values per record has n columns.

    The header names them as outputs are named, `output.label` or `output.0`, `output.1`, ... where there are several.
    The index of a class is its label. NaN is an empty cell, infinity is `inf`. Raises: UnrepresentableOutput for an
    output that has no row per record.
    """
    labelled = label_output(outputs, labels)
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    if header:
        writer.writerow(chain.from_iterable(_column_names(spec, array, labels) for spec, array in outputs))
    columns = [
        column for spec, array in outputs for column in _columns(spec, array, count, labels if spec is labelled else ())
    ]
    writer.writerows(zip(*columns, strict=True))
    return buffer.getvalue().encode()


def _column_names(spec: TensorSpec, array: Tensor, labels: tuple[str | int, ...]) -> list[str]:
    if array.shape[1:] in ((), (1,)):
        return [spec.name]
    size = prod(array.shape[1:])
    keys = {str(label): None for label in labels}
    parts: Iterable[object] = keys if len(keys) == size and array.dtype.kind == "f" else range(size)
    return [f"{spec.name}.{part}" for part in parts]


def _columns(spec: TensorSpec, array: Tensor, count: int, labels: tuple[str | int, ...]) -> list[list[Any]]:
    check_rows(spec, array, count)
    size = prod(array.shape[1:])
    if labels:
        return [[label_of(labels, value) for value in array.ravel().tolist()]]
    cells = _texts(numbers(spec, array).ravel())
    return [cells[start::size] for start in range(size)]


def _texts(values: Tensor) -> list[Any]:
    """Write numbers with the fewest digits that give the same value, each in its own precision."""
    if values.dtype.kind == "O":
        return [*values]
    if not values.size:
        return []
    if values.dtype.kind == "f" and np.isinf(values).any():
        return ["" if text == "nan" else text for text in values.astype(str).tolist()]
    written = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return written[1:-1].replace("null", "").split(",")
