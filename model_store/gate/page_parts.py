"""What the report's page is made of: tables with bars, pairs, histograms and stacked bars. All text is escaped here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, TypeAlias

from model_store.gate.steps import Figure, megabytes

Row: TypeAlias = Mapping[str, Figure]

_MANY: Final = 40
"""Longer lists are cut on the page; `gate.json` has them whole."""
_SMALLEST: Final = -12
"""The lowest decade that parity tells apart."""
_BAR_PX: Final = 36
_PLOT_PX: Final = 90


def rows_in(figures: Row, key: str) -> list[dict[str, Figure]]:
    """Find a list of rows; a report of another release may not have it."""
    found = figures.get(key)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def group_in(figures: Row, key: str) -> dict[str, Figure]:
    """Find figures of one group; empty if there is none."""
    found = figures.get(key)
    return found if isinstance(found, dict) else {}


def number_in(figures: Row, key: str) -> float | None:
    """Find a number."""
    found = figures.get(key)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def shown(key: str, value: Figure) -> str:
    """Write a value for people; the key's ending says its unit. `heading` names the unit."""
    if isinstance(value, int | float) and not isinstance(value, bool) and key.endswith("_bytes"):
        return megabytes(value)
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer() and abs(value) < 1e15:
            return f"{value:,.0f}"
        case float():
            return f"{value:,.1f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"
        case int():
            return f"{value:,}"
        case list():
            more = f" … {len(value) - _MANY} more" if len(value) > _MANY else ""
            return ", ".join(shown("", item) for item in value[:_MANY]) + more
        case _:
            return str(value)


def with_unit(key: str, value: Figure) -> str:
    """Write a value in three digits, with the unit that the key's ending names."""
    unit = next((unit for ending, unit in _UNITS.items() if key.endswith(ending)), "")
    if not isinstance(value, int | float) or isinstance(value, bool) or not unit:
        return shown(key, value)
    if unit == "ms" and abs(value) < 1:
        value, unit = value * 1000, "µs"
    return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:.3g} {unit}"


_UNITS: Final = {"_ms": "ms", "_mb": "MB", "_s": "s"}


def heading(key: str) -> str:
    """Name a figure: its unit behind it."""
    unit = next((f", {unit}" for ending, unit in _UNITS.items() if key.endswith(ending)), "")
    return re.sub("_(bytes|ms|mb|s)$", "", key).replace("_", " ") + unit


def table(
    rows: Sequence[Row], columns: Mapping[str, str], *, bars: Sequence[str] = (), marked: Sequence[bool] = ()
) -> str:
    """Write rows as a table: `columns` by key, with their headings; those in `bars` have one.

    A bar is as long as its number is large beside the column's largest. `marked` rows stand out.
    A column that no row has is left out.
    """
    keys = [key for key in columns if any(row.get(key) is not None for row in rows)]
    numbers = {key for key in keys if any(number_in(row, key) is not None for row in rows)}
    largest = {key: max((number_in(row, key) or 0.0 for row in rows), default=0.0) for key in keys if key in bars}
    head = "".join(f"<th{_NUMBER if key in numbers else ''}>{escape(columns[key])}</th>" for key in keys)
    marks = [*marked, *([False] * len(rows))]
    cells = ("".join(_cell(row, key, largest.get(key, 0.0), key in numbers) for key in keys) for row in rows)
    body = "".join(f"<tr{_MARKED if mark else ''}>{row}</tr>" for row, mark in zip(cells, marks, strict=False))
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


_MARKED: Final = ' class="marked"'
_NUMBER: Final = ' class="number"'


def _cell(row: Row, key: str, largest: float, right: bool) -> str:
    text, number = escape(shown(key, row.get(key))), number_in(row, key)
    if number is None or not largest:
        return f"<td{_NUMBER if right else ''}>{text}</td>"
    return f'<td class="number bar" style="--share:{100 * max(0.0, number) / largest:.0f}%">{text}</td>'


def cards(pairs: Sequence[tuple[str, str]]) -> str:
    """Write what matters most, large."""
    return f'<div class="cards">{"".join(f"<div><b>{escape(b)}</b>{escape(a)}</div>" for a, b in pairs)}</div>'


def everything(figures: Row) -> str:
    """Write all figures as nested lists, folded: what has no drawing of its own is found there."""
    inner = "".join(_item(key, value) for key, value in figures.items())
    return f"<details><summary>All figures</summary><ul>{inner}</ul></details>" if inner else ""


def _item(key: str, value: Figure) -> str:
    name = f'<span class="soft">{escape(heading(key))}</span>'
    match value:
        case dict():
            return f"<li>{name}<ul>{''.join(_item(inner, item) for inner, item in value.items())}</ul></li>"
        case list() if any(isinstance(item, dict) for item in value):
            more = [f"<li>… {len(value) - _MANY} more</li>"] if len(value) > _MANY else []
            items = [_item(str(number), item) for number, item in enumerate(value[:_MANY])]
            return f"<li>{name}<ul>{''.join([*items, *more])}</ul></li>"
        case _:
            return f"<li>{name} {escape(shown(key, value))}</li>"


