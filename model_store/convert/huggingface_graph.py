"""A model of transformers as ONNX, by `torch.onnx.export`, with the names of its labels in the graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from model_store.convert.quiet import quietly
from model_store.convert.source import lacks
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch.nn import Module

OPSET: Final = 18
LARGE_BYTES: Final = 2**30
"""Above this, weights lie in a file beside the graph: a protocol buffer ends at 2 GiB."""
_RAW: Final = "label_index"


def export(
    module: Module, numbers: Mapping[str, NDArray[Any]], outputs: tuple[str, ...], labels: tuple[str, ...], path: Path
) -> None:
    """Write a module that takes a dict. `numbers` are inputs to trace it with, by name, of two rows at least.

    An output called `label` is the index of a label in torch, and the label's text in the graph, "" where the
    attention mask of its token is 0. Raises: UnsupportedModel, Unreachable if a package is missing.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401 - the exporter needs it, and says so late
        import torch
    except ImportError as error:
        raise lacks(error, "huggingface") from error
    given = {name: torch.from_numpy(array) for name, array in numbers.items()}
    dynamic = {name: _free_axes(array) for name, array in numbers.items()}
    named = tuple(_RAW if name == "label" else name for name in outputs)
    with quietly("torch.onnx"):
        try:
            program = torch.onnx.export(
                module,
                (),
                kwargs={"numbers": given},
                dynamo=True,
                dynamic_shapes={"numbers": dynamic},
                input_names=list(numbers),
                opset_version=OPSET,
                verbose=False,
            )
            size = sum(tensor.nbytes for tensor in module.state_dict().values())
            found = cast("torch.onnx.ONNXProgram", program)
            _name_outputs(found.model.graph, named)
            found.save(path, external_data=size > LARGE_BYTES)
        except (torch.onnx.OnnxExporterError, RuntimeError, ValueError, TypeError) as error:
            raise UnsupportedModel(
                f"torch.onnx.export does not convert it: {_first_line(error.__cause__ or error)}"
            ) from error
    if "label" in outputs:
        model = onnx.load(path, load_external_data=False)
        _name_labels(model, labels)
        onnx.save(model, path)


def _free_axes(array: NDArray[Any]) -> dict[int, Any]:
    """Say which axes are dynamic: rows, and tokens; an image's size belongs to the model."""
    from torch.export import Dim

    axes = (0,) if array.ndim > 2 else range(array.ndim)
    return dict.fromkeys(axes, Dim.DYNAMIC)


def _name_outputs(graph: Any, names: tuple[str, ...]) -> None:
    """Name an `onnx_ir.Graph`'s outputs. Given to the exporter, a name may be that of a value inside, too."""
    for node in graph.all_nodes():
        for value in node.outputs:
            if value.name in names:
                value.name = f"{value.name}_inside"
    for value, name in zip(graph.outputs, names, strict=True):
        value.name = name


def _name_labels(model: ModelProto, labels: tuple[str, ...]) -> None:
    """Turn the index of a label into its text."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    [index] = [output for output in graph.output if output.name == _RAW]
    graph.initializer.append(numpy_helper.from_array(np.array(labels, object), "labels"))
    shape = [dim.dim_param or dim.dim_value for dim in index.type.tensor_type.shape.dim]
    per_token = len(shape) == 2
    gathered = "label_anywhere" if per_token else "label"
    graph.node.append(helper.make_node("Gather", ["labels", _RAW], [gathered]))
    if per_token:
        graph.initializer.append(numpy_helper.from_array(np.array("", object), "no_label"))
        graph.node.append(helper.make_node("Cast", ["attention_mask"], ["real"], to=TensorProto.BOOL))
        graph.node.append(helper.make_node("Where", ["real", gathered, "no_label"], ["label"]))
    position = [output.name for output in graph.output].index(_RAW)
    outputs = list(graph.output)
    outputs[position] = helper.make_tensor_value_info("label", TensorProto.STRING, shape)
    del graph.output[:]
    graph.output.extend(outputs)


def _first_line(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]
