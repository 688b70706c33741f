"""Tables as an Arrow IPC stream to tensors: as strict as JSON, a column's values being numbers already.

Columns are matched to inputs by name, in any order; an input that takes n values per row is a column of lists. Where a
model has one input of n values per row and no column has its name, any n columns in order are its values, as in CSV.
Whole numbers become floating point, and floating point is rounded to the datatype, as from JSON; a null is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from warmstart.bfloat16 import numbers, rounded
from warmstart.datatypes import DATATYPES, FLOATS
from warmstart.errors import InvalidValue, MalformedBody, MissingTensor, UnknownTensor, WrongShape
from warmstart.protocols.arrow_columns import Column, read_stream
from warmstart.protocols.records import check_count
from warmstart.protocols.tables import check_once
from warmstart.tensors import fits, listed

if TYPE_CHECKING:
    from warmstart.tensors import Tensor, TensorSpec


def read_arrow(body: bytes, inputs: tuple[TensorSpec, ...]) -> dict[str, Tensor]:
    """Read a stream into the model's inputs. Raises: InvalidRequest and what is below it."""
    fields, batches = read_stream(body)
    names = [field.name for field in fields]
    if not names or not any(len(batch[0].values) for batch in batches):
        raise MalformedBody("body: expected at least one row and one column of Arrow, got none")
    check_once(names)
    columns = {name: _joined(name, [batch[index] for batch in batches]) for index, name in enumerate(names)}
    if len(inputs) == 1 and len(inputs[0].shape) > 1 and inputs[0].name not in columns:
        spec = inputs[0]
        parts = [_tensor(column, spec, name, (len(column.values),)) for name, column in columns.items()]
        return {spec.name: _shaped(np.stack(parts, axis=1), spec)}
    if missing := next((spec for spec in inputs if spec.name not in columns), None):
        raise MissingTensor(
            f"input {missing.name!r}: expected a column of {missing.datatype}, got none (came: {listed(columns)})",
            tensor=missing.name,
        )
    if len(columns) > len(inputs):
        has = {spec.name: None for spec in inputs}
        extra = next(name for name in columns if name not in has)
        raise UnknownTensor(f"column {extra[:80]!r}: the model has no such input (it has: {listed(has)})", tensor=extra)
    return {spec.name: _shaped(_tensor(columns[spec.name], spec, spec.name, None), spec) for spec in inputs}


def _joined(name: str, parts: list[Column]) -> Column:
    """Join a column's batches, those without rows left out."""
    parts = [part for part in parts if len(part.values)]
    if len({part.values.shape[1:] for part in parts}) > 1:
        raise MalformedBody(f"column {name[:80]!r}: expected lists of one length in all rows, got several")
    if len(parts) == 1:
        return parts[0]
    missing = [np.zeros(part.values.shape, np.bool_) if part.missing is None else part.missing for part in parts]
    return Column(np.concatenate([part.values for part in parts]), np.concatenate(missing))


def _shaped(array: Tensor, spec: TensorSpec) -> Tensor:
    """Give a row of one value the shape that the input has. Raises: WrongShape."""
    check_count(spec, len(array))
    if array.ndim == 1 and len(spec.shape) == 2:
        array = array.reshape(-1, 1)
    elif array.ndim == 2 and array.shape[1] == 1 and len(spec.shape) == 1:
        array = array.reshape(-1)
    elif array.ndim == 2 and len(spec.shape) > 2 and -1 not in spec.shape[1:]:
        size = int(np.prod(spec.shape[1:]))
        array = array.reshape(len(array), *spec.shape[1:]) if array.shape[1] == size else array
    if not fits(array.shape, spec.shape):
        raise WrongShape(
            f"input {spec.name!r}: expected shape {list(spec.shape)} (-1 is any size), got {list(array.shape)}",
            tensor=spec.name,
        )
    return array


def _tensor(column: Column, spec: TensorSpec, name: str, shape: tuple[int, ...] | None) -> Tensor:
    """Convert a column to its input's datatype, as strictly as JSON. Raises: InvalidValue, WrongShape."""
    values, missing = column
    if shape is not None and values.shape != shape:
        raise WrongShape(f"column {name[:80]!r}: expected one value in a row, got lists", tensor=spec.name)
    if missing is not None and not missing.any():
        missing = None
    datatype = DATATYPES[spec.datatype]
    target = np.dtype(datatype.numbers)
    if missing is not None:
        if datatype.name not in FLOATS:
            raise _refused(spec, name, "a missing value: only FP16, BF16, FP32 and FP64 have one", missing)
        values = np.where(missing, np.nan, values.astype(np.float64))
    kind, wanted = values.dtype.kind, target.kind
    if kind != wanted and not (kind in "iu" and wanted in "iuf"):
        raise InvalidValue(
            f"column {name[:80]!r}: expected {datatype.name} values, got {_named(values)}", tensor=spec.name
        )
    return values if kind == "O" or kind == "b" else _cast(values, target, spec, name)


def _cast(values: Tensor, target: np.dtype[Any], spec: TensorSpec, name: str) -> Tensor:
    with np.errstate(over="ignore", invalid="ignore"):
        array: Tensor = values.astype(target)
    if spec.datatype == "BF16":
        array = rounded(array)
    if target.kind == "f":
        lost = np.isinf(numbers(spec, array)) & np.isfinite(values)
    else:
        info = np.iinfo(target)
        lost = np.zeros(values.shape, np.bool_)
        if int(values.min()) < info.min or int(values.max()) > info.max:
            lost = np.array([not info.min <= value <= info.max for value in values.ravel().tolist()])
            lost = lost.reshape(values.shape)
    if lost.any():
        raise _refused(spec, name, str(values[lost][0]), lost)
    return array


def _refused(spec: TensorSpec, name: str, found: str, where: Tensor) -> InvalidValue:
    record = int(np.argwhere(where)[0][0])
    return InvalidValue(
        f"column {name[:80]!r}: expected {spec.datatype} values, got {found} in record {record}", tensor=spec.name
    )


def _named(values: Tensor) -> str:
    return {"O": "text", "b": "booleans", "f": "floating point"}.get(values.dtype.kind, "whole numbers")
