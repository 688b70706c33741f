"""The gate's report as one HTML page that opens offline: no script, no font, no image from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Final

from model_store.gate.page_parts import (
    Row,
    cards,
    everything,
    group_in,
    histogram,
    number_in,
    rows_in,
    shown,
    stacks,
    table,
    with_unit,
)
from model_store.gate.steps import GateReport, StepReport

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6878; --line: #d7dce3; --bar: #b9d3f3; --good: #177245;
  --bad: #b3261e; --back: #ffffff; --card: #f4f6f9; --p0: #7aa7dd; --p1: #e0a458; --p2: #b39ddb; --p3: #5fb08a;
  --p4: #d77a7a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #98a2b3; --line: #344054; --bar: #2b4a73;
  --good: #59c08b; --bad: #ff8a80; --back: #101720; --card: #1a2330; --p0: #3f6ea8; --p1: #a8742f; --p2: #7a63a8;
  --p3: #39805f; --p4: #a04e4e; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 66rem;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
small { font-weight: 400; font-size: .8rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .2rem; }
h3 { font-size: .9rem; color: var(--soft); font-weight: 600; margin: 1.1rem 0 .3rem; } p { margin: .2rem 0 .6rem; }
.soft { color: var(--soft); } .passed { color: var(--good); } .rejected { color: var(--bad); }
.refusal { border-left: 4px solid var(--bad); background: var(--card); padding: .6rem 1rem; white-space: pre-wrap; }
.wide { overflow-x: auto; overflow-wrap: normal; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .15rem .9rem .15rem .3rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--soft); font-weight: 500; vertical-align: bottom; } .number { text-align: right; }
td.number { min-width: 4.2rem; white-space: nowrap; } tr.marked td { font-weight: 700; }
.bar { background: linear-gradient(90deg, var(--bar) var(--share), transparent var(--share)); }
.cards { display: flex; flex-wrap: wrap; gap: .6rem; margin: 1rem 0 1.4rem; }
.cards div { background: var(--card); border-radius: .4rem; padding: .5rem .9rem; font-size: .85rem;
  color: var(--soft); } .cards b { display: block; font-size: 1.1rem; color: var(--ink); font-weight: 600; }
svg { max-width: 100%; } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; } svg rect { fill: var(--p0); }
svg .mid { text-anchor: middle; } svg line { stroke: var(--bad); stroke-dasharray: 4 3; }
.stack { display: flex; } .stack > span { width: 6.5rem; text-align: right; padding-right: .7rem; }
.stack > div { flex: 1; display: flex; align-items: center; } .stack i { height: 1rem; }
.stack b { font-weight: 400; padding-left: .5rem; } .stack.marked span, .stack.marked b { font-weight: 700; }
.legend { font-size: .85rem; color: var(--soft); margin-bottom: .3rem; } .legend span { margin-right: 1.2rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; vertical-align: -1px; }
.part0 { background: var(--p0); } .part1 { background: var(--p1); } .part2 { background: var(--p2); }
.part3 { background: var(--p3); } .part4 { background: var(--p4); }
details { margin: .6rem 0; } summary { color: var(--soft); cursor: pointer; } ul { margin: .2rem 0; }
"""
_SPEED: Final = {
    "size_bytes": "size",
    "load_ms": "load, ms",
    "first_answer_ms": "load and first answer, ms",
    "warm_ms": "warm, ms",
    "memory_mb": "memory, MB",
}
_CHANGES: Final = {
    "size_bytes": "size",
    "first_answer_ms": "load and first answer, here",
    "warm_ms": "warm, here",
    "memory_mb": "memory of the session",
}
_NO_METRICS: Final = frozenset({*_SPEED, "precision", "warm_ratio"})
_COLD: Final = {
    "init_s": "init phase",
    "download_s": "download",
    "hash_s": "hashing",
    "session_s": "session",
    "first_run_s": "first run",
}


def render_page(report: GateReport) -> str:
    """Write the page; what came from outside is escaped."""
    refused = next((step for step in report.steps if step.status == "rejected"), None)
    verdict = "passed" if refused is None else f"rejected at {refused.step}"
    machine = ", ".join(f"Python {value}" if key == "python" else value for key, value in report.machine.items())
    why = "" if refused is None else f'<p class="refusal">{escape(refused.summary)}</p>'
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.name)}: {escape(verdict)}</title><style>{_STYLE}</style></head><body>"
        f'<h1>{escape(report.name)} <span class="{verdict.partition(" ")[0]}">{escape(verdict)}</span></h1>'
        f'<p class="soft">{escape(report.source)} · {escape(report.created_at)} · proven on {escape(machine)}</p>'
        f"{why}{cards(_most_important(report))}"
        f"{''.join(_section(step, report) for step in report.steps)}</body></html>\n"
    )


