"""TransformedTargetRegressor: skl2onnx converts the regressor in it, and the way back to the target is put behind."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from model_store.convert.graph import append, constant
from model_store.convert.sklearn_functions import Chain, chain_of
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    from onnx import GraphProto

Step = tuple[str, Any]
"""An operator, and its second operand: an array, or None."""


def without_target(estimator: Any) -> tuple[Any, tuple[Step, ...]]:
    """Give the regressor inside, a pipeline before it kept, and the operators that undo what was done to the target."""
    kind = type(estimator).__name__
    if kind == "TransformedTargetRegressor":
        return estimator.regressor_, _inverse(estimator.transformer_)
    if hasattr(estimator, "steps"):
        name, last = estimator.steps[-1]
        plain, inverse = without_target(last)
        if plain is not last:
            changed = copy.copy(estimator)
            changed.steps = [*estimator.steps[:-1], (name, plain)]
            return changed, inverse
    if (best := getattr(estimator, "best_estimator_", None)) is not None:
        plain, inverse = without_target(best)
        return (plain, inverse) if plain is not best else (estimator, ())
    return estimator, ()


def _inverse(transformer: Any) -> tuple[Step, ...]:
    kind = type(transformer).__name__
    if kind == "FunctionTransformer":
        chain: Chain = chain_of(transformer.inverse_func, "TransformedTargetRegressor")
        return tuple((name, None if operand is None else np.array([operand])) for name, operand in chain)
    if kind == "StandardScaler":
        scale = [] if transformer.scale_ is None else [("Mul", transformer.scale_)]
        return (*scale, *([] if transformer.mean_ is None else [("Add", transformer.mean_)]))
    if kind == "MinMaxScaler":
        return (("Sub", transformer.min_), ("Div", transformer.scale_))
    raise UnsupportedModel(
        f"TransformedTargetRegressor: no way back from {kind} in ONNX; "
        "StandardScaler, MinMaxScaler and numpy's functions have one"
    )


def append_inverse(graph: GraphProto, steps: tuple[Step, ...]) -> None:
    """Put the operators behind the output `variable`."""
    nodes = list[tuple[str, list[str], dict[str, Any]]]()
    for index, (name, operand) in enumerate(steps):
        more = [] if operand is None else [constant(graph, f"target_{index}", np.asarray(operand, np.float32))]
        nodes.append((name, more, {}))
    if nodes:
        append(graph, "variable", nodes)
