"""The gate: load → convert → check → parity → optimise → parity → forecast → baseline; each step may refuse.

Nothing here touches a store: `examine` works in a folder of this disk and gives a value, `plan_publish` turns it into
steps, `apply` carries them out.
"""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

from model_store.convert.recognise import load
from model_store.convert.source import Batch, Converted, LoadOptions, Origin, Sample, SourceModel
from model_store.gate.baseline import baseline
from model_store.gate.candidate import Candidate
from model_store.gate.check import check
from model_store.gate.forecast import forecast
from model_store.gate.optimise import optimise
from model_store.gate.parity import Answers, ask, parity
from model_store.gate.prepare import Preparation
from model_store.gate.prices import read_prices
from model_store.gate.quantize import expect_truth
from model_store.gate.sample import arrange, generate, labelled, read_sample, thin
from model_store.gate.sample_made import is_generated
from model_store.gate.steps import (
    Figures,
    GateOptions,
    GateRejected,
    GateReport,
    Outcome,
    Rejected,
    StepReport,
    megabytes,
)
from model_store.history import utc
from warmstart.errors import Unreachable, UnsupportedModel, WarmstartError

T = TypeVar("T")
Stamp: TypeAlias = tuple[int, int, int]
"""Which file it is, its size in bytes, and when it was written, in nanoseconds."""


class Watch(NamedTuple):
    """Hears of the steps as they run: their names before they start, their reports when they are done."""

    started: Callable[[str], None] = lambda _: None
    done: Callable[[StepReport], None] = lambda _: None


NOBODY: Final = Watch()
_SECRET: Final = re.compile(r"(?<=//)[^/@]*@|\?.*")
"""User and password of an address, and its query, which may be a signature."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What the gate let through. `documents` lie beside the version: the report, statistics, golden examples."""

    candidate: Candidate
    report: GateReport
    documents: Mapping[str, bytes]
    origin: Origin
    stamps: Mapping[Path, Stamp]

    def check_unchanged(self) -> None:
        """Refuse files that are others than those that were examined: an ONNX source is published where it lies.

        Raises: UnsupportedModel, OSError.
        """
        for path, stamp in self.stamps.items():
            if stamp_of(path) != stamp:
                raise UnsupportedModel(
                    f"{path}: it was written to while it was examined: publish it again when nobody writes it"
                )


@dataclass
class _Run:
    """Runs steps, times them, and keeps their reports."""

    name: str
    source: str
    clock: Callable[[], float]
    watch: Watch
    done: list[StepReport] = field(default_factory=list)

    def step(self, name: str, work: Callable[[], Outcome[T]]) -> T:
        self.watch.started(name)
        started = time.perf_counter()
        try:
            outcome = work()
        except Unreachable:
            raise
        except WarmstartError as error:
            figures = error.figures if isinstance(error, Rejected) else {}
            self._keep(name, "rejected", started, error.message, figures)
            raise GateRejected(self.report(), error.message) from error
        self._keep(name, "passed", started, outcome.summary, outcome.figures)
        return outcome.value

    def _keep(
        self, name: str, status: Literal["passed", "rejected"], started: float, summary: str, figures: Figures
    ) -> None:
        seconds = round(time.perf_counter() - started, 4)
        self.done.append(StepReport(step=name, status=status, seconds=seconds, summary=summary, figures=figures))
        self.watch.done(self.done[-1])

    def report(self) -> GateReport:
        machine = {"machine": platform.machine(), "system": platform.system(), "python": platform.python_version()}
        return GateReport(
            name=self.name,
            source=self.source,
            created_at=utc(self.clock()),
            machine=machine,
            steps=tuple(self.done),
        )


def examine(
    source: object,
    name: str,
    folder: Path,
    options: GateOptions,
    *,
    clock: Callable[[], float] = time.time,
    watch: Watch = NOBODY,
) -> Examined:
    """Take a source through the gate. `folder` is empty, and what is to be published lies in it afterwards.

    Raises: GateRejected with the report so far; Unreachable if a package is missing.
    """
    run = _Run(name, called(source), clock, watch)
    given, model = run.step("load", lambda: _load(source, options))
    converted = run.step("convert", lambda: _convert(model, folder / "converted", given))
    graph = run.step("check", lambda: check(converted, options))
    before = Preparation(converted.prepared)
    candidate = before.candidate(graph)
    sample = given or generate(candidate.signature.inputs, model.example)
    tried = thin(sample)
    inputs, (expected, _) = run.step("parity", lambda: _first_parity(model, candidate, tried, options))
    graph = run.step(
        "optimise", lambda: optimise(graph, before.feeds(inputs), tried.truth, options, folder / "optimised")
    )
    candidate = before.candidate(graph)
    stamps = {
        path: stamp_of(path) for layout in (candidate.layout, *candidate.variants.values()) for _, path in layout.files
    }
    quantized = options.quantize is not None
    _, outputs = run.step("parity", lambda: parity(expected, candidate, inputs, options, quantized=quantized))
    run.step("forecast", lambda: forecast(candidate, inputs, options))
    documents = run.step("baseline", lambda: baseline(candidate, sample, inputs, outputs, quantized=quantized))
    return Examined(candidate=candidate, report=run.report(), documents=documents, origin=model.origin, stamps=stamps)


def called(source: object) -> str:
    """Call a source: a file by its name, a model by its class, an address without what is secret in it."""
    if not isinstance(source, str | Path):
        return type(source).__qualname__
    path = Path(source)
    if path.exists():
        return path.name if path.name.strip(".") else path.resolve().name
    return _SECRET.sub("", str(source))


def stamp_of(path: Path) -> Stamp:
    """Say which state a file is in: inode, size in bytes, time of the last change in nanoseconds."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _load(source: object, options: GateOptions) -> Outcome[tuple[Sample | None, SourceModel]]:
    sample = read_sample(options.sample) if isinstance(options.sample, Path) else options.sample
    if sample is not None and options.truth is not None:
        sample = labelled(sample, options.truth)
    expect_truth(None if sample is None else sample.truth, options)
    read_prices(options.prices)  # a slip in it is found before minutes of work
    model = load(source, LoadOptions(trust=options.trust, sample=sample))
    origin = model.origin
    figures = {"framework": origin.framework, "framework_version": origin.version, "kind": origin.kind}
    rows = "no sample" if sample is None else f"{sample.rows} rows of {sample.origin}"
    return Outcome((sample, model), f"{origin.framework} {origin.version}: {origin.kind}; {rows}", figures)


def _convert(model: SourceModel, folder: Path, sample: Sample | None) -> Outcome[Converted]:
    folder.mkdir()
    converted = model.convert(folder, sample)
    labels: Figures = {"labels": len(converted.labels)}
    if not converted.graph.is_relative_to(folder):
        return Outcome(converted, "nothing to convert: it is ONNX", labels)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Outcome(converted, f"ONNX, {megabytes(size)}", {"size_bytes": size, **labels})


def _first_parity(
    model: SourceModel, candidate: Candidate, sample: Sample, options: GateOptions
) -> Outcome[tuple[Batch, Answers]]:
    """Lay the rows out, ask the source, and compare with what was converted."""
    specs = candidate.signature.inputs
    inputs = arrange(sample, specs)
    expected = ask(model, inputs, specs, generated=is_generated(sample))
    answers, summary, figures = parity(expected, candidate, inputs, options)
    return Outcome((inputs, answers), f"{summary}; rows: {sample.origin}", {"origin": sample.origin, **figures})
