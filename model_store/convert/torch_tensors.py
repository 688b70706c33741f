"""Rows as tensors that a module takes, and what a module returns as named tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch, Sample
from model_store.convert.torch_files import FAILURES
from warmstart.errors import InvalidSample, UnsupportedModel

if TYPE_CHECKING:
    import torch

Tensors: TypeAlias = "Mapping[str, torch.Tensor]"
"""By input or output name, in order; the first axis counts the rows."""

ROWS = 2
"""Rows of an example: of 1, torch.export concludes that there never are more."""


def lay_out(sample: Sample, required: Sequence[str], optional: Sequence[str]) -> Batch:
    """Give each input its array: by name, or a whole table to the one input that there is.

    Raises: InvalidSample if the columns' names are not the inputs'.
    """
    columns = sample.columns
    if all(name in columns for name in required):
        return {name: _column(columns[name]) for name in (*required, *optional) if name in columns}
    if len(required) == 1 and len(columns) == 1:
        return {required[0]: _column(next(iter(columns.values())))}
    if len(required) == 1 and all(array.ndim == 1 for array in columns.values()):
        for name, array in columns.items():
            _refuse_text(name, array)
        return {required[0]: np.stack(list(columns.values()), axis=1)}
    raise InvalidSample(
        f"{sample.origin}: expected the inputs of forward, {', '.join(required)}; got {', '.join(columns)}: "
        "name the sample's columns or arrays so"
    )


def _column(array: NDArray[Any]) -> NDArray[Any]:
    return array[:, np.newaxis] if array.ndim == 1 else array


def _refuse_text(name: str, array: NDArray[Any]) -> None:
    if array.dtype.kind not in "biuf":
        raise InvalidSample(f"column {name!r}: expected numbers, got {array.dtype}: PyTorch has no tensors of text")


def fit(arrays: Batch, floats: torch.dtype, accepts: Callable[[Tensors], object]) -> Tensors:
    """Make an example of a few rows: numbers as they are, or all as floats if the module does not take them so.

    `floats` is the datatype of the module's own parameters: a sample's float64 is what NumPy makes of any number.
    Raises: InvalidSample if the module takes neither.
    """
    import torch

    given = {name: _few(torch.from_numpy(_plain(name, array))) for name, array in arrays.items()}
    first = {name: tensor.to(floats) if tensor.is_floating_point() else tensor for name, tensor in given.items()}
    second = {name: tensor.to(floats) for name, tensor in given.items()}
    failure: BaseException | None = None
    for tensors in (first, second):
        try:
            accepts(tensors)
        except FAILURES as error:
            failure = failure or error
        else:
            return tensors
    shapes = ", ".join(f"{name} {list(tensor.shape)} {tensor.dtype}" for name, tensor in first.items())
    raise InvalidSample(f"the model does not take the sample's rows ({shapes}): {failure}") from failure


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    _refuse_text(name, array)
    return np.ascontiguousarray(array)


def _few(tensor: torch.Tensor) -> torch.Tensor:
    if not len(tensor):
        raise InvalidSample("expected rows to try the model on, got none")
    return tensor[:ROWS] if len(tensor) >= ROWS else tensor.repeat(ROWS, *[1] * (tensor.ndim - 1))


def few(tensors: Tensors) -> Tensors:
    """Take an example's first rows, or repeat its only one. Raises: UnsupportedModel for a tensor without rows."""
    for name, tensor in tensors.items():
        if not tensor.ndim:
            raise UnsupportedModel(f"input {name!r}: expected a tensor whose first axis counts rows, got a number")
    return {name: _few(tensor) for name, tensor in tensors.items()}


def as_tensors(inputs: Batch, example: Tensors) -> Tensors:
    """Give rows the example's datatypes and device. Raises: UnsupportedModel if an input is missing."""
    import torch

    if missing := [name for name in example if name not in inputs]:
        raise UnsupportedModel(f"expected the inputs {', '.join(example)}; {', '.join(missing)} did not come")
    return {
        name: torch.from_numpy(_plain(name, inputs[name])).to(device=tensor.device, dtype=tensor.dtype)
        for name, tensor in example.items()
    }


def as_arrays(tensors: Tensors) -> Batch:
    """Bring tensors to NumPy; it has no bfloat16."""
    import torch

    return {
        name: (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().cpu().numpy()
        for name, tensor in tensors.items()
    }


def name_outputs(answer: object, inputs: Sequence[str]) -> Tensors:
    """Name what a module returns: `output`; of a tuple `output_0`, `output_1`; of a dict its keys; nested ones joined.

    The order is that of the exported graph's outputs, None left out. A name that an input has ends in `_out`.
    Raises: UnsupportedModel for what is not a tensor.
    """
    import torch
    from torch.utils import _pytree as tree

    named = dict[str, Any]()
    for path, leaf in tree.tree_flatten_with_path(answer)[0]:
        if leaf is None:
            continue
        if not isinstance(leaf, torch.Tensor):
            raise UnsupportedModel(
                f"forward returns a {type(leaf).__name__}: expected tensors, or a tuple or a dict of them"
            )
        name = _path_name([_key(key) for key in path])
        named[f"{name}_out" if name in inputs else name] = leaf
    if not named:
        raise UnsupportedModel("forward returns no tensor: expected one, or a tuple or a dict of them")
    return named


def _path_name(keys: Sequence[str | int]) -> str:
    head = ["output"] if not keys or isinstance(keys[0], int) else []
    return "_".join([*head, *map(str, keys)])


def _key(key: Any) -> str | int:
    """Take a step of a path: an index, a dict's key, a named tuple's field."""
    for field in ("idx", "key", "name"):
        if hasattr(key, field):
            value: str | int = getattr(key, field)
            return value
    return str(key)
