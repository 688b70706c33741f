"""A bar on standard error for what takes longer than a second, if somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cli.render import Output, escape


@contextmanager
def bar(output: Output, what: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
    """Show how many of the bytes are done; what is yielded is called with how many more are, by any thread."""
    if not output.shows_work:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, TimeRemainingColumn(), console=output.messages, transient=True) as progress:
        task = progress.add_task(escape(what), total=total_bytes)
        yield lambda more: progress.update(task, advance=more)
