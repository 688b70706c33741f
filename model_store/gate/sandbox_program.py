"""Run alone, as a program, in a process of its own: open a graph and run it once, in limited memory.

    python sandbox_program.py GRAPH MEMORY_BYTES TIME_S EXTENSIONS_LIBRARY

Prints one line of JSON: {"shapes": {output: [...]}}, ONNX Runtime's reason as {"refused": "..."}, or that it took too
much as {"exhausted": "..."}. A graph that crashes ONNX Runtime, or never ends, does so here.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any, Final

_NUMPY: Final = {"float": "float32", "double": "float64"}
_BFLOAT16: Final = 16
"""Its number in ONNX (onnx.proto3, `TensorProto.DataType`)."""
_FREE: Final = 2
_EXHAUSTED: Final = ("bad_alloc", "Failed to allocate memory", "bad array new length", "not enough memory")


def main(graph: str, memory_bytes: int, time_s: int, library: str) -> dict[str, Any]:
    """Open and run; say how that went. After `time_s` the system ends this, also if whoever waits for it is gone."""
    import onnxruntime as ort

    _limit(memory_bytes)
    if hasattr(signal, "alarm"):  # not on Windows
        signal.alarm(time_s)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    if library:
        options.register_custom_ops_library(library)
    try:
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - the boundary: ONNX Runtime's exceptions share no base of their own
        return {"exhausted" if _is_exhausted(error) else "refused": str(error)}
    try:
        session.run(None, {value.name: _zeros(value.type, value.shape) for value in session.get_inputs()})
    except Exception as error:  # noqa: BLE001 - as above; a model may refuse zeros, memory is what counts here
        if _is_exhausted(error):
            return {"exhausted": str(error)}
    return {"shapes": {value.name: value.shape for value in session.get_outputs()}}


def _limit(memory_bytes: int) -> None:
    """Allow so much memory of its own; macOS and Windows do not enforce it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _is_exhausted(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(words in str(error) for words in _EXHAUSTED)


def _zeros(onnx_type: str, shape: list[Any]) -> Any:
    """Make a small input that fits: free dimensions are 2."""
    import numpy as np

    sizes = [size if isinstance(size, int) and size > 0 else _FREE for size in shape]
    inside = onnx_type.removeprefix("tensor(").removesuffix(")")
    if inside == "string":
        return np.full(sizes, "", object)
    if inside == "bfloat16":  # numpy has none
        from onnxruntime import OrtValue

        return OrtValue.ortvalue_from_numpy_with_onnx_type(np.zeros(sizes, np.uint16), _BFLOAT16)
    return np.zeros(sizes, _NUMPY.get(inside, inside))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])))
