"""What a model takes and gives, and the check that a request's tensors fit it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, NoReturn, TypeAlias

from warmstart.datatypes import DATATYPES, Datatype, from_numpy
from warmstart.errors import MissingTensor, UnknownTensor, WrongDatatype, WrongShape

if TYPE_CHECKING:
    from typing import Any

    from numpy import dtype
    from numpy.typing import NDArray

    Tensor: TypeAlias = NDArray[Any]

ANY = -1
"""A dimension of any size, in a declared shape."""
MOST_DIMENSIONS = 64
"""Of a tensor in a request: numpy's limit."""


class TensorSpec(NamedTuple):
    """One input or output: name, datatype (a key of `DATATYPES`), shape with -1 for any size."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    @property
    def type(self) -> Datatype:
        """The row of the datatype table."""
        return DATATYPES[self.datatype]

    def __str__(self) -> str:
        return f"{self.name}: {self.datatype} {list(self.shape)}"


class Signature(NamedTuple):
    """All inputs and outputs of a model, in the model's order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def reshaped(array: Tensor, shape: tuple[int, ...], name: str) -> Tensor:
    """Give an input that has as many values its shape. Raises: WrongShape."""
    try:
        return array.reshape(shape)
    except (ValueError, OverflowError):
        raise too_large(shape, name) from None


def too_large(shape: tuple[int, ...], name: str) -> WrongShape:
    """Return the error of an empty tensor of a dimension that no array can have."""
    return WrongShape(f"input {name!r}: expected a shape that memory can hold, got {list(shape)}", tensor=name)


def fits(shape: tuple[int, ...], declared: tuple[int, ...]) -> bool:
    """Say whether a concrete shape fits a declared one."""
    return len(shape) == len(declared) and all(
        wanted in (size, ANY) for size, wanted in zip(shape, declared, strict=True)
    )


def check(tensors: Mapping[str, Tensor], specs: tuple[TensorSpec, ...]) -> None:
    """Check that the tensors are the declared ones: same names, datatypes, and shapes that fit.

    Raises: MissingTensor, UnknownTensor, WrongDatatype, WrongShape; each names the tensor.
    """
    for name, datatype, shape in specs:
        tensor = tensors.get(name)
        if tensor is None:
            raise MissingTensor(
                f"input {name!r}: expected {datatype} {list(shape)}, got no such tensor (came: {listed(tensors)})",
                tensor=name,
            )
        if not _suits(tensor.dtype, tensor.shape, datatype, shape):
            if not _holds(tensor.dtype, datatype):
                raise WrongDatatype(f"input {name!r}: expected {datatype}, got {_protocol_name(tensor)}", tensor=name)
            raise WrongShape(
                f"input {name!r}: expected shape {list(shape)} (-1 is any size), got {list(tensor.shape)}", tensor=name
            )
    if len(tensors) > len(specs):
        _refuse_extra(tensors, {spec.name: spec for spec in specs})


def _refuse_extra(tensors: Mapping[str, Tensor], declared: Mapping[str, TensorSpec]) -> NoReturn:
    extra = next(name for name in tensors if name not in declared)
    raise UnknownTensor(f"input {extra!r}: the model has no such input (it has: {listed(declared)})", tensor=extra)


def listed(names: Mapping[str, object]) -> str:
    """List names for a message: the first ten, "none" if there is none."""
    first = ", ".join(name[:80] for name in islice(names, 10))
    return f"{first}, ..." if len(names) > 10 else first or "none"


@lru_cache(maxsize=1024)
def _suits(dtype: dtype[Any], shape: tuple[int, ...], datatype: str, declared: tuple[int, ...]) -> bool:
    return _holds(dtype, datatype) and fits(shape, declared)


def _holds(dtype: dtype[Any], datatype: str) -> bool:
    return dtype.name == DATATYPES[datatype].numpy


def _protocol_name(tensor: Tensor) -> str:
    found = from_numpy(tensor.dtype.name)
    return found.name if found else tensor.dtype.name
