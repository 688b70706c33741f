"""`python -m benchmarks.publish`: the default ONNX file against what the gate made of it, interleaved.

Publishes the reference models through the gate, for a function of this machine's architecture and as many vCPUs, into
a store in memory; fetches them as the inference function does, and opens them and the default file as it does, each in
a fresh process. Medians, and medians of the ratios within a round. Writes `benchmarks/results/publish.json`, prints the
table that `docs/performance.md` shows.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np

from benchmarks.machine import RESULTS, machine
from benchmarks.models import BUILDERS, model_path, sample
from handlers.inference.artifacts import ModelFiles
from handlers.inference.onnx_session import RUNTIME
from handlers.inference.variants import Variants, read_cpuinfo
from model_store.gate.apply import apply
from model_store.gate.gate import Examined, examine
from model_store.gate.plan import plan_publish
from model_store.gate.steps import GateOptions, Target
from model_store.manifest import Manifest, RunOptions, render_manifest
from model_store.memory import MemoryObjects
from warmstart import limits
from warmstart.processor import architecture, layout_name

Round = dict[str, dict[str, float]]
FIGURES: Final = ("load_ms", "first_ms", "warm_ms", "memory_mb")
DEFAULT: Final = "default"
WARM: Final = {"tabular": 2000}
WARM_OF_OTHERS: Final = 60
ROWS: Final = 8


class Case(NamedTuple):
    """One way to open a model: its graph's file, the manifest to open it by, and its bytes."""

    graph: Path
    manifest: Manifest
    size_bytes: int


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="rounds of all cases (default 15)")
    parser.add_argument("--models", nargs="+", default=list(BUILDERS), choices=list(BUILDERS))
    options = parser.parse_args()
    rows, gates = [], []
    for model in options.models:
        with tempfile.TemporaryDirectory() as folder:
            examined, cases = publish(model, Path(folder))
            rounds = measure(model, cases, options.rounds, Path(folder))
            rows += [row(model, name, case, rounds) for name, case in cases.items()]
            gates.append(gate(model, examined))
    print(render(rows), render_gate(gates), sep="\n\n")
    processor = layout_name(read_cpuinfo(), os.uname().machine, RUNTIME)
    document = {"machine": machine(), "processor": processor, "rounds": options.rounds, "rows": rows, "gate": gates}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "publish.json").write_text(json.dumps(document, indent=2) + "\n")


def publish(model: str, folder: Path) -> tuple[Examined, dict[str, Case]]:
    """Take a model through the gate and the store; give the cases to compare, the default file first."""
    objects = MemoryObjects()
    np.savez(folder / "request.npz", **cast("Any", sample(model)))
    examined = examined_model(model, folder)
    plan = plan_publish(examined.candidate, model, objects)
    published = apply(plan, objects, by="benchmark", clock=time.time, new_id=lambda: "1").manifest
    here = Variants(
        cpuinfo=read_cpuinfo, machine=os.uname().machine, runtime=RUNTIME, threads=os.cpu_count() or 1
    ).choose(published)
    files = ModelFiles(objects, models_dir=folder / "baked", tmp_dir=folder)
    cases = {
        DEFAULT: Case(model_path(model), published._replace(run=RunOptions()), model_path(model).stat().st_size),
        "portable": Case(files.fetch(published), published, published.size_bytes),
    }
    if here is not published:
        cases["this processor"] = Case(files.fetch(here), here, here.size_bytes)
    return examined, cases


def examined_model(model: str, folder: Path) -> Examined:
    """Take a model through the gate, with a sample, for a function like this machine; its files are in the folder."""
    rows = folder / "rows.npz"
    np.savez(rows, **cast("Any", {name: np.repeat(array, ROWS, axis=0) for name, array in sample(model).items()}))
    (folder / "gate").mkdir()
    return examine(model_path(model), model, folder / "gate", GateOptions(sample=rows, target=target()))


def target() -> Target:
    """Describe a function like this machine: its architecture, and as many vCPUs."""
    memory_mb = min(limits.MB_PER_VCPU * (os.cpu_count() or 1), limits.MAX_MEMORY_MB)
    return Target(architecture=cast("Any", architecture(os.uname().machine)), memory_mb=memory_mb)


def measure(model: str, cases: dict[str, Case], rounds: int, folder: Path) -> list[Round]:
    """Run every case once a round; the first round, which fills the page cache, is thrown away."""
    for name, case in cases.items():
        manifest = folder / f"{name}.manifest.json"
        manifest.write_bytes(render_manifest(case.manifest))
        described = {
            "graph": str(case.graph),
            "manifest": str(manifest),
            "request": str(folder / "request.npz"),
            "threads": limits.threads(target().memory_mb),
            "warm": WARM.get(model, WARM_OF_OTHERS),
        }
        (folder / f"{name}.json").write_text(json.dumps(described))
    names = list(cases)
    # Each goes first as often as the others: what runs after another may find a machine that is busier, or faster.
    orders = [names[number % len(names) :] + names[: number % len(names)] for number in range(rounds + 1)]
    return [{name: _open(folder / f"{name}.json") for name in order} for order in orders][1:]


def row(model: str, name: str, case: Case, rounds: list[Round]) -> dict[str, Any]:
    """Reduce the rounds of one case to medians; ratios are taken within a round."""
    medians = {figure: statistics.median(one[name][figure] for one in rounds) for figure in FIGURES}
    ratios = {
        figure.rpartition("_")[0]: statistics.median(one[name][figure] / one[DEFAULT][figure] for one in rounds)
        for figure in FIGURES
    }
    return {
        "model": model,
        "case": name,
        "size_mb": round(case.size_bytes / 1e6, 1),
        **{figure: round(value, 3) for figure, value in medians.items()},
        **{f"{figure}_ratio": round(value, 3) for figure, value in ratios.items()},
    }


def gate(model: str, examined: Examined) -> dict[str, Any]:
    """Say what the gate chose, and what that took."""
    step = examined.report.step("optimise")
    assert step is not None
    return {
        "model": model,
        "chosen": step.figures["chosen"],
        "for_processor": step.figures["for_processor"],
        "seconds": round(step.seconds, 1),
    }


def render(rows: list[dict[str, Any]]) -> str:
    """Write the rows as a Markdown table."""
    lines = [
        "| model | file | MB | load, ms | ratio | first answer, ms | ratio | warm, ms | ratio | memory, MB | ratio |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r['model']} | {r['case']} | {r['size_mb']:.1f} | {r['load_ms']:.1f} | {r['load_ratio']:.2f} | "
        f"{r['first_ms']:.1f} | {r['first_ratio']:.2f} | {r['warm_ms']:.3g} | {r['warm_ratio']:.2f} | "
        f"{r['memory_mb']:.0f} | {r['memory_ratio']:.2f} |"
        for r in rows
    ]
    return "\n".join(lines)


def render_gate(gates: list[dict[str, Any]]) -> str:
    """Write what the gate chose as a Markdown table."""
    lines = ["| model | portable files | beside them | the step took, s |", "|---|---|---|---:|"]
    lines += [
        f"| {g['model']} | {g['chosen']} | {g['for_processor'] or 'nothing'} | {g['seconds']:.1f} |" for g in gates
    ]
    return "\n".join(lines)


def _open(case: Path) -> dict[str, float]:
    done = subprocess.run(
        ["env", "OPENBLAS_NUM_THREADS=1", "ORT_DISABLE_TELEMETRY=1", sys.executable, "-m", "benchmarks.opening", case],
        capture_output=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
