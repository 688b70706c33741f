"""Ways to lay out a model's files, written by ONNX Runtime: optimised before, weights apart, made for a processor.

What each is for, and what was measured: docs/decisions/layouts.md.
"""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

from model_store import keys
from model_store.convert.source import Batch
from model_store.gate.candidate import Candidate, Layout, failures, open_session, run, session_options
from model_store.gate.onnx_source import GRAPH
from warmstart.errors import UnsupportedModel
from warmstart.processor import layout_name

if TYPE_CHECKING:
    from model_store.preprocessing.session import Runs

AS_CONVERTED: Final = "as converted"
MAPPED: Final = "weights mapped"
OPTIMISED: Final = "optimised"
OPTIMISED_MAPPED: Final = "optimised, weights mapped"
OPTIMISED_FINISHED_AT_LOAD: Final = "optimised, weights mapped, finished at load"
MIN_MAPPED_BYTES: Final = 2**20
"""Below this, weights stay in the graph's file: a second file is a second request to the store, and saves less."""
LARGE_BYTES: Final = 10**9
"""From here on, a model is written once more and not several times: each takes its size on the disk, and minutes."""
MIN_WEIGHT_BYTES: Final = 1024
"""Smaller tensors stay in the graph: shapes and the like, that the runtime wants to know when it loads it."""


Files: TypeAlias = tuple[tuple[str, Path], ...]
"""(name within the version, file on this disk), the graph first."""


class Way(NamedTuple):
    """One way to write a layout: ONNX Runtime's optimisation level, and how it is opened afterwards."""

    name: str
    level: str
    mapped: bool = True
    optimise: bool = False
    prepacked: bool = False


_SMALL: Final = (Way(OPTIMISED, "ORT_ENABLE_EXTENDED", mapped=False),)
_PORTABLE: Final = (
    Way(OPTIMISED_MAPPED, "ORT_ENABLE_EXTENDED"),
    Way(MAPPED, "ORT_DISABLE_ALL", optimise=True),
    Way(OPTIMISED_FINISHED_AT_LOAD, "ORT_ENABLE_EXTENDED", optimise=True),
)


class Written(NamedTuple):
    """The layouts of one model, by name, simple ones first; `own` are the names of those for this processor."""

    layouts: Mapping[str, Layout]
    own: frozenset[str]
    dropped: Mapping[str, str]


def this_processor(runtime: str) -> str | None:
    """Name what a layout made here would be for; None where Linux does not say, or it is not Linux."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return layout_name(cpuinfo, os.uname().machine, runtime)


def write_layouts(candidate: Candidate, inputs: Batch, folder: Path, *, processor: str | None) -> Written:
    """Write a model in every way that may be worth it. `processor` None: portable ways only.

    Left out (`dropped` says why) is what does not take and give exactly what the model takes and gives, or answers
    differently on this request, already cast. All rows are compared when parity is proven again.
    """
    source = candidate.layout
    reference = open_session(source)
    expected = run(reference, inputs)
    layouts, dropped = {AS_CONVERTED: source}, dict[str, str]()
    ways = tuple(_ways(source, processor))
    files: dict[tuple[str, bool], Files] = {}  # the same bytes may be opened in two ways
    for number, way in enumerate(ways):
        bytes_of = (way.level, way.prepacked)
        try:
            if bytes_of not in files:
                files[bytes_of] = _write(source, way, folder / str(number))
            layout = Layout(files[bytes_of], source.run._replace(optimise=way.optimise))
            if way.mapped and way.optimise and len(layout.files) == 1:
                raise UnsupportedModel("no weight is large enough to lie apart")
            if same := next((name for name, other in layouts.items() if _is_same(layout, other)), None):
                raise UnsupportedModel(f"the same as {same}")
            _compare(reference, expected, inputs, layout)
        except UnsupportedModel as error:
            dropped[way.name] = error.message
        else:
            one_file = way.name == OPTIMISED_MAPPED and len(layout.files) == 1
            layouts[OPTIMISED if one_file else way.name] = layout
    own = frozenset(way.name for way in ways if processor is not None and way.name.startswith(processor))
    return Written(layouts, own & set(layouts), dropped)


def _ways(source: Layout, processor: str | None) -> Iterator[Way]:
    if source.size_bytes < MIN_MAPPED_BYTES:
        yield from _SMALL
        return
    large = source.size_bytes >= LARGE_BYTES
    yield from (way for way in _PORTABLE if way.name != MAPPED or (len(source.files) == 1 and not large))
    if large:
        return
    if processor is not None:
        yield Way(processor, "ORT_ENABLE_ALL")
        yield Way(f"{processor}, pre-packed", "ORT_ENABLE_ALL", prepacked=True)


def _write(source: Layout, way: Way, folder: Path) -> Files:
    """Let ONNX Runtime write what it would run. Raises: UnsupportedModel."""
    import onnxruntime as ort

    folder.mkdir(parents=True)
    options = session_options(source)
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, way.level)
    options.optimized_model_filepath = str(folder / GRAPH)
    if way.mapped:
        prefix = "session.optimized_model_external_initializers"
        options.add_session_config_entry(f"{prefix}_file_name", keys.WEIGHTS)
        options.add_session_config_entry(f"{prefix}_min_size_in_bytes", str(MIN_WEIGHT_BYTES))
    if way.prepacked:
        options.add_session_config_entry("session.save_external_prepacked_constant_initializers", "1")
    try:
        ort.InferenceSession(str(source.graph), options, providers=["CPUExecutionProvider"])
    except failures() as error:
        raise UnsupportedModel(f"ONNX Runtime {ort.__version__} does not write it: {error}") from error
    weights = folder / keys.WEIGHTS
    beside = ((keys.WEIGHTS, weights),) if weights.exists() and weights.stat().st_size else ()
    return ((GRAPH, folder / GRAPH), *beside)


def _is_same(layout: Layout, other: Layout) -> bool:
    """Say whether two layouts are opened alike and have the same bytes."""
    if layout.run != other.run or len(layout.files) != len(other.files):
        return False
    pairs = zip(layout.files, other.files, strict=True)
    return all(filecmp.cmp(mine, theirs, shallow=False) for (_, mine), (_, theirs) in pairs)


def _compare(reference: Runs, expected: Batch, inputs: Batch, layout: Layout) -> None:
    """Raises: UnsupportedModel if a layout's signature or answers are not those of the model."""
    session = open_session(layout)
    if (found := _signature(session)) != (wanted := _signature(reference)):
        raise UnsupportedModel(f"its signature changed from {wanted} to {found}")
    got = run(session, inputs)
    for name, array in expected.items():
        if not _is_close(np.asarray(got[name]), np.asarray(array)):
            raise UnsupportedModel(f"output {name!r} differs on the sample's rows")


def _signature(session: Runs) -> list[tuple[str, str, tuple[int, ...]]]:
    metas = (*session.get_inputs(), *session.get_outputs())
    return [
        (meta.name, meta.type, tuple(size if isinstance(size, int) and size > 0 else -1 for size in meta.shape))
        for meta in metas
    ]


def _is_close(got: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> bool:
    """Say whether two arrays are alike as far as another order of summing explains; parity is proven afterwards."""
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return False
    if expected.dtype.kind != "f":
        return bool(np.array_equal(got, expected))
    finite = expected[np.isfinite(expected)]
    scale = float(np.max(np.abs(finite), initial=0.0))
    return bool(np.allclose(got, expected, rtol=1e-3, atol=1e-4 * scale, equal_nan=True))
