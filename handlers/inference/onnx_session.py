"""ONNX Runtime, behind the Session seam: the one file that imports it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as native

from warmstart.datatypes import from_onnx
from warmstart.errors import InferenceFailed, InvalidValue, ModelNotLoadable

if TYPE_CHECKING:
    from model_store.manifest import Manifest, RunOptions
    from model_store.preprocessing.session import PreparedSession, Runs
    from warmstart.tensors import Tensor, TensorSpec

RUNTIME: Final[str] = ort.__version__
"""Its release: layouts for one kind of processor are made for one of them."""

FAILURES: Final[tuple[type[Exception], ...]] = (
    *(
        kind
        for kind in vars(native).values()
        if isinstance(kind, type) and issubclass(kind, Exception) and kind.__module__ == native.__name__
    ),
    RuntimeError,  # what the binding itself raises: no kernel, a type that it does not take
    ValueError,  # ... an input that is missing or unknown; text that is not UTF-8
)
"""ONNX Runtime's exceptions share no base of their own."""

_PREAMBLE: Final = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : |(?<=Status Message: )/.* was false\. ")


class OnnxSession:
    """A model in ONNX Runtime, on the CPU. `threads` is the number of vCPUs."""

    def __init__(self, path: Path, manifest: Manifest, *, threads: int) -> None:
        """Open the graph in a file. Raises: ModelNotLoadable, also if it is not what the manifest describes."""
        self._name = f"model {manifest.name}:{manifest.version}"
        few = manifest.run.single_thread_rows
        self._session: Runs = self._open(path, manifest.run, 1 if few else threads)
        if few:
            from model_store.few_rows_session import FewRowsSession  # for such models alone

            self._session = FewRowsSession(self._session, few, partial(self._open, path, manifest.run, threads))
        if manifest.run.preprocess:
            self._session = self._prepared(path.parent)
        self._compare("input", self._session.get_inputs(), manifest.signature.inputs)
        self._compare("output", self._session.get_outputs(), manifest.signature.outputs)
        self._outputs = [spec.name for spec in manifest.signature.outputs]
        # Preprocessing reads bytes itself, or refuses them; ONNX Runtime would take b"a" for the text "b'a'".
        specs = () if manifest.run.preprocess else manifest.signature.inputs
        self._texts = tuple(spec.name for spec in specs if spec.datatype == "BYTES")

    def _open(self, path: Path, run: RunOptions, threads: int) -> Runs:
        options = session_options(threads, run)
        if run.extensions:
            options.register_custom_ops_library(self._extensions())
        try:
            opened: Runs = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except FAILURES as error:
            reason = _reason(error).replace(str(path), path.name)
            raise ModelNotLoadable(f"{self._name}: ONNX Runtime {ort.__version__} refuses it: {reason}") from error
        if any(meta.type == "tensor(bfloat16)" for meta in (*opened.get_inputs(), *opened.get_outputs())):
            return self._with_bfloat16(opened)
        return opened

    def _extensions(self) -> str:
        """Find the library of onnxruntime-extensions; its package is not imported, and needs not be whole."""
        from importlib.util import find_spec

        spec = find_spec("onnxruntime_extensions")
        found = [path for folder in (spec and spec.submodule_search_locations) or () for path in _libraries(folder)]
        if not found:
            raise ModelNotLoadable(
                f"{self._name}: has operators of onnxruntime-extensions, which the inference layer does not hold: "
                "publish it with standard operators, or its Hugging Face folder (docs/hugging-face.md)"
            )
        return found[0]

    def _with_bfloat16(self, session: Any) -> Runs:
        from model_store.bfloat16_session import Bfloat16Session  # for such models alone

        try:
            return Bfloat16Session(session, ort.OrtValue)
        except ValueError as error:
            raise ModelNotLoadable(f"{self._name}: {error}") from error

    def _prepared(self, folder: Path) -> PreparedSession:
        """Put in front of the graph what lies beside it; the library for it is imported for such models alone."""
        from model_store.preprocessing.session import PreparedSession, open_preprocessing

        try:
            return PreparedSession(self._session, open_preprocessing(folder))
        except ImportError as error:
            raise ModelNotLoadable(
                f"{self._name}: expected the package {error.name} in the inference layer, which is older than this "
                "model: deploy the stage again with the release that published it"
            ) from error
        except OSError as error:
            raise ModelNotLoadable(
                f"{self._name}: expected what it declares beside its graph: {error.strerror}; publish it again"
            ) from error

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Tensor]) -> list[Tensor]:
        """Compute the outputs asked for, in this order; none means all of them, in the manifest's.

        Raises: InferenceFailed; InvalidValue for text not in UTF-8.
        """
        for name in self._texts:
            _check_text(name, inputs[name])
        try:
            computed: list[Tensor] = self._session.run(outputs or self._outputs, inputs)
        except FAILURES as error:
            raise InferenceFailed(f"{self._name}: cannot compute these values: {_reason(error)}") from error
        return computed

    def _compare(self, role: str, found: Sequence[Any], declared: tuple[TensorSpec, ...]) -> None:
        """Check names and datatypes: what the manifest says is what requests are checked against."""
        has = {meta.name: meta.type for meta in found}
        if set(has) != {spec.name for spec in declared}:
            names = ", ".join(spec.name for spec in declared)
            raise ModelNotLoadable(f"{self._name}: {role}s: expected {names}, the graph has {', '.join(has)}")
        for spec in declared:
            datatype = from_onnx(has[spec.name])
            if datatype is None or datatype.name != spec.datatype:
                raise ModelNotLoadable(
                    f"{self._name}: {role} {spec.name!r}: expected {spec.datatype}, the graph has {has[spec.name]}"
                )


def _check_text(name: str, array: Tensor) -> None:
    for index, value in enumerate(array.ravel().tolist()):
        if type(value) is not str:
            raise InvalidValue(f"input {name!r}: expected text in UTF-8, got other bytes at index {index}", tensor=name)


def _libraries(folder: str) -> list[str]:
    return [str(path) for path in sorted(Path(folder).glob("_extensions_pydll*.so"))]


def session_options(threads: int, run: RunOptions) -> ort.SessionOptions:
    """Choose options; each was measured, see docs/decisions/arena.md."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    if not run.optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4  # fatal: errors are raised as well, and their text may quote a request's values
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _reason(error: Exception) -> str:
    """Shorten ONNX Runtime's text: without its code, the place in its source, and the condition that was false."""
    text = _PREAMBLE.sub("", " ".join(str(error).split()))
    return text if len(text) <= 300 else f"{text[:300]}..."
