"""`python -m benchmarks.growth`: what grows with the store, the session cache and the batch, and what does not.

The whole data plane of the inference function, request to answer, in one process per round; the store is in memory, so
that what is timed is ours alone. Interleaved, round by round; medians. Writes `benchmarks/results/growth.json` and
prints the tables that `docs/performance.md` shows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.machine import RESULTS, machine
from benchmarks.models import sample
from benchmarks.publish import examined_model
from handlers.inference.answers import Answer
from handlers.inference.data_plane import DataPlane, build_data_plane
from handlers.inference.settings import InferenceSettings
from model_store.gate.apply import apply
from model_store.gate.candidate import Candidate
from model_store.gate.plan import plan_publish
from model_store.memory import MemoryObjects
from model_store.objects import StoredObject
from warmstart.protocols.wire import Request

MODEL: Final = "tabular"
STORES: Final = (1, 10, 100, 1000)
"""Models in the store."""
CACHES: Final = (1, 10, 50, 200)
"""Open sessions, asked in turn."""
BATCHES: Final = (1, 4, 16, 64, 256, 1024, 4096)
"""Rows in a request."""
REQUESTS: Final = 400
"""Warm requests of one figure in one round; a large batch has fewer."""


class CountingObjects(MemoryObjects):
    """A store in memory that counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0

    def get(self, key: str) -> StoredObject:
        """Read an object whole; `get_if_changed` and `download` come by here too."""
        self.requests += 1
        return super().get(key)


class Figures(NamedTuple):
    """One measurement. Times in µs, outside `session.run`."""

    warm_us: float
    first_us: float = 0.0
    requests: int = 0


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of all figures (default 7)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        candidate = examined_model(MODEL, Path(scratch)).candidate
        stores = {size: _store(candidate, size) for size in STORES}
        found = [_apart(stores) for _ in range(rounds)]
    measured = {kind: _medians([one[kind] for one in found]) for kind in ("store", "cache", "json", "binary")}
    document = {"machine": machine(), "rounds": rounds, **measured}
    print(render(document))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "growth.json").write_text(json.dumps(document, indent=2) + "\n")


def name_of(number: int) -> str:
    """Return the name of one of the models."""
    return f"model-{number:04d}"


def _store(candidate: Candidate, models: int) -> CountingObjects:
    objects = CountingObjects()
    for number in range(models):
        plan = plan_publish(candidate, name_of(number), objects)
        apply(plan, objects, by="benchmark", clock=time.time, new_id=lambda: "1")
    return objects


def _apart(stores: dict[int, CountingObjects]) -> dict[str, dict[int, Figures]]:
    """Run a round in a copy of this process: how fast memory is had depends on what was had and given back before."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=lambda: sender.send(_round(stores)))
    process.start()
    sender.close()  # so that a round that fails is an end, not a wait
    found: dict[str, dict[int, Figures]] = receiver.recv()
    process.join()
    return found


def _round(stores: dict[int, CountingObjects]) -> dict[str, dict[int, Figures]]:
    largest = stores[STORES[-1]]
    with _plane(largest) as plane:
        bodies = {kind: {rows: _body(rows, binary=kind == "binary") for rows in BATCHES} for kind in ("json", "binary")}
        _ask(plane, name_of(0), bodies["json"][1])
        batches = {
            kind: {rows: Figures(_warm(plane, [name_of(0)], body, _times(rows))) for rows, body in by_rows.items()}
            for kind, by_rows in bodies.items()
        }
    return {
        "store": {size: _in_store(objects) for size, objects in stores.items()},
        "cache": {size: _in_cache(largest, size) for size in CACHES},
        **batches,
    }


def _in_store(objects: CountingObjects) -> Figures:
    body = _body(1)
    with _plane(objects) as plane:
        before = objects.requests
        first = _ask(plane, name_of(0), body)
        return Figures(_warm(plane, [name_of(0)], body), first, objects.requests - before)


def _in_cache(objects: CountingObjects, size: int) -> Figures:
    body, names = _body(1), [name_of(number) for number in range(size)]
    with _plane(objects) as plane:
        first = statistics.median([_ask(plane, name, body) for name in names][-5:])
        before = objects.requests
        return Figures(_warm(plane, names, body), first, objects.requests - before)


def _times(rows: int) -> int:
    return REQUESTS // max(1, rows // 32)


@contextmanager
def _plane(objects: CountingObjects) -> Iterator[DataPlane]:
    """Wire a data plane with nothing open yet, and memory enough for all sessions. Aliases are never due."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            "WARMSTART_STORE_BUCKET": "benchmark",
            "WARMSTART_ALIAS_TTL_S": "3600",
            "WARMSTART_MODELS_DIR": f"{scratch}/baked",
            "TMPDIR": scratch,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "10240",
        }
        yield build_data_plane(InferenceSettings.from_env(environment), objects, write=lambda _: None)


