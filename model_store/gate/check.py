"""Step 3: whether the graph is one that the pinned runtime serves."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from model_store.convert.onnx_wire import EXTENSIONS
from model_store.convert.source import Converted, lacks
from model_store.gate.candidate import Candidate, Layout, check_labels, failures
from model_store.gate.onnx_source import files_of, parse, refuse_values, signature_of
from model_store.gate.onnx_tensors import all_nodes, parameters, refuse_bombs
from model_store.gate.prepare import Preparation
from model_store.gate.sandbox import try_session
from model_store.gate.steps import Figure, GateOptions, Outcome
from model_store.manifest import RunOptions
from warmstart.errors import UnsupportedModel
from warmstart.tensors import ANY, Signature

if TYPE_CHECKING:
    from onnx import ModelProto

_SERVED: Final = ("ai.onnx", "ai.onnx.ml", "com.microsoft")
"""Domains of operators that ONNX Runtime has itself."""


class _Schema(Protocol):
    """An operator as ONNX Runtime knows it, since a version of its domain."""

    name: str
    domain: str
    since_version: int


def check(converted: Converted, options: GateOptions) -> Outcome[Candidate]:
    """See that the graph is well-formed, safe to open, and made of what ONNX Runtime has; nothing is opened before.

    Raises: UnsupportedModel; Unreachable if a package is missing.
    """
    path = converted.graph
    model = parse(path)
    refuse_values(path, model)
    files = files_of(path, model)
    refuse_bombs(path, model)
    refuse_versions(path, model)
    refuse_operators(path, model, extensions=converted.extensions)
    warnings = _checked(path)
    shapes = try_session(path, extensions=converted.extensions)
    signature = signature_of(path, model, shapes)
    check_labels(options.labels, signature.outputs)
    layout = Layout(files, RunOptions(extensions=converted.extensions))
    candidate = Candidate(
        signature=signature,
        layout=layout,
        labels=options.labels or converted.labels,
        preprocessing=converted.preprocessing,
    )
    warnings += fixed_batches(signature)
    summary = "; ".join([*_described(candidate, Preparation(converted.prepared)), *warnings])
    return Outcome(candidate, summary, {**_figures(model, layout), "warnings": list[Figure](warnings)})


def _described(graph: Candidate, before: Preparation) -> list[str]:
    """Say what clients send and get, and what of it the graph is given where that is something else."""
    clients = before.candidate(graph).signature
    sent, got, given = (", ".join(map(str, specs)) for specs in (*clients, graph.signature.inputs))
    return [f"{sent} → {got}", *([f"the graph is given {given}"] if given != sent else [])]


def refuse_versions(path: Path, model: ModelProto) -> None:
    """Compare IR version and operator sets with what ONNX Runtime supports. Raises: UnsupportedModel."""
    import onnxruntime

    runtime = f"ONNX Runtime {onnxruntime.__version__}"
    if model.ir_version > (highest := supported_ir()):
        raise UnsupportedModel(
            f"{path}: IR version {model.ir_version}: {runtime} reads up to {highest}: export it for an older ONNX "
            f"(onnx.version_converter), or set model.ir_version = {highest}"
        )
    for domain, version in _opsets(model).items():
        if domain in _SERVED and version > (highest := supported_opset(domain)):
            raise UnsupportedModel(
                f"{path}: operator set {version} of {domain}: {runtime} has up to {highest}: "
                f"export it with opset {highest}"
            )


def refuse_operators(path: Path, model: ModelProto, *, extensions: bool) -> None:
    """Look every operator up. Raises: UnsupportedModel, naming those that ONNX Runtime does not have."""
    own = {(_domain(function.domain), function.name) for function in model.functions}
    used = {(_domain(node.domain), node.op_type) for node in all_nodes(model)} - own
    allowed = {*_SERVED, *(EXTENSIONS if extensions else ())}
    if custom := sorted(f"{domain}:{name}" for domain, name in used if domain not in allowed):
        raise UnsupportedModel(
            f"{path}: {_some(custom)}: no custom operator without its library: the function has the operators of "
            f"{', '.join(_SERVED)} alone; export the model without"
        )
    if unknown := sorted(f"{domain}:{name}" for domain, name in used - _operators() if domain in _SERVED):
        import onnxruntime

        raise UnsupportedModel(
            f"{path}: ONNX Runtime {onnxruntime.__version__} does not load it: it has no operator {_some(unknown)}"
        )


def fixed_batches(signature: Signature) -> list[str]:
    """Warn of inputs whose first axis has one size only: requests must have exactly so many rows."""
    return [
        f"input {spec.name!r} takes exactly {spec.shape[0]} {'row' if spec.shape[0] == 1 else 'rows'} at a time: "
        "export it with a dynamic batch axis to send any number"
        for spec in signature.inputs
        if len(spec.shape) > 1 and spec.shape[0] != ANY
    ]


@cache
def supported_ir() -> int:
    """Find the highest IR version that ONNX Runtime reads, by trying."""
    return next(version for version in range(_highest_known_ir(), 0, -1) if _opens(version, {"ai.onnx": 7}))


@cache
def supported_opset(domain: str) -> int:
    """Find a domain's newest operator set that ONNX Runtime opens, by trying: it knows of drafts, and refuses them."""
    versions = [schema.since_version for schema in _schemas() if _domain(schema.domain) == domain]
    return next(n for n in range(max(versions), 0, -1) if _opens(7, {"ai.onnx": 7, domain: n}))


