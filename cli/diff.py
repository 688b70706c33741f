"""`warmstart diff`: what differs between two versions."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Json, Local, StageName, StoreUrl
from cli.render import Output, brief
from cli.shell import shell
from warmstart.refs import ModelRef


def command(
    context: typer.Context,
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="iris:3, iris@canary or iris (its alias live).")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="What to compare it with.")],
    stage: StageName = None,
    local: Local = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Show what differs between two versions: signature, size, files, what the gate measured."""
    from model_store.operations.diff import diff

    first, second = ModelRef.parse(before), ModelRef.parse(after)
    given = shell(context)
    found = diff(given.registry(given.stage(stage, local=local, store=store)), first, second)
    output = Output.standard(as_json=as_json)
    if as_json:
        differences = [
            {"section": d.section, "field": d.field, "before": d.before, "after": d.after} for d in found.differences
        ]
        output.document({"before": str(found.before), "after": str(found.after), "differences": differences})
        return
    output.table(
        ("", "", str(found.before), str(found.after)),
        ((d.section, d.field, _cell(d.field, d.before), _cell(d.field, d.after)) for d in found.differences),
        empty=f"{found.before} and {found.after} are the same",
    )


def _cell(field: str, value: str | float | None) -> str:
    if value is None:
        return "–"
    return f"{value[:16]}…" if isinstance(value, str) and field.endswith("sha256") else brief(value)
