"""The gate's report as one HTML page that opens offline: no script, no font, no image from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from model_store.gate.steps import Figure, GateReport, StepReport

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --line: #d7dce3; --bar: #b9d3f3; --good: #177245;
  --bad: #b3261e; --back: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #98a2b3; --line: #344054; --bar: #2b4a73;
  --good: #59c08b; --bad: #ff8a80; --back: #101720; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 64rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
h3 { font-size: .9rem; color: var(--soft); font-weight: 600; margin: 1rem 0 .2rem; }
.soft { color: var(--soft); } .passed { color: var(--good); } .rejected { color: var(--bad); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .15rem 1rem .15rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number { text-align: right; min-width: 5rem; } th { color: var(--soft); font-weight: 500; }
.bar { background: linear-gradient(90deg, var(--bar) var(--share), transparent var(--share)); padding-left: .4rem; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; } svg rect { fill: var(--bar); }
pre { white-space: pre-wrap; }
"""
_PLOTTED: Final = "log10_difference"
"""A table's column of this name is a histogram, [lower edge, count] each: it is drawn."""
_MANY: Final = 40
"""Longer lists are cut on the page; `gate.json` has them whole."""


def render_page(report: GateReport) -> str:
    """Write the page; what came from outside is escaped."""
    refused = next((step for step in report.steps if step.status == "rejected"), None)
    verdict = "passed" if refused is None else f"rejected at {refused.step}"
    machine = ", ".join(f"{key} {value}" for key, value in report.machine.items())
    steps = "".join(_section(step) for step in report.steps)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.name)}: {escape(verdict)}</title><style>{_STYLE}</style></head><body>"
        f'<h1>{escape(report.name)} <span class="{verdict.partition(" ")[0]}">{escape(verdict)}</span></h1>'
        f'<p class="soft">{escape(report.source)} · {escape(report.created_at)} · {escape(machine)}</p>'
        f"{_overview(report)}{steps}</body></html>\n"
    )


def _overview(report: GateReport) -> str:
    rows: list[Figure] = [{"step": s.step, "status": s.status, "seconds": s.seconds} for s in report.steps]
    return _table(rows)


def _section(step: StepReport) -> str:
    mark = "✓" if step.status == "passed" else "✗"
    head = f'<h2><span class="{step.status}">{mark}</span> {escape(step.step)}</h2><p>{escape(step.summary)}</p>'
    single = {key: value for key, value in step.figures.items() if not isinstance(value, list | dict)}
    parts = [_pairs(single)] if single else []
    for key, value in step.figures.items():
        if isinstance(value, list | dict) and value:
            parts.append(f"<h3>{escape(_words(key))}</h3>{_figure(value)}")
    return head + "".join(parts)


def _figure(value: Figure) -> str:
    match value:
        case list() if value and all(isinstance(item, dict) for item in value):
            return _table(value)
        case list():
            more = f" … {len(value) - _MANY} more" if len(value) > _MANY else ""
            return escape(", ".join(_text(item) for item in value[:_MANY]) + more)
        case dict() if value and all(isinstance(item, dict) for item in value.values()):
            return _table([{"": key, **item} for key, item in value.items() if isinstance(item, dict)])
        case dict():
            return _pairs(value)
        case _:
            return escape(_text(value))


def _pairs(figures: Mapping[str, Figure]) -> str:
    rows = "".join(f"<tr><th>{escape(_words(key))}</th><td>{_cell(value)}</td></tr>" for key, value in figures.items())
    return f'<div class="wide"><table>{rows}</table></div>'


def _table(rows: Sequence[Figure]) -> str:
    """Write rows as a table; a column of numbers gets bars, each column to its own largest value."""
    dicts = [row for row in rows if isinstance(row, dict)][:_MANY]
    columns = list(dict.fromkeys(key for row in dicts for key in row))
    largest = {column: _largest(dicts, column) for column in columns}
    head = "".join(f"<th>{escape(_words(column))}</th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(_numbered(row.get(column), largest[column]) for column in columns)}</tr>" for row in dicts
    )
    plots = "".join(_histogram(row) for row in dicts if isinstance(row.get(_PLOTTED), list))
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>{plots}'


def _largest(rows: Sequence[Mapping[str, Figure]], column: str) -> float:
    """Find a column's largest number, 0 if it has anything but numbers that are not negative."""
    values = [row.get(column) for row in rows]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if not numbers or len(numbers) < len([value for value in values if value is not None]) or min(numbers) < 0:
        return 0.0
    return float(max(numbers))


def _numbered(value: Figure, largest: float) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<td>{_cell(value)}</td>"
    if not largest:
        return f'<td class="number">{_text(value)}</td>'
    return f'<td class="number bar" style="--share:{100 * value / largest:.0f}%">{_text(value)}</td>'


def _cell(value: Figure) -> str:
    if isinstance(value, list | dict):
        return _figure(value) if value else ""
    return escape(_text(value))


def _histogram(row: Mapping[str, Figure]) -> str:
    """Draw how far apart the answers are: bins of log10 of the absolute difference, and how many values fall there."""
    found = row[_PLOTTED]
    bins = [bin_ for bin_ in found if isinstance(bin_, list) and len(bin_) == 2] if isinstance(found, list) else []
    pairs = [(edge, count) for edge, count in bins if isinstance(edge, int | float) and isinstance(count, int | float)]
    if not pairs:
        return ""
    top, width, height = max(count for _, count in pairs) or 1, 34, 90
    bars = "".join(
        f'<rect x="{index * width}" y="{height - height * count / top:.0f}" width="{width - 3}" '
        f'height="{height * count / top:.0f}"><title>{count}</title></rect>'
        f'<text x="{index * width + 2}" y="{height + 14}">{edge:g}</text>'
        for index, (edge, count) in enumerate(pairs)
    )
    name = escape(_text(row.get("output", row.get("", ""))))
    title = f"{name}: values by log10 of their absolute difference"
    size = f'width="{len(pairs) * width}" height="{height + 18}"'
    return f'<h3>{title}</h3><svg role="img" aria-label="{title}" {size}>{bars}</svg>'


def _words(key: str) -> str:
    return key.replace("_", " ")


def _text(value: Figure) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case int():
            return f"{value:,}"
        case _:
            return str(value)
