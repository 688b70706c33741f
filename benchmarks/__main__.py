"""`python -m benchmarks`: cold and warm, all cases in one run, interleaved; medians of per-round ratios.

Writes `benchmarks/results/lambda.json` and prints the table that `docs/performance.md` shows.
"""

from __future__ import annotations

import argparse
import json
import statistics
from typing import Any

from benchmarks.machine import RESULTS, machine
from benchmarks.models import BUILDERS
from benchmarks.run import CASES, Sample, measure, s3_stand_in


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11, help="rounds of all cases (default 11)")
    parser.add_argument("--warm", type=int, default=2000, help="warm invocations per process (default 2000)")
    parser.add_argument("--models", nargs="+", default=list(BUILDERS), choices=list(BUILDERS))
    options = parser.parse_args()
    models = tuple(options.models)
    with s3_stand_in(models) as endpoint:
        samples = {model: measure_model(model, endpoint, options.rounds, options.warm) for model in models}
        fetches = [compare_clients(model, endpoint, options.rounds) for model in models]
    rows = [row(model, case, samples[model]) for model in models for case in CASES]
    print(render(rows), render_fetches(fetches), sep="\n\n")
    measured = {"rounds": options.rounds, "warm": options.warm, "rows": rows, "fetches": fetches}
    document = {"machine": machine(), **measured}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "lambda.json").write_text(json.dumps(document, indent=2) + "\n")


def measure_model(model: str, endpoint: str, rounds: int, warm: int) -> dict[str, list[Sample]]:
    """Run every case once a round; the first round, which fills the page cache, is thrown away."""
    samples: dict[str, list[Sample]] = {case: [] for case in CASES}
    invocations = warm if model == "tabular" else warm // 20  # a request of the others takes milliseconds
    for number in range(rounds + 1):
        turn = number % len(CASES)  # each goes first as often as the others
        for case in CASES[turn:] + CASES[:turn]:
            sample = measure(case, model, endpoint, warm=invocations)
            if number:
                samples[case].append(sample)
    return samples


def compare_clients(model: str, endpoint: str, rounds: int) -> dict[str, Any]:
    """Time process start → artifact on disk with each S3 client, interleaved."""
    seconds: dict[str, list[float]] = {"fetch_lean": [], "fetch_boto3": []}
    for _ in range(rounds):
        for case, found in seconds.items():
            found.append(measure(case, model, endpoint).first_answer_s)
    ratios = [b / a for a, b in zip(seconds["fetch_lean"], seconds["fetch_boto3"], strict=True)]
    medians = {case: round(statistics.median(found) * 1000, 1) for case, found in seconds.items()}
    return {"model": model, **medians, "boto3_ratio": round(statistics.median(ratios), 2)}


def row(model: str, case: str, samples: dict[str, list[Sample]]) -> dict[str, Any]:
    """Reduce the rounds of one case to medians; ratios are taken within a round."""
    mine, floor = samples[case], samples["floor"]
    ratios = [a.first_answer_s / b.first_answer_s for a, b in zip(mine, floor, strict=True)]
    faster = [b.first_answer_s / a.first_answer_s for a, b in zip(mine, samples["tutorial"], strict=True)]
    warm = [sorted(sample.warm_us) for sample in mine if sample.warm_us]
    return {
        "model": model,
        "case": case,
        "cold_ms": round(statistics.median(s.first_answer_s for s in mine) * 1000, 1),
        "cold_ratio": round(statistics.median(ratios), 3),
        "request_ms": round(statistics.median(s.request_ms for s in mine), 2) or None,
        "faster_than_tutorial": round(statistics.median(faster), 2),
        "peak_mb": round(statistics.median(s.peak_mb for s in mine)),
        "warm_p50_us": round(statistics.median(w[len(w) // 2] for w in warm), 1) if warm else None,
        "warm_p99_us": round(statistics.median(w[len(w) * 99 // 100] for w in warm), 1) if warm else None,
    }


def render(rows: list[dict[str, Any]]) -> str:
    """Write the rows as a Markdown table."""
    head = (
        "| model | case | cold, ms | × floor | tutorial ÷ it | of it from the request on, ms | peak, MB "
        "| warm outside `session.run`, µs p50 | p99 |"
    )
    lines = [head, "|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    lines += [
        f"| {r['model']} | {r['case']} | {r['cold_ms']:.0f} | {r['cold_ratio']:.2f} | "
        f"{r['faster_than_tutorial']:.2f} | {'' if r['request_ms'] is None else format(r['request_ms'], '.1f')} | "
        f"{r['peak_mb']} | {_cell(r['warm_p50_us'])} | {_cell(r['warm_p99_us'])} |"
        for r in rows
    ]
    return "\n".join(lines)


def render_fetches(fetches: list[dict[str, Any]]) -> str:
    """Write the comparison of S3 clients as a Markdown table."""
    lines = ["| artifact | our reader, ms | boto3 `download_file`, ms | boto3 ÷ ours |", "|---|---:|---:|---:|"]
    lines += [
        f"| {f['model']} | {f['fetch_lean']:.0f} | {f['fetch_boto3']:.0f} | {f['boto3_ratio']:.1f} |" for f in fetches
    ]
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


if __name__ == "__main__":
    main()
