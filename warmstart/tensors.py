"""What a model takes and gives, and the check that a request's tensors fit it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from warmstart.datatypes import DATATYPES, Datatype
from warmstart.errors import MissingTensor, UnknownTensor, WrongDatatype, WrongShape

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    Tensor: TypeAlias = NDArray[Any]

ANY = -1
"""A dimension of any size, in a declared shape."""


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


def fits(shape: tuple[int, ...], declared: tuple[int, ...]) -> bool:
    """Say whether a concrete shape fits a declared one."""
    return len(shape) == len(declared) and all(d in (ANY, s) for s, d in zip(shape, declared, strict=True))


def check(tensors: Mapping[str, Tensor], specs: tuple[TensorSpec, ...]) -> None:
    """Check that the tensors are the declared ones: same names, datatypes, and shapes that fit.

    Raises: MissingTensor, UnknownTensor, WrongDatatype, WrongShape; each names the tensor.
    """
    for spec in specs:
        tensor = tensors.get(spec.name)
        if tensor is None:
            names = ", ".join(tensors) or "none"
            raise MissingTensor(
                f"input {spec.name!r}: expected {spec}, got no such tensor (came: {names})", tensor=spec.name
            )
        if tensor.dtype.name != spec.type.numpy:
            raise WrongDatatype(
                f"input {spec.name!r}: expected {spec.datatype}, got {tensor.dtype.name}", tensor=spec.name
            )
        if not fits(tensor.shape, spec.shape):
            raise WrongShape(
                f"input {spec.name!r}: expected shape {list(spec.shape)} (-1 is any size), got {list(tensor.shape)}",
                tensor=spec.name,
            )
    if len(tensors) > len(specs):
        declared = {spec.name for spec in specs}
        extra = next(name for name in tensors if name not in declared)
        raise UnknownTensor(
            f"input {extra!r}: the model has no such input (it has: {', '.join(declared)})", tensor=extra
        )
