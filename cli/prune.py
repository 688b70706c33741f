"""`warmstart prune`: remove versions that nobody uses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Json, Local, StageName, StoreUrl
from cli.progress import bar
from cli.render import Output, escape, megabytes
from cli.shell import shell
from warmstart.refs import check_name

if TYPE_CHECKING:
    from model_store.operations.prune import Kept, PrunePlan


def command(
    context: typer.Context,
    keep: Annotated[int, typer.Option("--keep", min=1, help="How many of the newest versions stay, of each model.")],
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The model; without it, all.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    stage: StageName = None,
    local: Local = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Remove old versions, but none that an alias or a rollout points at, or that was in use in the last 24 hours.

    The plan is shown first. Without --yes nothing is removed but on an answer at a terminal.
    """
    from model_store.operations.prune import plan_prune, prune

    given = shell(context)
    objects = given.stage(stage, local=local, store=store).objects()
    registry = given.registry_over(objects)
    output = Output.standard(as_json=as_json)
    with output.working("looking at what is used"):
        wanted = check_name(name) if name else None
        plan = plan_prune(objects, registry, keep=keep, now=given.clock(), name=wanted)
    if not as_json:
        print_plan(output, plan)
    applies = yes or (not as_json and not _is_empty(plan) and sys.stdin.isatty() and typer.confirm("Remove?", err=True))
    left: tuple[Kept, ...] = ()
    if applies:
        with bar(output, "removing", plan.size_bytes) as more:
            left = prune(plan, objects, registry, now=given.clock(), on_step=lambda step: more(step.size_bytes))
    if as_json:
        output.document(plan_document(plan) | {"applied": applies, "left": [vars(each) for each in left]})
        return
    for each in left:
        output.line(f"[yellow]kept {escape(each.name)}:{each.version}: {escape(each.reason)}[/yellow]")
    if not applies and not _is_empty(plan):
        output.line("nothing was removed: --yes removes it")


def plan_document(plan: PrunePlan) -> dict[str, Any]:
    """Write a plan as JSON shows it."""
    return {
        "keep": plan.keep,
        "size_bytes": plan.size_bytes,
        "versions": [vars(step) for step in plan.versions],
        "kept": [vars(each) for each in plan.kept],
        "unfinished": [vars(step) | {"keys": list(step.keys)} for step in plan.unfinished],
        "uploads": [vars(step) for step in plan.uploads],
    }


def print_plan(output: Output, plan: PrunePlan) -> None:
    """Write a plan as lines."""
    rows = [("remove", f"{step.name}:{step.version}", megabytes(step.size_bytes)) for step in plan.versions]
    rows += [("remove", f"{s.name}:{s.version}", f"unfinished, {len(s.keys)} files") for s in plan.unfinished]
    rows += [("remove", step.key, megabytes(step.size_bytes)) for step in plan.uploads]
    rows += [("keep", f"{each.name}:{each.version}", each.reason) for each in plan.kept]
    output.table(("", "what", ""), rows, empty=f"Nothing is older than the newest {plan.keep} of each model.")
    if not _is_empty(plan):
        output.line(f"[bold]{megabytes(plan.size_bytes)}[/bold] to remove")


def _is_empty(plan: PrunePlan) -> bool:
    return not (plan.versions or plan.unfinished or plan.uploads)
