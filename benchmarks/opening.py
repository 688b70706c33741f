"""One model opened in a process of its own, and asked: `python -m benchmarks.opening CASE`, the case's JSON in a file.

It is opened as the inference function opens it. Prints the times of the session alone (ms) and by how much memory grew
(MB).
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from handlers.inference.onnx_session import OnnxSession
from model_store.manifest import parse_manifest

Run = Callable[[list[str], dict[str, Any]], list[Any]]


def main(case: dict[str, Any]) -> None:
    """Open, ask once, then ask again and again."""
    graph = Path(case["graph"])
    manifest = parse_manifest(Path(case["manifest"]).read_bytes(), where=case["manifest"])
    outputs = [spec.name for spec in manifest.signature.outputs]
    with np.load(case["request"]) as stored:
        feeds = {name: stored[name] for name in stored.files}
    before = _resident_mb()
    started = perf_counter()
    run = OnnxSession(graph, manifest, threads=case["threads"]).run
    loaded = perf_counter()
    run(outputs, feeds)
    answered = perf_counter()
    grown = _resident_mb() - before
    warm = [_timed(run, outputs, feeds) for _ in range(case["warm"])]
    times = {"load_ms": loaded - started, "first_ms": answered - started, "warm_ms": statistics.median(warm)}
    print(json.dumps({**{name: 1e3 * seconds for name, seconds in times.items()}, "memory_mb": grown}))


def _timed(run: Run, outputs: list[str], feeds: dict[str, Any]) -> float:
    started = perf_counter()
    run(outputs, feeds)
    return perf_counter() - started


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
