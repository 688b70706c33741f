"""How answers look: tables for people, JSON for machines. Nothing else prints."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.markup import escape as _escape_markup
from rich.measure import Measurement
from rich.table import Table

Document = Mapping[str, Any] | Sequence[Any]
"""What a verb answers: a value that `json` can write."""

SHOWN: Final = 8
"""How many elements of an array a table's cell shows."""

BEST_SHOWN: Final = 4
"""How many of a class's scores a table's cell shows, the largest first."""


_STEERING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that a terminal obeys: escape sequences, and the turning round of text. Line feeds and tabs are none."""


def escape(text: str) -> str:
    """Write what is not ours so that neither rich nor the terminal obeys it: a model's names come from anywhere."""
    return _escape_markup(_STEERING.sub(lambda found: ascii(found.group())[1:-1], text))


class Output(NamedTuple):
    """Where a verb writes: results to one stream, all that is about the work to the other."""

    results: Console
    messages: Console
    as_json: bool

    @classmethod
    def standard(cls, *, as_json: bool) -> Output:
        """Standard output and standard error. Lines are never broken by us: a pipe wants them whole."""
        results, messages = (Console(stderr=error, highlight=False, soft_wrap=True) for error in (False, True))
        return cls(results, messages, as_json)

    @property
    def shows_work(self) -> bool:
        """Whether somebody watches while the verb works."""
        return self.messages.is_terminal and not self.as_json

    def document(self, document: Document) -> None:
        """Write one JSON document."""
        self.results.out(json.dumps(document, indent=2), highlight=False)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
        """Write rows as a table, or say that there are none. Cells fold at a terminal's width, and only there."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(escape(column), overflow="fold")
        for row in rows:
            table.add_row(*(escape(str(cell)) for cell in row))
        if not table.row_count:
            self.results.print(f"[dim]{escape(empty)}[/dim]")
        elif self.results.is_terminal:
            self.results.print(table)
        else:
            self._print_whole(table)

    def _print_whole(self, table: Table) -> None:
        limitless = Console(file=io.StringIO(), width=1_000_000, highlight=False)
        width = Measurement.get(limitless, limitless.options, table).maximum
        with limitless.capture() as captured:
            limitless.print(table, width=width)
        for line in captured.get().splitlines():
            self.results.out(line.rstrip(), highlight=False)

    def line(self, text: str) -> None:
        """Write one line of the result; rich markup is read, so what is not ours goes through `escape`."""
        self.results.print(text)

    @contextmanager
    def working(self, on: str) -> Iterator[None]:
        """Say on standard error what is being worked on, if somebody watches."""
        if not self.shows_work:
            yield
            return
        with self.messages.status(escape(on)):
            yield

    def error(self, code: str, message: str, remedy: str) -> None:
        """Say what was refused: as JSON on standard output for machines, in red on standard error for people."""
        if self.as_json:
            self.document({"error": {"code": code, "message": message} | ({"remedy": remedy} if remedy else {})})
            return
        self.messages.print(f"[bold red]{escape(code)}[/bold red]: {escape(message)}")
        if remedy:
            self.messages.print(f"[yellow]→ {escape(remedy)}[/yellow]")


def megabytes(size_bytes: int) -> str:
    """Write a size for people, in MB of 1,000,000 bytes, or kB below one."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1e3:.1f} kB"


def brief(value: object) -> str:
    """Write a predicted value for a cell: six digits, of many scores the largest, of a long array the head."""
    match value:
        case bool() | None:
            return json.dumps(value)
        case float():
            return f"{value:.6g}"
        case dict():
            return _brief_scores(value)
        case list():
            more = f", … {len(value) - SHOWN} more" if len(value) > SHOWN else ""
            return f"[{', '.join(brief(item) for item in value[:SHOWN])}{more}]"
        case _:
            return str(value)


def _brief_scores(scores: Mapping[str, object]) -> str:
    numbers = [value for value in scores.values() if isinstance(value, int | float)]
    items = list(scores.items())
    if len(numbers) == len(items):
        items = [item for _, item in sorted(zip(numbers, items, strict=True), key=lambda pair: -pair[0])]
    more = f"  … {len(items) - BEST_SHOWN} more" if len(items) > BEST_SHOWN else ""
    return "  ".join(f"{name} {brief(value)}" for name, value in items[:BEST_SHOWN]) + more


__all__ = ["Document", "Output", "brief", "escape", "megabytes"]
