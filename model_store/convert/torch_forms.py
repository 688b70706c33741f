"""The forms that PyTorch has a model in: a module, an exported program, a TorchScript. Each answers and is exported."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from model_store.convert.quiet import quietly
from model_store.convert.source import Sample, lacks
from model_store.convert.torch_files import FAILURES
from model_store.convert.torch_tensors import Tensors, few, fit, lay_out, name_outputs
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    import torch

OPSET: Final = 20
"""What both of PyTorch's exporters write and all of the pinned runtimes serve: onnxruntime.ai, "ONNX opset support"."""
_NO_FUNCTION: Final = re.compile(r"No ONNX function found for <OpOverload\(op='([\w.:]+)'|the operator '([\w:]+)'")
_PARAMETER: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Form(Protocol):
    """A model of PyTorch."""

    @property
    def kind(self) -> str:
        """What it is, in PyTorch's words."""
        ...

    @property
    def example(self) -> Tensors | None:
        """Inputs that it brings, by name, a few rows."""
        ...

    def try_on(self, sample: Sample) -> Tensors:
        """Make an example from a sample. Raises: InvalidSample."""
        ...

    def answer(self, inputs: Tensors) -> object:
        """Compute, in evaluation mode, what it returns. Raises: one of FAILURES."""
        ...

    def export(self, example: Tensors, outputs: Sequence[str], graph: Path) -> None:
        """Write it as ONNX, the number of rows free. Raises: UnsupportedModel."""
        ...


class ModuleForm:
    """An `nn.Module`; `example` are inputs to try it with: a tensor, a tuple of them, or a dict by forward's names."""

    def __init__(self, module: torch.nn.Module, example: object = None) -> None:
        self._module: Any = getattr(module, "_orig_mod", module)  # what torch.compile wraps
        self.kind = _counted(type(self._module).__name__, self._module.parameters())
        taken = inspect.signature(self._module.forward).parameters.values()
        named = [parameter for parameter in taken if parameter.kind in _PARAMETER]
        self._required = [parameter.name for parameter in named if parameter.default is parameter.empty]
        self._optional = [parameter.name for parameter in named if parameter.default is not parameter.empty]
        if not named:
            raise UnsupportedModel(f"{self.kind}: its forward names no input: expected forward(self, x), say")
        if not self._required:
            self._required = [self._optional.pop(0)]
        self.example: Tensors | None = None if example is None else few(self._named(example))

    def _named(self, example: object) -> Tensors:
        import torch

        names = [*self._required, *self._optional]
        parts = [example] if isinstance(example, torch.Tensor) else example
        given = dict(parts) if isinstance(parts, Mapping) else _zipped(names, parts)
        wrong = [name for name in given if name not in names] or [name for name in self._required if name not in given]
        if wrong or not all(isinstance(tensor, torch.Tensor) for tensor in given.values()):
            raise UnsupportedModel(
                f"{self.kind}: expected example inputs as tensors for forward({', '.join(names)}); "
                f"{', '.join(map(str, wrong)) or 'something else'} does not fit"
            )
        return {name: given[name] for name in names if name in given}

    def try_on(self, sample: Sample) -> Tensors:
        """Use the sample's rows."""
        import torch

        floats = [parameter.dtype for parameter in self._module.parameters() if parameter.dtype.is_floating_point]
        arrays = lay_out(sample, self._required, self._optional)
        return fit(arrays, floats[0] if floats else torch.float32, self.answer)

    def answer(self, inputs: Tensors) -> object:
        """Call the module, on the device where it is."""
        import torch

        with _evaluating(self._module), torch.inference_mode():
            return self._module(**self._there(inputs))

    def _there(self, inputs: Tensors) -> Tensors:
        parameter = next(self._module.parameters(), None)
        device = "cpu" if parameter is None else parameter.device
        return {name: tensor.to(device) for name, tensor in inputs.items()}

    def export(self, example: Tensors, outputs: Sequence[str], graph: Path) -> None:
        """Export with the number of rows free, then translate."""
        import torch

        rows = torch.export.Dim("batch")
        with _evaluating(self._module), quietly("torch.onnx"), _refusing(self.kind):
            program = torch.export.export(
                self._module, (), self._there(example), dynamic_shapes={name: {0: rows} for name in example}
            )
        _translate(self.kind, program, list(example), outputs, graph)


