"""Arrays and data frames to the tensors that a model takes: by name, in the declared datatype and shape."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from warmstart.client.cast import cast
from warmstart.client.values import is_frame
from warmstart.datatypes import FLOATS
from warmstart.errors import InvalidValue, MissingTensor, UnknownTensor, WrongShape
from warmstart.tensors import ANY, TensorSpec, fits, listed

if TYPE_CHECKING:
    from warmstart.tensors import Tensor


class Input(NamedTuple):
    """A tensor that is ready to be sent."""

    spec: TensorSpec
    array: Tensor


class Column(Protocol):
    """What is asked of a `pandas.Series`."""

    def to_numpy(self) -> Tensor:
        """Its values."""
        ...

    def isna(self) -> Column:
        """Where they are missing."""
        ...

    def dropna(self) -> Column:
        """Those that are not; pandas makes whole numbers floating-point ones where any is missing."""
        ...


class Columns(Protocol):
    """What is asked of a `pandas.DataFrame`."""

    @property
    def columns(self) -> Iterable[Hashable]:
        """Their names, in order."""
        ...

    @property
    def iloc(self) -> Any:
        """A column by its position: `iloc[:, 0]`."""
        ...

    def __len__(self) -> int: ...


def match(values: Any, inputs: tuple[TensorSpec, ...]) -> tuple[Input, ...]:
    """Fit a DataFrame, a mapping of arrays, or for a model with one input an array, to a model's inputs.

    Raises: MissingTensor, UnknownTensor, WrongShape, WrongDatatype, InvalidValue; each names the tensor.
    """
    if is_frame(values):
        return _from_frame(values, inputs)
    if isinstance(values, Mapping):
        return _from_mapping(values, inputs)
    if len(inputs) != 1:
        names = listed({spec.name: spec for spec in inputs})
        raise MissingTensor(
            f"inputs: expected {len(inputs)} arrays by name ({names}), got one array; send {{name: array, ...}}",
            tensor=inputs[0].name if inputs else "",
        )
    return (Input(inputs[0], _fit(values, inputs[0])),)


def _from_mapping(values: Mapping[str, Any], inputs: Sequence[TensorSpec]) -> tuple[Input, ...]:
    _check_names([str(name) for name in values], inputs, "array")
    named = {str(name): value for name, value in values.items()}
    return tuple(Input(spec, _fit(named[spec.name], spec)) for spec in inputs)


def _from_frame(frame: Columns, inputs: tuple[TensorSpec, ...]) -> tuple[Input, ...]:
    names = [str(name) for name in frame.columns]
    if len(inputs) == 1 and inputs[0].name not in names and len(inputs[0].shape) == 2:
        return (Input(inputs[0], _stacked(frame, names, inputs[0])),)
    _check_names(names, inputs, "column")
    return tuple(
        Input(spec, _reshaped(_column(frame.iloc[:, names.index(spec.name)], spec, spec.name), spec)) for spec in inputs
    )


def _check_names(names: Sequence[str], inputs: Sequence[TensorSpec], kind: str) -> None:
    came, declared = dict.fromkeys(names), {spec.name: spec for spec in inputs}
    for spec in inputs:
        if spec.name not in came:
            raise MissingTensor(
                f"input {spec.name!r}: expected {spec.datatype} {list(spec.shape)}, got no such {kind} "
                f"(came: {listed(came)})",
                tensor=spec.name,
            )
    for name in names:
        if name not in declared:
            raise UnknownTensor(
                f"input {name!r}: the model has no such input (it has: {listed(declared)}); leave the {kind} out",
                tensor=name,
            )
        if names.count(name) > 1:
            raise UnknownTensor(f"input {name!r}: expected one {kind}, got {names.count(name)}", tensor=name)


def _stacked(frame: Columns, names: Sequence[str], spec: TensorSpec) -> Tensor:
    """Put a frame's columns beside each other, in their order, for an input that takes a row of values."""
    shape = (len(frame), len(names))
    if not fits(shape, spec.shape):
        width = spec.shape[1]
        raise WrongShape(
            f"input {spec.name!r}: expected {width if width != ANY else 'its'} columns for shape {list(spec.shape)}, "
            f"got {len(names)} columns and {len(frame)} rows ({listed(dict.fromkeys(names))}); "
            "choose and order the columns: frame[[...]]",
            tensor=spec.name,
        )
    stacked = np.empty(shape, spec.type.numpy)
    for place, name in enumerate(names):
        stacked[:, place] = _column(frame.iloc[:, place], spec, name)
    return stacked


def _column(column: Column, spec: TensorSpec, name: str) -> Tensor:
    """Return a column in the input's datatype; what is missing is NaN, where there is one."""
    missing = column.isna().to_numpy()
    if not missing.any():
        return cast(column.to_numpy(), spec.type, name)
    if spec.datatype not in FLOATS:
        row = int(np.argmax(missing))
        raise InvalidValue(
            f"input {name!r}: expected {spec.datatype}, got a missing value in row {row}; fill it: .fillna(...)",
            tensor=name,
        )
    values = cast(np.full(len(missing), np.nan), spec.type, name)
    values[~missing] = cast(column.dropna().to_numpy(), spec.type, name)
    return values


def _array(value: Any, spec: TensorSpec) -> Tensor:
    """Return an array; what is none yet becomes one, where all its rows are as long."""
    if hasattr(value, "isna") and not is_frame(value):  # a pandas.Series
        return _column(value, spec, spec.name)
    if np.ma.is_masked(value):
        raise InvalidValue(
            f"input {spec.name!r}: expected {spec.datatype}, got an array with masked values; fill them: .filled(...)",
            tensor=spec.name,
        )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise WrongShape(
            f"input {spec.name!r}: expected an array of shape {list(spec.shape)}, got {error}", tensor=spec.name
        ) from error
    if array.dtype.kind in "fSU" and not hasattr(value, "dtype"):  # numpy writes 1 beside "a" as text, cuts NULs off
        return np.array(value, object)
    return array


def _fit(value: Any, spec: TensorSpec) -> Tensor:
    array = _array(value, spec)
    return _reshaped(array if _is_cast(array, spec) else cast(array, spec.type, spec.name), spec)


def _is_cast(array: Tensor, spec: TensorSpec) -> bool:
    return spec.datatype not in ("BYTES", "BF16") and array.dtype == np.dtype(spec.type.numpy)


def _reshaped(array: Tensor, spec: TensorSpec) -> Tensor:
    """Return the array in a shape that fits: (n,) and (n, 1) are the same, and one record may lack its batch."""
    shape, declared = array.shape, spec.shape
    if fits(shape, declared):
        return array
    if declared[-1:] == (1,) and fits((*shape, 1), declared):
        return array.reshape((*shape, 1))
    if shape[-1:] == (1,) and fits(shape[:-1], declared):
        return array.reshape(shape[:-1])
    if declared[:1] == (ANY,) and fits((1, *shape), declared):
        return array.reshape((1, *shape))
    if shape == () and fits((1,) * len(declared), declared):
        return array.reshape((1,) * len(declared))
    raise WrongShape(
        f"input {spec.name!r}: expected shape {list(declared)} (-1 is any size), got {list(shape)}; reshape it",
        tensor=spec.name,
    )
