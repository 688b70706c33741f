"""How answers look: tables for people, JSON for machines. Nothing else prints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from warmstart.errors import WarmstartError

Document = Mapping[str, Any] | Sequence[Any]
"""What a verb answers: a value that `json` can write."""


class Output(NamedTuple):
    """Where a verb writes: results to one stream, all that is about the work to the other."""

    results: Console
    messages: Console
    as_json: bool

    @classmethod
    def standard(cls, *, as_json: bool) -> Output:
        """Standard output and standard error."""
        return cls(Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False), as_json)

    def document(self, document: Document) -> None:
        """Write one JSON document."""
        self.results.out(json.dumps(document, indent=2, default=str), highlight=False)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
        """Write rows as a table, or say that there are none."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(escape(str(cell)) for cell in row))
        self.results.print(table if table.row_count else f"[dim]{empty}[/dim]")

    def line(self, text: str) -> None:
        """Write one line of the result; rich markup is read."""
        self.results.print(text)

    def error(self, error: WarmstartError) -> None:
        """Say what was refused: as JSON on standard output for machines, in red on standard error for people."""
        if self.as_json:
            self.document({"error": {"code": error.code, "message": error.message}})
        else:
            self.messages.print(f"[bold red]{error.code}[/bold red]: {escape(error.message)}")


def megabytes(size_bytes: int) -> str:
    """Write a size for people, in MB of 1,000,000 bytes, or kB below one."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1e3:.1f} kB"