def _warm(plane: DataPlane, names: Sequence[str], body: Request, requests: int = REQUESTS) -> float:
    for name in names:
        _ask(plane, name, body)
    return statistics.median(_ask(plane, names[turn % len(names)], body) for turn in range(requests))


def _ask(plane: DataPlane, name: str, request: Request) -> float:
    """Send one request; return what it took in µs, outside `session.run`."""
    asked = request._replace(path=f"/v2/models/{name}/infer")
    started = perf_counter_ns()
    answer: Answer = plane.respond(asked, "1")
    took = perf_counter_ns() - started
    assert answer.status == 200, answer.body
    assert answer.ran is not None
    return (took - answer.ran.run_ns) / 1000


def _body(rows: int, *, binary: bool = False) -> Request:
    [(name, row)] = sample(MODEL).items()
    tensor = np.repeat(row, rows, axis=0)
    about: dict[str, Any] = {"name": name, "shape": list(tensor.shape), "datatype": "FP32"}
    if not binary:
        body = json.dumps({"inputs": [{**about, "data": tensor.ravel().tolist()}]}).encode()
        return Request("POST", "", {"content-type": "application/json"}, body)
    data = tensor.tobytes()
    about["parameters"] = {"binary_data_size": len(data)}
    head = json.dumps({"inputs": [about], "parameters": {"binary_data_output": True}}).encode()
    headers = {"content-type": "application/octet-stream", "inference-header-content-length": str(len(head))}
    return Request("POST", "", headers, head + data)


def _medians(rounds: list[dict[int, Figures]]) -> list[dict[str, float]]:
    return [
        {
            "size": size,
            "warm_us": round(statistics.median(one[size].warm_us for one in rounds), 1),
            "first_us": round(statistics.median(one[size].first_us for one in rounds), 1),
            "requests": max(one[size].requests for one in rounds),
        }
        for size in rounds[0]
    ]


def render(measured: dict[str, Any]) -> str:
    """Write what was measured as three Markdown tables."""
    store = ["| models in the store | first answer, ms | requests to the store | warm, µs |", "|---:|---:|---:|---:|"]
    store += [
        f"| {r['size']:,} | {r['first_us'] / 1000:.1f} | {r['requests']} | {r['warm_us']:.0f} |"
        for r in measured["store"]
    ]
    cache = ["| open sessions | first answer of one more, ms | warm, asked in turn, µs |", "|---:|---:|---:|"]
    cache += [f"| {r['size']:,} | {r['first_us'] / 1000:.1f} | {r['warm_us']:.0f} |" for r in measured["cache"]]
    batch = ["| rows | JSON, µs | JSON, µs a row | binary, µs | binary, µs a row |", "|---:|---:|---:|---:|---:|"]
    batch += [
        f"| {j['size']:,} | {j['warm_us']:,.0f} | {j['warm_us'] / j['size']:.2f} | "
        f"{b['warm_us']:,.0f} | {b['warm_us'] / b['size']:.2f} |"
        for j, b in zip(measured["json"], measured["binary"], strict=True)
    ]
    return "\n\n".join("\n".join(table) for table in (store, cache, batch))


if __name__ == "__main__":
    main()
