"""What `warmstart publish` makes of the reference models for a function of this machine's kind, built once.

The objects of the store are kept as files under `build/benchmarks/`, one folder per model, release of ONNX Runtime and
kind of processor; `make clean` has them built anew, which is due after a change to the gate.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.publish import examined_model
from handlers.inference.onnx_session import RUNTIME
from handlers.inference.variants import read_cpuinfo
from model_store.gate.apply import apply
from model_store.gate.plan import plan_publish
from model_store.memory import MemoryObjects
from warmstart.processor import layout_name

BUILT: Final = Path(__file__).parents[1] / "build" / "benchmarks"


def published(model: str) -> Path:
    """Return the folder that holds a reference model as the store does: alias, manifest and files by their keys."""
    processor = layout_name(read_cpuinfo(), os.uname().machine, RUNTIME)
    folder = BUILT / f"{model}-{RUNTIME}-{processor or os.uname().machine}"
    if not folder.exists():
        part = folder.with_suffix(".part")
        with TemporaryDirectory() as scratch:
            _publish(model, Path(scratch), part)
        part.rename(folder)
    return folder


def _publish(model: str, scratch: Path, folder: Path) -> None:
    objects = MemoryObjects()
    examined = examined_model(model, scratch)
    plan = plan_publish(examined.candidate, model, objects, documents=examined.documents)
    apply(plan, objects, by="benchmark", clock=time.time, new_id=lambda: "1")
    for key in objects.keys(""):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(objects.get(key).body)