def histogram(output: str, figures: Row) -> str:
    """Draw how far an output's values are apart: by decade of the absolute difference, equal ones first.

    The dashed line is the absolute tolerance. Empty for an output that is compared as labels.
    """
    values, equal = number_in(figures, "values"), number_in(figures, "equal_values") or 0.0
    if not values:
        return ""
    found = figures.get("log10_difference")
    pairs = [bin_ for bin_ in found if isinstance(bin_, list) and len(bin_) == 2] if isinstance(found, list) else []
    bins = [(int(e), float(n)) for e, n in pairs if isinstance(e, int | float) and isinstance(n, int | float)]
    tolerated = number_in(group_in(figures, "tolerance"), "absolute")
    bins = _worth_drawing(bins, tolerated)
    top = max([equal, *(count for _, count in bins)]) or 1.0
    drawn = [_bar(0, "equal", equal, top), *(_bar(1 + n, _power(e), c, top) for n, (e, c) in enumerate(bins))]
    line = _line(bins, tolerated)
    title = escape(f"{output}: {values:,.0f} values by their absolute difference")
    size = f'viewBox="0 0 {(1 + len(bins)) * _BAR_PX + 110} {_PLOT_PX + 36}"'
    size += f' width="{(1 + len(bins)) * _BAR_PX + 110}" height="{_PLOT_PX + 36}"'
    return f'<h3>{title}</h3><svg role="img" aria-label="{title}" {size}>{"".join(drawn)}{line}</svg>'


def _worth_drawing(bins: list[tuple[int, float]], tolerated: float | None) -> list[tuple[int, float]]:
    """Leave out empty decades at both ends, but those up to the tolerance."""
    used = [edge for edge, count in bins if count]
    if not used:
        return []
    last = max([*used, *([_decade(tolerated)] if tolerated else [])])
    return [(edge, count) for edge, count in bins if min(used) <= edge <= last]


def _decade(value: float) -> int:
    """The edge of the decade that ends at a value, or has it."""
    return int(f"{value:e}".partition("e")[2]) - (1 if f"{value:e}".startswith("1.000000e") else 0)


def _line(bins: list[tuple[int, float]], tolerated: float | None) -> str:
    if not bins or not tolerated or not bins[0][0] <= _decade(tolerated) <= bins[-1][0]:
        return ""
    place = (2 + _decade(tolerated) - bins[0][0]) * _BAR_PX - 2
    return (
        f'<line x1="{place}" x2="{place}" y1="0" y2="{_PLOT_PX + 14}"/>'
        f'<text x="{place + 4}" y="10">tolerance {tolerated:g}</text>'
    )


def _bar(place: int, label: str, count: float, top: float) -> str:
    high = max(_PLOT_PX * count / top, 1.5 if count else 0.0) - (0 if count < top else 12)
    high = max(high, 1.5 if count else 0.0)
    x, middle = place * _BAR_PX, place * _BAR_PX + (_BAR_PX - 4) // 2
    said = f'<text x="{middle}" y="{_PLOT_PX + 10 - high:.0f}" class="mid">{_short(count)}</text>' if count else ""
    return (
        f'<rect x="{x}" y="{_PLOT_PX + 14 - high:.1f}" width="{_BAR_PX - 4}" height="{high:.1f}">'
        f"<title>{count:,.0f}</title></rect>{said}"
        f'<text x="{middle}" y="{_PLOT_PX + 29}" class="mid">{label}</text>'
    )


def _short(count: float) -> str:
    for least, unit in ((1e6, "M"), (1e3, "k")):
        if count >= 10 * least:
            return f"{count / least:.0f}{unit}"
    return f"{count:.0f}"


def _power(edge: int) -> str:
    """Name a decade by where it begins; the smallest has all that is smaller, too."""
    return f"1e{edge}" if edge > _SMALLEST else f"<1e{edge + 1}"


def stacks(rows: Sequence[tuple[str, Sequence[tuple[str, float]]]], unit: str, *, marked: str = "") -> str:
    """Draw each row as one bar of parts, all to the longest; the parts' names stand above, once."""
    longest = max((sum(value for _, value in parts) for _, parts in rows), default=0.0)
    if not longest:
        return ""
    names = list(dict.fromkeys(name for _, parts in rows for name, _ in parts))
    legend = "".join(f'<span><i class="part{n}"></i>{escape(name)}</span>' for n, name in enumerate(names))
    lines = "".join(
        f'<div class="stack{" marked" if label == marked else ""}"><span>{escape(label)}</span><div>'
        + "".join(
            f'<i class="part{names.index(name)}" style="width:{80 * value / longest:.2f}%" '
            f'title="{escape(name)}: {value:.4g} {unit}"></i>'
            for name, value in parts
        )
        + f"<b>{sum(value for _, value in parts):.3g} {unit}</b></div></div>"
        for label, parts in rows
    )
    return f'<div class="legend">{legend}</div>{lines}'