class ExportedForm:
    """A program of torch.export: inputs and their datatypes are in it."""

    def __init__(self, program: torch.export.ExportedProgram) -> None:
        import torch
        from torch.utils import _pytree as tree

        self._program, self._module = program, program.module()
        self.kind = _counted("torch.export program", program.parameters())
        given = program.graph_signature.user_inputs
        values = {node.name: node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder"}
        self._names = [name for name in given if isinstance(values.get(name), torch.Tensor)]
        fixed = [name for name in self._names if not _is_free(values[name])]
        if fixed:
            raise UnsupportedModel(
                f"{self.kind}: exported for {list(values[fixed[0]].shape)[:1]} rows alone (input {fixed[0]!r}): export "
                'it again with dynamic_shapes={"' + fixed[0] + '": {0: torch.export.Dim("batch")}}, and an example '
                "of 2 rows or more"
            )
        if trained := next((node for node in program.graph.nodes if _trains(node)), None):
            raise UnsupportedModel(f"{self.kind}: exported in training mode ({trained.name}): call model.eval() first")
        self._leaves = tree.tree_leaves(program.example_inputs) if program.example_inputs else [None] * len(given)
        self._given = list(given)
        brought = dict(zip(given, self._leaves, strict=True))
        self.example: Tensors | None = (
            few({name: brought[name] for name in self._names})
            if all(brought[name] is not None for name in self._names)
            else None
        )

    def try_on(self, sample: Sample) -> Tensors:
        """Use the sample's rows."""
        import torch

        return fit(lay_out(sample, self._names, ()), torch.float32, self.answer)

    def answer(self, inputs: Tensors) -> object:
        """Call the program as it was called when it was exported."""
        import torch
        from torch.utils import _pytree as tree

        leaves = [inputs.get(name, leaf) for name, leaf in zip(self._given, self._leaves, strict=True)]
        args, kwargs = tree.tree_unflatten(leaves, self._program.call_spec.in_spec)
        with torch.inference_mode():
            return self._module(*args, **kwargs)

    def export(self, example: Tensors, outputs: Sequence[str], graph: Path) -> None:
        """Translate."""
        _translate(self.kind, self._program, list(example), outputs, graph)


class ScriptForm:
    """A TorchScript: it is exported by the exporter that PyTorch keeps for these alone, which it calls deprecated."""

    example: Tensors | None = None

    def __init__(self, script: torch.jit.ScriptModule) -> None:
        self._script: Any = script.eval()
        self.kind = _counted(f"TorchScript of {script.original_name}", script.parameters())
        taken = self._script.forward.schema.arguments[1:]
        self._names = [argument.name for argument in taken if not argument.has_default_value()]

    def try_on(self, sample: Sample) -> Tensors:
        """Use the sample's rows."""
        import torch

        floats = [parameter.dtype for parameter in self._script.parameters() if parameter.dtype.is_floating_point]
        return fit(lay_out(sample, self._names, ()), floats[0] if floats else torch.float32, self.answer)

    def answer(self, inputs: Tensors) -> object:
        """Call the script."""
        import torch

        with torch.inference_mode():
            return self._script(*(inputs[name] for name in self._names))

    def export(self, example: Tensors, outputs: Sequence[str], graph: Path) -> None:
        """Export with the exporter for TorchScript."""
        import torch

        remedy = "export the module itself with torch.export, and publish the .pt2, or package.module:factory"
        with quietly("torch.onnx"), _refusing(self.kind, remedy):
            torch.onnx.export(
                self._script,
                tuple(example.values()),
                graph,
                dynamo=False,
                opset_version=OPSET,
                input_names=list(example),
                output_names=list(outputs),
                dynamic_axes={name: {0: "batch"} for name in (*example, *outputs)},
            )


def form_of(model: object, example: object = None) -> Form | None:
    """Find the form that a model has, None if it has none; `example` are a module's example inputs."""
    import torch

    if isinstance(model, tuple) and len(model) == 2:
        return form_of(*model)
    if isinstance(model, torch.export.ExportedProgram):
        return ExportedForm(model)
    if isinstance(model, torch.jit.ScriptModule):
        return ScriptForm(model)
    return ModuleForm(model, example) if isinstance(model, torch.nn.Module) else None


def outputs_of(form: Form, example: Tensors) -> list[str]:
    """Name the outputs. Raises: UnsupportedModel."""
    try:
        return list(name_outputs(form.answer(example), list(example)))
    except FAILURES as error:
        raise UnsupportedModel(f"{form.kind}: it fails on the example inputs: {error}") from error


def _translate(
    kind: str, program: torch.export.ExportedProgram, inputs: list[str], outputs: Sequence[str], graph: Path
) -> None:
    import torch

    try:
        import onnxscript  # noqa: F401 - torch.onnx imports it, and says less about its absence
    except ImportError as error:
        raise lacks(error, "torch") from error
    with quietly("torch.onnx"), _refusing(kind):
        exported = torch.onnx.export(
            program,
            dynamo=True,
            opset_version=OPSET,
            input_names=inputs,
            output_names=list(outputs),
            verbose=False,
        )
        assert exported is not None  # noqa: S101 - None is what the other exporter returns
        _forget_the_source(exported.model)
        exported.save(graph)  # weights of more than 1.5 GB lie beside it


def _forget_the_source(model: Any) -> None:
    """Remove what the exporter notes of each node: lines of code and paths of the publisher's machine."""
    for node in model.graph.all_nodes():
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
    for value in (*model.graph.inputs, *model.graph.initializers.values()):
        value.metadata_props.clear()
    model.metadata_props.clear()
    model.graph.metadata_props.clear()


@contextmanager
def _refusing(kind: str, remedy: str = "") -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        raise UnsupportedModel(f"{kind}: {_reason(str(error), remedy)}") from error


def _reason(text: str, remedy: str) -> str:
    if missing := _NO_FUNCTION.search(text):
        operator = missing.group(1) or missing.group(2)
        return (
            f"ONNX has no operator for {operator}: {remedy or 'compute it in other operators, or outside of forward'}"
        )
    if "Constraints violated" in text:
        return (
            "its forward fixes the number of rows: write x.shape[0] (or -1) for it in view, reshape and expand, and "
            "give example inputs of more than one row"
        )
    if "data-dependent" in text:
        return "its forward branches on computed values: use torch.where or torch.cond in place of if"
    first = next((line.strip() for line in text.splitlines() if line.strip()), "unknown")
    return f"PyTorch does not export it: {first}" + (f"; {remedy}" if remedy else "")


@contextmanager
def _evaluating(module: torch.nn.Module) -> Iterator[None]:
    """Switch dropout off and batch norm to what it learned, and back: the module may be a notebook's, in training."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def _zipped(names: Sequence[str], parts: Any) -> dict[str, Any]:
    if not isinstance(parts, tuple | list) or len(parts) > len(names):
        raise UnsupportedModel(
            f"example inputs: expected a tensor, a tuple of at most {len(names)}, or a dict; got a "
            f"{type(parts).__name__}"
        )
    return dict(zip(names, parts, strict=False))


def _is_free(value: torch.Tensor) -> bool:
    return bool(value.ndim) and not isinstance(value.shape[0], int)


def _trains(node: Any) -> bool:
    """Say whether a node of a program is dropout that drops, or batch norm that learns."""
    name = str(node.target)
    if name.startswith("aten.dropout."):
        return len(node.args) > 2 and node.args[2] is True
    return name.startswith("aten.batch_norm.") and len(node.args) > 5 and node.args[5] is True


def _counted(name: str, parameters: Any) -> str:
    return f"{name}, {sum(parameter.numel() for parameter in parameters):,} parameters"
