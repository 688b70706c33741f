"""How long layouts take to load and to answer, side by side: each opened in a process of its own, round by round.

A worker imports numpy and ONNX Runtime once, and is copied (`fork`) for every measurement: what is timed is the session
alone, what grows is its memory, and a layout that brings ONNX Runtime down takes a copy along and nothing else.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from model_store.convert.source import Batch
from model_store.gate.candidate import Layout, open_session, run
from model_store.gate.packed import pack, unpack
from model_store.manifest import RunOptions
from warmstart.errors import UnsupportedModel

MIN_ROUNDS: Final = 3
MAX_ROUNDS: Final = 11
MAX_PAIRS: Final = 400
MAX_WARM_RATIO: Final = 1.03
"""What a layout may be slower than the first one, once it is warm."""
_WORKER: Final = (
    "import json, sys; given = sys.stdin.buffer; request = json.loads(given.readline()); "
    "sys.path[:] = request['path']; from model_store.gate.side_by_side import work; "
    "print(json.dumps(work(request, given.read())))"
)


class Patience(NamedTuple):
    """How long measuring may take: rounds of opening until `loading_s` are over, pairs of runs until `warm_s` are.

    Both go on until there are `MIN_ROUNDS` and `min_pairs`, unless `at_most_s` are over; and up to `in_doubt_s` longer
    while the pairs do not tell whether a layout is slower than `MAX_WARM_RATIO`: other work on the machine shows there.
    """

    loading_s: float = 0.4
    warm_s: float = 0.1
    min_pairs: int = 51
    in_doubt_s: float = 2.0
    at_most_s: float = 30.0


PATIENCE: Final = Patience()


class Measured(NamedTuple):
    """Medians of what one layout took, in ms and MB; the ratios are medians of ratios to the first layout's.

    `first_ms` is from opening to the first answer, the session's load (`load_ms`) included; `memory_mb` is by how much
    resident memory grew meanwhile, None where the system does not say.
    """

    load_ms: float
    first_ms: float
    warm_ms: float
    memory_mb: float | None
    load_ratio: float
    first_ratio: float
    warm_ratio: float


def measure(
    layouts: Mapping[str, Layout], feeds: Batch, *, threads: int, patience: Patience = PATIENCE
) -> dict[str, Measured]:
    """Measure layouts on one request; the first is what the others are compared with.

    One that cannot be opened, or does not answer, is not in the result.
    Raises: UnsupportedModel if that is the first one.
    """
    request = {
        "path": sys.path,
        "threads": threads,
        "patience": patience._asdict(),
        "layouts": {name: [str(layout.graph), layout.run._asdict()] for name, layout in layouts.items()},
    }
    # One thread of OpenBLAS: a process with threads of its own is not to be copied.
    command = ["env", "OPENBLAS_NUM_THREADS=1", "ORT_DISABLE_TELEMETRY=1", sys.executable, "-c", _WORKER]
    given = json.dumps(request).encode() + b"\n" + pack(feeds)
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise UnsupportedModel(f"the model could not be timed: {said[-400:]}")
    found: dict[str, list[Any]] = json.loads(done.stdout)
    return {name: Measured(*figures) for name, figures in found.items()}


def work(request: Mapping[str, Any], packed: bytes) -> dict[str, Measured]:
    """Measure, in a process that has opened no session yet. Raises: UnsupportedModel."""
    layouts = {
        name: Layout(((Path(graph).name, Path(graph)),), RunOptions(**options))
        for name, (graph, options) in request["layouts"].items()
    }
    _import_once(layouts)
    return _Worker(layouts, unpack(packed), request["threads"], Patience(**request["patience"])).measure()


class _Worker:
    def __init__(self, layouts: dict[str, Layout], feeds: Batch, threads: int, patience: Patience) -> None:
        self._layouts, self._feeds, self._threads, self._patience = layouts, feeds, threads, patience

    def measure(self) -> dict[str, Measured]:
        reference = next(iter(self._layouts))
        rounds = self._rounds()
        if reference not in rounds:
            raise UnsupportedModel(f"{self._layouts[reference].graph}: the model cannot be opened in a fresh process")
        base = rounds[reference]
        warm = {name: self._alternate(reference, name) for name in rounds if name != reference}
        found = [times for times in warm.values() if times is not None]
        warm[reference] = [1.0, _median([times[2] for times in found] or [row[3] for row in base]), 0.0]
        measured = {}
        for name in (reference, *(name for name in rounds if name != reference)):
            mine = rounds[name]
            if (times := warm[name]) is None:
                continue
            load_ms, first_ms, memory_mb = (_median([row[i] for row in mine]) for i in range(3))
            load_ratio, first_ratio = (
                _median([row[i] / other[i] for row, other in zip(mine, base, strict=True)]) for i in range(2)
            )
            measured[name] = Measured(
                load_ms, first_ms, times[1], memory_mb or None, load_ratio, first_ratio, warm_ratio=times[0]
            )
        return measured

    def _rounds(self) -> dict[str, list[list[float]]]:
        """Open every layout once a round: load, first answer, memory, second answer. One that failed is left out.

        The first round, which fills the page cache, is thrown away, unless it took all the time there is.
        """
        rounds: dict[str, list[list[float]]] = {name: [] for name in self._layouts}
        started, number = time.perf_counter(), 0
        while not self._has_rounds(number, time.perf_counter() - started):
            for name in tuple(rounds):
                row = _in_a_copy(partial(self._open_once, name))
                if row is None:
                    del rounds[name]
                else:
                    rounds[name].append(row)
            number += 1
        return {name: rows[1:] or rows for name, rows in rounds.items()}

    def _has_rounds(self, rounds: int, elapsed_s: float) -> bool:
        if rounds > MAX_ROUNDS or (rounds and elapsed_s > self._patience.at_most_s):
            return True
        return rounds > MIN_ROUNDS and elapsed_s > self._patience.loading_s

    def _open_once(self, name: str) -> list[float]:
        before = _resident_mb()
        started = time.perf_counter()
        session = open_session(self._layouts[name], threads=self._threads)
        loaded = time.perf_counter()
        run(session, self._feeds)
        first = time.perf_counter()
        grown = _resident_mb() - before
        again = time.perf_counter()
        run(session, self._feeds)
        warm = time.perf_counter() - again
        return [(loaded - started) * 1e3, (first - started) * 1e3, grown, warm * 1e3]

    def _alternate(self, reference: str, name: str) -> list[float] | None:
        """Run two open sessions in turns, so that each pair is of one moment: ratio, ms, the reference's ms."""
        return _in_a_copy(partial(self._run_in_turns, reference, name))

    def _run_in_turns(self, reference: str, name: str) -> list[float]:
        sessions = [open_session(self._layouts[each], threads=self._threads) for each in (reference, name)]
        for session in sessions:
            run(session, self._feeds)
        pairs = list[tuple[float, float]]()
        ratios = list[float]()
        started = time.perf_counter()
        while not self._has_pairs(ratios, time.perf_counter() - started):
            swapped = len(pairs) % 2  # whoever goes second finds the other's data in the caches
            before = time.perf_counter()
            run(sessions[swapped], self._feeds)
            between = time.perf_counter()
            run(sessions[1 - swapped], self._feeds)
            times = (between - before, time.perf_counter() - between)
            pairs.append((times[swapped], times[1 - swapped]))
            ratios.append(pairs[-1][1] / pairs[-1][0])
        return [_median(ratios), _median([mine for _, mine in pairs]) * 1e3, _median([base for base, _ in pairs]) * 1e3]

    def _has_pairs(self, ratios: list[float], elapsed_s: float) -> bool:
        patience, pairs = self._patience, len(ratios)
        if pairs >= MAX_PAIRS or (elapsed_s > patience.at_most_s and pairs >= MIN_ROUNDS):
            return True
        if pairs < patience.min_pairs or elapsed_s < patience.warm_s:
            return False
        return elapsed_s > patience.warm_s + patience.in_doubt_s or not _is_doubtful(ratios)


def _in_a_copy(work: Callable[[], list[float]]) -> list[float] | None:
    """Do it in a copy of this process; None if that failed, however it did."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.write(write_end, json.dumps(work()).encode())
            status = 0
        finally:
            os._exit(status)  # an exception's text is for nobody: the layout is left out
    os.close(write_end)
    with os.fdopen(read_end, "rb") as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    if status:
        return None
    found: list[float] = json.loads(text)
    return found


def _import_once(layouts: Mapping[str, Layout]) -> None:
    import onnxruntime  # noqa: F401 - so that its import is in no measurement

    if any(layout.run.extensions for layout in layouts.values()):
        import onnxruntime_extensions  # noqa: F401 - as above


def _resident_mb() -> float:
    """Memory of this process that is resident, mapped files included; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _is_doubtful(ratios: list[float]) -> bool:
    """Say whether the median may as well lie on the other side of the limit, by the spread of the middle half."""
    lower, middle, upper = statistics.quantiles(ratios, n=4)
    margin: float = 1.5 * (upper - lower) / len(ratios) ** 0.5
    return abs(middle - MAX_WARM_RATIO) < margin


def _median(values: list[float]) -> float:
    return statistics.median(values)
