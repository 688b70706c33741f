"""Operators of TensorFlow that tf2onnx does not know, in operators that it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np


def _erfc(graph: Any, node: Any, name: str, _: object) -> Any:
    """Write erfc(x) as 1 - erf(x): Keras's exact `gelu` is made of it."""
    [given], [output] = node.input, node.output
    shape, datatype = graph.get_shape(output), graph.get_dtype(output)
    graph.remove_node(node.name)
    one = graph.make_const(f"{name}__one", np.ones((), dtype=_numpy_type(datatype)))
    erf = graph.make_node("Erf", [given], shapes=[shape], dtypes=[datatype])
    return graph.make_node(
        "Sub", [one.output[0], erf.output[0]], outputs=[output], shapes=[shape], dtypes=[datatype], name=name
    )


def _numpy_type(datatype: int) -> Any:
    import onnx

    return onnx.helper.tensor_dtype_to_np_dtype(datatype)


HANDLERS: Final[Mapping[str, Any]] = {"Erfc": (_erfc, [])}
"""As `tf2onnx.convert.from_function` takes them, in custom_op_handlers: a function and its further arguments."""
