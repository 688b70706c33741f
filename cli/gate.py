"""How the gate's steps and its report look in a terminal."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.progress import bar
from cli.render import Output, escape, megabytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from model_store.gate.gate import Watch
    from model_store.gate.plan import PublishPlan, Step
    from model_store.gate.steps import GateReport, StepReport
    from model_store.objects import OnBytes


def step_line(step: StepReport) -> str:
    """Write a step as one line: what it did, in which time; a refused one by its name alone, the error says why."""
    took = f"[dim]{step.seconds:6.2f} s[/dim]"
    name = escape(f"{step.step:<9}")
    if step.status == "rejected":
        return f"[red]✗[/red] {name} {took}"
    return f"[green]✓[/green] {name} {took}  {escape(step.summary)}"


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


@contextmanager
def storing(output: Output, plan: PublishPlan) -> Iterator[Callable[[Step], None]]:
    """Time the publication's steps, and report them as the gate's last two: `sign` and `register`."""
    from model_store.gate.plan import SignManifest
    from model_store.gate.steps import StepReport

    seconds = {"sign": 0.0, "register": 0.0}
    running, since = "register", time.perf_counter()

    def lap(following: str) -> None:
        nonlocal running, since
        now = time.perf_counter()
        seconds[running] += now - since
        running, since = following, now

    yield lambda step: lap("sign" if isinstance(step, SignManifest) else "register")
    lap("register")
    if output.as_json:
        return
    said = {
        "register": f"{_count(len(plan.files), 'file')}, {megabytes(plan.size_bytes)}; "
        f"{_count(len(plan.documents), 'document')}"
    }
    for step in plan.steps:
        if isinstance(step, SignManifest):
            said = {"sign": f"key {step.key_id[:16]}…", **said}
    for name, summary in said.items():
        report = StepReport(step=name, status="passed", seconds=seconds[name], summary=summary)
        output.messages.print(step_line(report))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@contextmanager
def sending(output: Output, plan: PublishPlan) -> Iterator[OnBytes]:
    """Show how much of the files has been sent, on standard error, if somebody watches."""
    with bar(output, "sending", plan.sent_bytes) as more:
        yield lambda sent: more(sent.size_bytes)
