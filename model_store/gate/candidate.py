"""A model in ONNX on its way through the gate, and the sessions that the steps try it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from model_store.convert.source import Batch, lacks
from model_store.manifest import RunOptions
from warmstart.bfloat16 import widened
from warmstart.datatypes import DATATYPES, FLOATS
from warmstart.errors import UnsupportedModel
from warmstart.tensors import Signature, TensorSpec

if TYPE_CHECKING:
    from onnxruntime import SessionOptions

    from model_store.preprocessing.session import PreparedSession, Runs


class Layout(NamedTuple):
    """The files of a model, (name within the version, file on this disk), the graph first, and how to open them."""

    files: tuple[tuple[str, Path], ...]
    run: RunOptions

    @property
    def graph(self) -> Path:
        """The file that a session opens."""
        return self.files[0][1]

    @property
    def size_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(path.stat().st_size for _, path in self.files)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What would be published. `variants` are layouts for one kind of processor, by its name."""

    signature: Signature
    layout: Layout
    variants: Mapping[str, Layout] = field(default_factory=dict)
    labels: tuple[str | int, ...] = ()
    preprocessing: Mapping[str, str] = field(default_factory=dict)


def check_labels(labels: tuple[str | int, ...], outputs: tuple[TensorSpec, ...]) -> None:
    """Refuse labels that cannot be those of the model's score columns, where it declares how many it has.

    Raises: UnsupportedModel.
    """
    scores = [spec for spec in outputs if spec.datatype in FLOATS and len(spec.shape) == 2 and spec.shape[1] > 1]
    if labels and scores and all(spec.shape[1] != len(labels) for spec in scores):
        raise UnsupportedModel(
            f"labels: expected one for each column of {' or '.join(map(str, scores))}, got {len(labels)}: "
            f"{', '.join(map(str, labels))[:80]}"
        )


def open_session(layout: Layout, *, threads: int = 0) -> Runs:
    """Open a layout as the serving function does for few rows; `threads` 0 is one per core.

    Raises: UnsupportedModel, with ONNX Runtime's reason; Unreachable if a package is missing.
    """
    options = session_options(layout, threads=1 if layout.run.single_thread_rows else threads)
    import onnxruntime as ort

    try:
        session = ort.InferenceSession(str(layout.graph), options, providers=["CPUExecutionProvider"])
    except failures() as error:
        raise UnsupportedModel(f"{layout.graph}: ONNX Runtime {ort.__version__} does not load it: {error}") from error
    opened = _with_bfloat16(session)
    return _prepared(opened, layout) if layout.run.preprocess else opened


def _with_bfloat16(session: Runs) -> Runs:
    """Put around a graph with BF16 what takes its numbers as FP32, and gives their bits."""
    if all(meta.type != DATATYPES["BF16"].onnx for meta in (*session.get_inputs(), *session.get_outputs())):
        return session
    import onnxruntime as ort

    from model_store.bfloat16_session import Bfloat16Session

    return Bfloat16Session(session, ort.OrtValue)


def _prepared(session: Runs, layout: Layout) -> PreparedSession:
    """Put in front of the graph what its version declares. The files may lie in another folder than the graph."""
    from model_store.preprocessing.declared import FILE
    from model_store.preprocessing.session import PreparedSession, open_preprocessing

    try:
        return PreparedSession(session, open_preprocessing(dict(layout.files)[FILE].parent))
    except ImportError as error:
        raise lacks(error, "huggingface") from error


def session_options(layout: Layout, *, threads: int = 0) -> SessionOptions:
    """Choose what the serving function chooses, a custom operators' library registered.

    Raises: Unreachable if a package is missing.
    """
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise lacks(error, "convert") from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not layout.run.optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if layout.run.extensions:
        try:
            from onnxruntime_extensions import get_library_path
        except ImportError as error:
            raise lacks(error, "huggingface") from error
        options.register_custom_ops_library(get_library_path())
    return options


def run(session: Runs, inputs: Batch) -> Batch:
    """Compute all outputs, by name, BF16 as FP32. Raises: UnsupportedModel if the model cannot compute these values."""
    outputs = session.get_outputs()
    names = [output.name for output in outputs]
    try:
        computed: list[Any] = session.run(names, dict(inputs))
    except failures() as error:
        raise UnsupportedModel(f"the converted model fails on these rows: {error}") from error
    return {
        output.name: widened(array) if output.type == DATATYPES["BF16"].onnx else array
        for output, array in zip(outputs, computed, strict=True)
    }


def failures() -> tuple[type[Exception], ...]:
    """List ONNX Runtime's exceptions: they share no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as native

    own = [kind for kind in vars(native).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError)
