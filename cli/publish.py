"""`warmstart publish`: a new version of a model."""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, assert_never

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.options import Json, Local, StageName
from cli.render import Output, megabytes
from cli.stage import caller, choose
from warmstart import stacks
from warmstart.errors import UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from model_store.publish import PublishPlan
    from model_store.publish.plan import Step


def command(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(help="An .onnx file; its external data beside it.")],
    name: Annotated[str, typer.Option("--name", "-n", help="The model's name: a-z, 0-9 and '-'.")],
    labels: Annotated[
        str | None, typer.Option("--labels", help="Class labels in the model's order: 'setosa,versicolor,virginica'.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, change nothing.")] = False,
    stage: StageName = stacks.DEFAULT_STAGE,
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Publish a model as its next version and point `live` at it. Functions follow without a deploy."""
    from model_store.publish import apply, plan_publish

    objects = choose(stage, local=local, environ=context.obj).objects()
    output = Output.standard(as_json=as_json)
    plan = plan_publish(source, name, objects, labels=parse_labels(labels), provenance={"source": source.name})
    if dry_run:
        output.document(plan_document(plan)) if as_json else _print_plan(output, plan)
        return
    with _progress(output, plan) as on_step:
        published = apply(
            plan, objects, by=caller(context.obj), clock=time.time, new_id=lambda: uuid.uuid4().hex[:8], on_step=on_step
        )
    if as_json:
        output.document({"name": name, "version": published.manifest.version, "live": published.alias.version})
        return
    output.line(f"[bold green]{name}:{published.manifest.version}[/bold green] published, {megabytes(plan.size_bytes)}")
    if published.alias.version != published.manifest.version:
        output.line(f"[yellow]live is {name}:{published.alias.version}: somebody published a later version[/yellow]")


def parse_labels(text: str | None) -> tuple[str | int, ...]:
    """Read labels from the command line: whole numbers if all are, else strings. Raises: UnsupportedModel."""
    if text is None:
        return ()
    labels = [label.strip() for label in text.split(",")]
    if not all(labels):
        raise UnsupportedModel(f"labels: expected names separated by commas, got {text!r}")
    return tuple(int(label) for label in labels) if all(map(str.isdecimal, labels)) else tuple(labels)


def plan_document(plan: PublishPlan) -> dict[str, Any]:
    """Write a plan as JSON shows it."""
    return {
        "name": plan.name,
        "version": plan.version,
        "inputs": [spec._asdict() for spec in plan.signature.inputs],
        "outputs": [spec._asdict() for spec in plan.signature.outputs],
        "labels": list(plan.labels),
        "steps": [says(step) for step in plan.steps],
    }


def says(step: Step) -> str:
    """Say what a step does."""
    from model_store.publish.plan import ClaimVersion, MoveAlias, UploadFile, WriteManifest

    match step:
        case ClaimVersion(first):
            return f"claim version {first}"
        case UploadFile(source, file):
            return f"upload {source.name} as {file.path}, {megabytes(file.size_bytes)}, sha256 {file.sha256[:16]}…"
        case WriteManifest():
            return "write the manifest"
        case MoveAlias(alias, seen):
            return f"move {alias} (now at {seen})" if seen else f"create {alias}"
        case _:
            assert_never(step)


def _print_plan(output: Output, plan: PublishPlan) -> None:
    output.line(f"[bold]{plan.name}:{plan.version}[/bold]")
    specs = [("input", spec) for spec in plan.signature.inputs] + [("output", spec) for spec in plan.signature.outputs]
    output.table(
        ("", "name", "datatype", "shape"),
        ((k, s.name, s.datatype, list(s.shape)) for k, s in specs),
        empty="no tensors",
    )
    for step in plan.steps:
        output.line(f"  {says(step)}")


@contextmanager
def _progress(output: Output, plan: PublishPlan) -> Iterator[Callable[[Step], None]]:
    """Show the steps as they run, on standard error; not for machines."""
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=output.messages, transient=True, disable=output.as_json) as progress:
        task = progress.add_task("", total=len(plan.steps))

        def on_step(step: Step) -> None:
            progress.update(task, description=says(step), advance=1)

        yield on_step
