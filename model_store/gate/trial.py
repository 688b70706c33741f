"""Open a model in a process of its own and time it, as a cold start does: `python -P trial.py STARTED`.

Run by `model_store.gate.measure`. STARTED is the time, in seconds since the epoch, at which the process was asked for.
Standard input holds a line of JSON (`Request`), then the inputs as `model_store.gate.packed` writes them.
Prints what was measured as JSON (`Found`). Beside this, numpy and ONNX Runtime are all that is imported before the end
of what counts as the init phase.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar

if TYPE_CHECKING:
    from model_store.convert.source import Batch

T = TypeVar("T")

WARM_S: Final = 0.15
"""How long warm runs are repeated, for each number of threads."""
MIN_RUNS: Final = 3
MAX_RUNS: Final = 200
HASHED_BYTES: Final = 8 * 1024 * 1024

Timing = tuple[float, float]
"""Wall and processor seconds."""


class Request(TypedDict):
    """What is to be measured: a layout's files and run options, with sessions of so many threads each.

    The first session's load is timed.
    """

    path: list[str]
    files: list[tuple[str, str]]
    run: dict[str, Any]
    threads: list[int]
    budget_s: float


class Found(TypedDict):
    """What was measured. Memory is None where the system does not tell; `values` are numbers in and out of one run."""

    onnxruntime: str
    init: Timing
    session: Timing
    first_run: Timing
    warm: list[tuple[int, Timing]]
    values: tuple[int, int]
    resident_bytes: int | None
    peak_bytes: int | None
    hash_bytes_per_s: float


def main() -> None:
    """Measure, and print."""
    request: Request = json.loads(sys.stdin.buffer.readline())
    packed = sys.stdin.buffer.read()
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # as handlers/inference/lambda_handler.py does
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.path[:] = request["path"]
    import numpy  # noqa: F401 - what is timed
    import onnxruntime

    init = (time.time() - float(sys.argv[1]), time.process_time())
    sys.stdout.write(json.dumps(_measure(request, packed, onnxruntime.__version__, init)))


def _measure(request: Request, packed: bytes, version: str, init: Timing) -> Found:
    """Open, run once, run warm; then warm with other numbers of threads, while there is time."""
    from functools import partial
    from pathlib import Path

    from model_store.gate.candidate import Layout, open_session, run
    from model_store.gate.packed import unpack
    from model_store.manifest import RunOptions

    inputs = unpack(packed)
    files = tuple((name, Path(path)) for name, path in request["files"])
    layout = Layout(files, RunOptions(**request["run"]))
    first, *others = request["threads"]
    before = _memory("VmRSS")
    session, opening = _timed(partial(open_session, layout, threads=first))
    outputs, first_run = _timed(partial(run, session, inputs))
    resident, peak = _memory("VmRSS"), _memory("VmHWM")
    warm = [(first, _warm(partial(run, session, inputs)))]
    deadline = time.perf_counter() + request["budget_s"]
    for threads in others:
        if time.perf_counter() + opening[0] + first_run[0] > deadline:
            break
        del session  # room for the next
        session = open_session(layout, threads=threads)
        run(session, inputs)
        warm.append((threads, _warm(partial(run, session, inputs))))
    return {
        "onnxruntime": version,
        "init": init,
        "session": opening,
        "first_run": first_run,
        "warm": warm,
        "values": (_values(inputs), _values(outputs)),
        "resident_bytes": _grown(before, resident),
        "peak_bytes": _grown(before, max(resident, peak) if resident and peak else None),
        "hash_bytes_per_s": _hash_rate(),
    }


def _values(batch: Batch) -> int:
    return sum(array.size for array in batch.values())


def _timed(work: Callable[[], T]) -> tuple[T, Timing]:
    started, used = time.perf_counter(), time.process_time()
    given = work()
    return given, (time.perf_counter() - started, time.process_time() - used)


def _warm(work: Callable[[], object]) -> Timing:
    """Run for a while: the median of wall seconds, the mean of processor seconds, whose clock is coarser."""
    walls: list[float] = []
    started, used = time.perf_counter(), time.process_time()
    while len(walls) < MIN_RUNS or (len(walls) < MAX_RUNS and time.perf_counter() - started < WARM_S):
        walls.append(_timed(work)[1][0])
    return sorted(walls)[len(walls) // 2], (time.process_time() - used) / len(walls)


def _memory(field: str) -> int | None:
    """Return resident memory (VmRSS) or its peak (VmHWM) in bytes; None where the system does not tell."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - read between two measurements
            lines = dict(line.split(":", 1) for line in status)
    except OSError:
        return None
    return int(lines[field].split()[0]) * 1024


def _grown(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else max(after - before, 0)


def _hash_rate() -> float:
    import hashlib

    zeros = bytes(HASHED_BYTES)
    return HASHED_BYTES / _timed(lambda: hashlib.sha256(zeros).digest())[1][0]


if __name__ == "__main__":
    main()