def _highest_known_ir() -> int:
    from onnx import IR_VERSION

    return int(IR_VERSION) + 5


def _opens(ir_version: int, opsets: dict[str, int]) -> bool:
    """Say whether ONNX Runtime opens the smallest graph under these versions."""
    import onnxruntime
    from onnx import TensorProto, helper

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "smallest", [x], [y])
    imports = [helper.make_opsetid("" if name == "ai.onnx" else name, number) for name, number in opsets.items()]
    model = helper.make_model(graph, ir_version=ir_version, opset_imports=imports)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except failures():
        return False
    return True


@cache
def _operators() -> frozenset[tuple[str, str]]:
    return frozenset((_domain(schema.domain), str(schema.name)) for schema in _schemas())


def _schemas() -> list[_Schema]:
    """List the operators that ONNX Runtime has schemas of."""
    try:
        from onnxruntime.capi import onnxruntime_pybind11_state as native
    except ImportError as error:
        raise lacks(error, "convert") from error
    schemas: list[_Schema] = native.get_all_operator_schema()
    return schemas


def _checked(path: Path) -> list[str]:
    """Run ONNX's own checker; what its inference of types and shapes finds beyond is a warning.

    Graphs that ONNX Runtime serves well fail the latter, for a shape that an exporter declared too narrowly.
    Raises: UnsupportedModel.
    """
    from onnx import checker, shape_inference

    try:
        checker.check_model(path)
    except (checker.ValidationError, UnicodeDecodeError) as error:  # the latter of a reason with a name that is no text
        if "Field 'shape'" in str(error):  # of an output: ONNX Runtime infers it, and so does the signature
            return [f"ONNX's checker misses what ONNX Runtime infers: {_first_line(error)}"]
        raise UnsupportedModel(f"{path}: ONNX's checker refuses it: {_first_line(error)}; export it again") from error
    try:
        checker.check_model(path, full_check=True)
    except (checker.ValidationError, shape_inference.InferenceError, UnicodeDecodeError) as error:
        return [f"ONNX's inference of shapes disagrees with the graph: {_first_line(error)}"]
    return []


def _figures(model: ModelProto, layout: Layout) -> dict[str, Figure]:
    operators = Counter(_named(node.domain, node.op_type) for node in all_nodes(model))
    return {
        "size_bytes": layout.size_bytes,
        "files": len(layout.files),
        "parameters": parameters(model),
        "ir_version": int(model.ir_version),
        "opsets": dict(_opsets(model)),
        "operators": dict(sorted(operators.items())),
    }


def _opsets(model: ModelProto) -> dict[str, int]:
    return {_domain(opset.domain): int(opset.version) for opset in model.opset_import}


def _domain(name: str) -> str:
    """Name a domain: ONNX's own has no name in files."""
    return name or "ai.onnx"


def _named(domain: str, operator: str) -> str:
    return operator if _domain(domain) == "ai.onnx" else f"{domain}:{operator}"


def _some(names: list[str]) -> str:
    return f"{', '.join(names[:5])} and {len(names) - 5} more" if len(names) > 5 else ", ".join(names)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