def _most_important(report: GateReport) -> list[tuple[str, str]]:
    """Choose what stands at the top: label and value."""
    load, optimise, forecast = (_figures(report, name) for name in ("load", "optimise", "forecast"))
    found = list[tuple[str, str]]()
    if load:
        found.append((f"{load.get('framework')} {load.get('framework_version')}", str(load.get("kind"))))
    outputs = group_in(_figures(report, "parity"), "outputs")
    far = [number_in(group_in(outputs, name), "max_absolute_difference") for name in outputs]
    if known := [value for value in far if value is not None]:
        found.append(("largest difference from the source", f"{max(known):.2g}"))
    before, after = _before(optimise), _after(optimise)
    found += [(name, _change(key, before, after)) for key, name in _CHANGES.items() if key in before and key in after]
    if (own := _own_size(forecast)) is not None:
        where = f"at {shown('', own.get('memory_mb'))} MB, forecast"
        found += [
            (f"cold start {where}", with_unit("cold_s", own.get("cold_s"))),
            (f"warm {where}", with_unit("warm_ms", own.get("warm_ms"))),
            ("per 1,000 predictions, warm", f"{shown('', own.get('price_per_1000_warm'))} USD"),
        ]
    return found


def _change(key: str, before: Row, after: Row) -> str:
    """Write a figure before and after; once, if it stayed."""
    old, new = with_unit(key, before[key]), with_unit(key, after[key])
    return new if old == new else f"{old} → {new}"


def _figures(report: GateReport, name: str) -> Row:
    step = report.step(name)
    return {} if step is None else step.figures


def _quantized(optimise: Row) -> Row:
    """Find what was tried to quantize; a refused step has it for itself."""
    return optimise if "precisions" in optimise else group_in(optimise, "quantized")


def _before(optimise: Row) -> Row:
    """Find the model as converted, before it was quantized."""
    return next(iter([*rows_in(_quantized(optimise), "precisions"), *rows_in(optimise, "layouts")]), {})


def _after(optimise: Row) -> Row:
    """Find what is published: of two layouts the one for this kind of processor, which is behind the portable one.

    Precisions and layouts are timed one after the other, and only times of one measurement can be compared: those of a
    quantized model are its own beside the model as converted, times what the layout gained.
    """
    layouts, precisions = rows_in(optimise, "layouts"), rows_in(_quantized(optimise), "precisions")
    kept = next((row for row in reversed(layouts) if row.get("kept") is True), {})
    chosen = next((row for row in precisions if row.get("precision") == _quantized(optimise).get("chosen")), None)
    if chosen is None:
        return kept
    times = {key: _scaled(chosen, kept, layouts[0], key) for key in kept if key.endswith("_ms")}
    return {**kept, **{key: value for key, value in times.items() if value is not None}}


def _scaled(chosen: Row, kept: Row, first: Row, key: str) -> float | None:
    own, after, before = (number_in(row, key) for row in (chosen, kept, first))
    return own * after / before if own is not None and after is not None and before else None


def _own_size(forecast: Row) -> Row | None:
    """Find the forecast for the function's own memory."""
    wanted = group_in(forecast, "target").get("memory_mb")
    return next((row for row in rows_in(forecast, "by_memory") if row.get("memory_mb") == wanted), None)


def _section(step: StepReport, report: GateReport) -> str:
    mark = "✓" if step.status == "passed" else "✗"
    draw = _DRAWN.get(step.step)
    second = step.step == "parity" and step is not next(one for one in report.steps if one.step == "parity")
    said = (
        f"<p>{escape(step.summary)}</p>" if step.status == "passed" else ""
    )  # the page's head says why it is rejected
    title = f"{step.step}, of what is published" if second else step.step
    return (
        f'<h2><span class="{step.status}">{mark}</span> {escape(title)} '
        f'<small class="soft">{step.seconds:.2f} s</small></h2>{said}'
        f"{draw(step.figures) if draw else ''}{everything(step.figures)}"
    )


