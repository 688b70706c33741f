"""numpy's functions that ONNX has too, in feature steps (FunctionTransformer) and of targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np

from warmstart.errors import UnsupportedModel

Chain: TypeAlias = tuple[tuple[str, float | None], ...]
"""Operators in order; with a number it is their second operand."""

FUNCTIONS: Final[Mapping[Any, Chain]] = {
    np.log: (("Log", None),),
    np.log1p: (("Add", 1.0), ("Log", None)),
    np.exp: (("Exp", None),),
    np.expm1: (("Exp", None), ("Sub", 1.0)),
    np.sqrt: (("Sqrt", None),),
    np.square: (("Pow", 2.0),),
    np.abs: (("Abs", None),),
    np.log2: (("Log", None), ("Div", float(np.log(2)))),
    np.log10: (("Log", None), ("Div", float(np.log(10)))),
    np.negative: (("Neg", None),),
    np.reciprocal: (("Reciprocal", None),),
    np.sin: (("Sin", None),),
    np.cos: (("Cos", None),),
    np.tanh: (("Tanh", None),),
}


def chain_of(function: Any, where: str) -> Chain:
    """Look a function up. Raises: UnsupportedModel, naming it."""
    if function is None:
        return ()
    try:
        return FUNCTIONS[function]
    except (KeyError, TypeError):
        name = getattr(function, "__name__", type(function).__name__)
        raise UnsupportedModel(
            f"{where}: ONNX has no form of {name}, a function of Python; "
            f"one of numpy's would do: {', '.join(known.__name__ for known in FUNCTIONS)}"
        ) from None


def convert_function(scope: Any, operator: Any, container: Any) -> None:
    """Convert a FunctionTransformer of a function that ONNX has; skl2onnx converts none but identity."""
    inputs = [variable.full_name for variable in operator.inputs]
    value = inputs[0]
    if len(inputs) > 1:
        value = scope.get_unique_variable_name("joined")
        container.add_node("Concat", inputs, value, axis=1, name=scope.get_unique_operator_name("Concat"))
    chain = chain_of(operator.raw_operator.func, "FunctionTransformer") or (("Identity", None),)
    for index, (kind, operand) in enumerate(chain):
        after = scope.get_unique_variable_name("computed")
        if index == len(chain) - 1:
            after = operator.outputs[0].full_name
        given = [value]
        if operand is not None:
            given.append(scope.get_unique_variable_name("operand"))
            container.add_initializer(given[1], 1, [1], [operand])  # 1: FP32
        container.add_node(kind, given, after, name=scope.get_unique_operator_name(kind))
        value = after


def shape_function(operator: Any) -> None:
    """Give its output's type: the first input's, with the columns of all."""
    from skl2onnx.common.data_types import FloatTensorType

    widths = [variable.type.shape[1] for variable in operator.inputs]
    width = None if None in widths else sum(widths)
    operator.outputs[0].type = FloatTensorType([operator.inputs[0].get_first_dimension(), width])
