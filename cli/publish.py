"""`warmstart publish`: a new version of a model."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, assert_never

import typer

from cli.options import Json, Local, StageName
from cli.render import Output, escape, megabytes
from cli.shell import shell
from cli.show import print_signature
from warmstart.refs import check_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from model_store.gate import PublishPlan
    from model_store.gate.plan import Step


def command(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="An .onnx file, its external data beside it.")],
    name: Annotated[str, typer.Option("--name", "-n", help="The model's name: a-z, 0-9 and '-'.")],
    labels: Annotated[
        str | None, typer.Option("--labels", help="Class labels in the model's order: 'setosa,versicolor,virginica'.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, change nothing.")] = False,
    stage: StageName = None,
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Publish a model as its next version and point `live` at it. Functions follow without a deploy."""
    from model_store.gate import apply, plan_file

    given, parsed = shell(context), parse_labels(labels)
    objects = given.stage(stage, local=local).objects()
    output = Output.standard(as_json=as_json)
    plan = plan_file(source, check_name(name), objects, labels=parsed, provenance={"source": source.name})
    if dry_run:
        output.document(plan_document(plan)) if as_json else _print_plan(output, plan)
        return
    with _progress(output, plan) as on_step:
        published = apply(plan, objects, by=given.caller, clock=given.clock, new_id=given.new_id, on_step=on_step)
    version, live = published.manifest.version, published.alias.version
    if as_json:
        output.document({"name": name, "version": version, "live": live})
        return
    output.line(f"[bold green]{name}:{version}[/bold green] published, {megabytes(plan.size_bytes)}")
    if live != version:
        output.line(f"[yellow]live is {name}:{live}: somebody published a later version[/yellow]")


def parse_labels(text: str | None) -> tuple[str | int, ...]:
    """Read labels from the command line: whole numbers if all are, else strings. Raises: typer.BadParameter."""
    if text is None:
        return ()
    labels = [label.strip() for label in text.split(",")]
    if not all(labels):
        raise typer.BadParameter(f"expected names separated by commas, got {text!r}", param_hint="--labels")
    if len(set(labels)) != len(labels):
        raise typer.BadParameter(f"expected each label once, got {text!r}", param_hint="--labels")
    return tuple(int(label) for label in labels) if all(map(str.isdecimal, labels)) else tuple(labels)


def plan_document(plan: PublishPlan) -> dict[str, Any]:
    """Write a plan as JSON shows it."""
    return {
        "name": plan.name,
        "version": plan.version,
        "inputs": [spec._asdict() for spec in plan.signature.inputs],
        "outputs": [spec._asdict() for spec in plan.signature.outputs],
        "labels": list(plan.labels),
        "steps": [_step_document(step) for step in plan.steps],
    }


def _step_document(step: Step) -> dict[str, Any]:
    from model_store.gate.plan import ClaimVersion, MoveAlias, UploadFile, WriteDocument, WriteManifest

    match step:
        case ClaimVersion(first):
            return {"step": "claim_version", "version": first}
        case UploadFile(source, file):
            return {"step": "upload_file", "source": str(source), **file._asdict()}
        case WriteDocument(file):
            return {"step": "write_document", **file._asdict()}
        case WriteManifest():
            return {"step": "write_manifest"}
        case MoveAlias(alias, seen):
            return {"step": "move_alias", "alias": alias, "from": seen}
        case _:
            assert_never(step)


def says(step: Step) -> str:
    """Say what a step does."""
    from model_store.gate.plan import ClaimVersion, MoveAlias, UploadFile, WriteDocument, WriteManifest

    match step:
        case ClaimVersion(first):
            return f"claim version {first}"
        case UploadFile(source, file):
            return f"upload {source.name} as {file.path}, {megabytes(file.size_bytes)}, sha256 {file.sha256[:16]}…"
        case WriteDocument(file):
            return f"write {file.path}, {megabytes(file.size_bytes)}"
        case WriteManifest():
            return "write the manifest"
        case MoveAlias(alias, seen):
            return f"move {alias} (now at {seen})" if seen else f"create {alias}"
        case _:
            assert_never(step)


def _print_plan(output: Output, plan: PublishPlan) -> None:
    output.line(f"[bold]{plan.name}:{plan.version}[/bold]")
    print_signature(output, plan.signature)
    for step in plan.steps:
        output.line(escape(f"  {says(step)}"))


@contextmanager
def _progress(output: Output, plan: PublishPlan) -> Iterator[Callable[[Step], None] | None]:
    """Show the steps as they run, on standard error, if somebody watches."""
    if not output.shows_work:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=output.messages, transient=True) as progress:
        task = progress.add_task("", total=len(plan.steps))

        def on_step(step: Step) -> None:
            progress.update(task, description=escape(says(step)), advance=1)

        yield on_step
