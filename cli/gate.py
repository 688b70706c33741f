"""How the gate's steps and its report look in a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.render import Output, escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model_store.gate.gate import Watch
    from model_store.gate.steps import GateReport, StepReport


def step_line(step: StepReport) -> str:
    """Write a step as one line: what it did, in which time; a refused one by its name alone, the error says why."""
    took = f"[dim]{step.seconds:6.2f} s[/dim]"
    if step.status == "rejected":
        return f"[red]✗[/red] {step.step:<9} {took}"
    return f"[green]✓[/green] {step.step:<9} {took}  {escape(step.summary)}"


def print_report(output: Output, report: GateReport) -> None:
    """Write all steps of a report."""
    for step in report.steps:
        output.line(step_line(step))


@contextmanager
def watching(output: Output) -> Iterator[Watch]:
    """Show each step on standard error: its name while it runs if somebody watches, its line when it is done."""
    from model_store.gate.gate import Watch

    if output.as_json:
        yield Watch()
        return
    if not output.shows_work:
        yield Watch(done=lambda step: output.messages.print(step_line(step)))
        return
    with output.messages.status("") as status:
        yield Watch(
            started=lambda name: status.update(f"{name} …"),
            done=lambda step: output.messages.print(step_line(step)),
        )