def _parity(figures: Row) -> str:
    outputs = group_in(figures, "outputs")
    rows: list[Row] = [{"output": name, **_flat(group_in(outputs, name))} for name in outputs]
    columns = {
        "output": "output",
        "values": "values",
        "equal_values": "equal",
        "max_absolute_difference": "largest difference",
        "max_relative_difference": "largest, relative",
        "mean_absolute_difference": "mean difference",
        "tolerated": "tolerated",
        "agreement": "labels agree",
        "ties": "ties",
        "rows_beyond": "rows beyond",
    }
    plots = "".join(histogram(name, group_in(outputs, name)) for name in outputs)
    return (table(rows, columns) if rows else "") + plots + "".join(_worst(n, group_in(outputs, n)) for n in outputs)


def _flat(output: Row) -> Row:
    agreement, tolerance = number_in(output, "agreement"), group_in(output, "tolerance")
    told = f"{shown('', tolerance.get('absolute'))} + {shown('', tolerance.get('relative'))}·|expected|"
    return {
        **output,
        "agreement": None if agreement is None else f"{100 * agreement:.4g} %",
        "tolerated": told if tolerance else None,
    }


def _worst(output: str, figures: Row) -> str:
    rows = rows_in(figures, "worst")
    if not rows:
        return ""
    columns = {"row": "row", "index": "at", "expected": "expected", "got": "got"}
    return f"<details><summary>{escape(output)}: the rows farthest apart</summary>{table(rows, columns)}</details>"


def _optimise(figures: Row) -> str:
    layouts, precisions = rows_in(figures, "layouts"), rows_in(_quantized(figures), "precisions")
    parts = list[str]()
    if precisions:
        metrics = {key: key.replace("_", " ") for row in precisions for key in row if key not in _NO_METRICS}
        columns = {"precision": "precision", **_SPEED, **metrics}
        chosen = [row.get("precision") == _quantized(figures).get("chosen") for row in precisions]
        rows = f"quantized, on {shown('', _quantized(figures).get('rows'))} labelled rows; kept in bold"
        parts.append(f"<h3>{escape(rows)}</h3>{table(precisions, columns, bars=tuple(_SPEED), marked=chosen)}")
    if layouts:
        kept = [row.get("kept") is True for row in layouts]
        columns = {"layout": "layout", **_SPEED}
        parts.append(f"<h3>layouts; published in bold</h3>{table(layouts, columns, bars=tuple(_SPEED), marked=kept)}")
    return "".join(parts)


def _forecast(figures: Row) -> str:
    rows, own = rows_in(figures, "by_memory"), _own_size(figures)
    if not rows:
        return ""
    limits, sizes, target = (group_in(figures, key) for key in ("limits", "sizes", "target"))
    against: list[Row] = [
        {"what": "memory, MB", "needed": sizes.get("needed_memory_mb"), "there is": target.get("memory_mb")},
        {"what": "disk, MB", "needed": sizes.get("needed_storage_mb"), "there is": target.get("ephemeral_storage_mb")},
    ]
    if own is not None:
        against += [
            {"what": "init phase, s", "needed": own.get("init_s"), "there is": limits.get("init_s")},
            {"what": "first invocation, s", "needed": own.get("load_s"), "there is": limits.get("timeout_s")},
            {"what": "cold start, s", "needed": own.get("cold_s"), "there is": limits.get("gateway_s")},
        ]
    columns = {
        "memory_mb": "memory, MB",
        "vcpus": "vCPUs",
        "works": "works",
        "warm_ms": "warm, ms",
        "cold_s": "cold start, s",
        "price_per_1000_warm": "USD per 1,000, warm",
        "price_per_1000_cold": "... cold",
        "basis": "basis",
    }
    prices, recommended = group_in(figures, "prices"), group_in(figures, "recommended")
    parts = [(f"{shown('', row.get('memory_mb'))} MB", _cold_parts(row)) for row in rows]
    here = "" if own is None else f"{shown('', own.get('memory_mb'))} MB"
    said = f"recommended: {shown('', recommended.get('memory_mb'))} MB; " if recommended else ""
    priced = f"prices of {prices.get('region')}, {prices.get('as_of')}"
    return (
        table(against, {"what": "", "needed": "needed", "there is": "there is"})
        + f"<h3>by memory; the function's own in bold; {escape(said + priced)}</h3>"
        + table(
            rows,
            columns,
            bars=("warm_ms", "cold_s", "price_per_1000_warm", "price_per_1000_cold"),
            marked=[row is own for row in rows],
        )
        + f"<h3>what a cold start is made of</h3>{stacks(parts, 's', marked=here)}"
    )


def _cold_parts(row: Row) -> list[tuple[str, float]]:
    return [(name, number_in(row, key) or 0.0) for key, name in _COLD.items()]


_DRAWN: Final[Mapping[str, Callable[[Row], str]]] = {"parity": _parity, "optimise": _optimise, "forecast": _forecast}
