"""How long a model takes to load and to run on this machine, and what it holds: measured in a fresh process."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from model_store.convert.source import Batch, rows_of, take
from model_store.gate.candidate import Layout
from model_store.gate.packed import pack
from model_store.gate.steps import Rejected
from model_store.gate.trial import Found, Request
from warmstart.tensors import TensorSpec

TRIAL: Final = Path(__file__).with_name("trial.py")
TRIAL_S: Final = 120.0
"""What takes longer than this here will not answer within the gateway's 29 s anywhere."""
OTHER_THREADS_S: Final = 1.0
"""How long sessions with further numbers of threads are tried."""


class Timing(NamedTuple):
    """What something took: by the clock, and of all processors together."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A cold start and warm runs of one row, on this machine.

    `init` is the interpreter's start and the imports of numpy and ONNX Runtime; `warm` is by the number of threads.
    Memory is what the open session holds after its first run, and the most it held until then; None where the system
    does not tell. `values_in` and `values_out` are the numbers of one row's request and answer.
    """

    machine: str
    processor: str
    cores: int
    onnxruntime: str
    init: Timing
    session: Timing
    first_run: Timing
    warm: Mapping[int, Timing]
    values_in: int
    values_out: int
    resident_bytes: int | None
    peak_bytes: int | None
    hash_bytes_per_s: float


def measure(layout: Layout, inputs: Batch, threads: tuple[int, ...]) -> Measured:
    """Load the layout in a process of its own and run it; `inputs` as a session takes them.

    `threads` are numbers of threads to try, the one that is loaded first; those above this machine's cores are left
    out, later ones too if loading again takes long. Raises: Rejected if the model does not load there, or not in time.
    """
    cores = os.cpu_count() or 1
    usable = tuple(dict.fromkeys(min(count, cores) for count in threads))
    request: Request = {
        "path": sys.path,
        "files": [(name, str(path.absolute())) for name, path in layout.files],
        "run": layout.run._asdict(),
        "threads": list(usable),
        "budget_s": OTHER_THREADS_S,
    }
    found = _try(json.dumps(request).encode() + b"\n" + pack(inputs))
    return Measured(
        machine=platform.machine(),
        processor=processor_name(),
        cores=cores,
        onnxruntime=found["onnxruntime"],
        init=Timing(*found["init"]),
        session=Timing(*found["session"]),
        first_run=Timing(*found["first_run"]),
        warm={count: Timing(*timing) for count, timing in found["warm"]},
        values_in=found["values"][0],
        values_out=found["values"][1],
        resident_bytes=found["resident_bytes"],
        peak_bytes=found["peak_bytes"],
        hash_bytes_per_s=found["hash_bytes_per_s"],
    )


def one_request(inputs: Batch, specs: tuple[TensorSpec, ...]) -> Batch:
    """Choose what one request holds: a row, or as many as the graph wants; all where rows are not the first axis."""
    wanted = {spec.shape[0] if spec.shape else 0 for spec in specs}
    if 0 in wanted or len(wanted) != 1:
        return inputs
    return take(inputs, slice(0, max(min(wanted.pop(), rows_of(inputs)), 1)))


def processor_name() -> str:
    """Name this machine's processor, for reports."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def available_bytes() -> int | None:
    """Return the memory that this machine has left, None where it does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = (int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    return next(found, None)


def _try(given: bytes) -> Found:
    command = [sys.executable, "-P", str(TRIAL), repr(time.time())]
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=TRIAL_S, check=False)
    except subprocess.TimeoutExpired:
        raise Rejected(
            f"expected the model to load and answer within {TRIAL_S:.0f} s in a process of its own, and it did not: "
            "publish a smaller one"
        ) from None
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
        raise Rejected(f"the model does not load and run in a process of its own: {last[0]:.300}")
    found: Found = json.loads(done.stdout)
    return found
