"""Open a graph in a process of its own first: a graph that exhausts memory, crashes or hangs does it there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Final, cast

from model_store.convert.source import lacks
from warmstart.errors import UnsupportedModel

MEMORY_BYTES: Final = 10_240 * 2**20
"""What the largest function has: Lambda developer guide, "Lambda quotas"."""
TIME_S: Final = 300.0
"""Above what any model that a function can serve takes: INIT ends after 10 s, an invocation after 900 s."""
_PROGRAM: Final = Path(__file__).with_name("sandbox_program.py")


def try_session(
    graph: Path, *, extensions: bool, memory_bytes: int = MEMORY_BYTES, time_s: float = TIME_S
) -> Mapping[str, Sequence[int | str | None]]:
    """Open a graph with ONNX Runtime's defaults, and run it once on zeros; give the outputs' shapes.

    Raises: UnsupportedModel if ONNX Runtime refuses it, crashes, takes more memory than this machine or any function
    has, or does not come to an end; Unreachable if a package is missing.
    """
    memory_bytes = min(memory_bytes, _spare_bytes())
    limits = str(memory_bytes), str(ceil(time_s) + 1)
    command = [sys.executable, "-P", str(_PROGRAM), str(graph), *limits, _library() if extensions else ""]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=time_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnsupportedModel(
            f"{graph}: expected ONNX Runtime to open it and to answer within {time_s:.0f} s, it did not: "
            "a loop in it may have no end"
        ) from error
    if done.returncode < 0:
        raise UnsupportedModel(f"{graph}: ONNX Runtime crashes on it ({signal.Signals(-done.returncode).name})")
    if done.returncode > 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UnsupportedModel(f"{graph}: ONNX Runtime could not be tried on it: {last}")
    return _answer(graph, done.stdout, memory_bytes)


def _answer(graph: Path, printed: str, memory_bytes: int) -> Mapping[str, Sequence[int | str | None]]:
    answer = cast("dict[str, object]", json.loads(printed.splitlines()[-1]))
    if refused := answer.get("refused"):
        import onnxruntime

        raise UnsupportedModel(f"{graph}: ONNX Runtime {onnxruntime.__version__} does not load it: {refused}")
    if exhausted := answer.get("exhausted"):
        raise UnsupportedModel(
            f"{graph}: expected it to open and to run in {memory_bytes / 2**20:.0f} MB, it asks for more: {exhausted}"
        )
    return cast("Mapping[str, Sequence[int | str | None]]", answer["shapes"])


def _library() -> str:
    try:
        from onnxruntime_extensions import get_library_path
    except ImportError as error:
        raise lacks(error, "huggingface") from error
    return str(get_library_path())


def _spare_bytes() -> int:
    """Give three quarters of this machine's memory; Windows does not say."""
    if not hasattr(os, "sysconf"):
        return MEMORY_BYTES
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4
