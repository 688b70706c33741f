"""`warmstart alias`: point an alias at a version."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Json, Local, StageName
from cli.render import Output
from cli.stage import caller, choose, registry
from warmstart import stacks


def command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The model.")],
    alias: Annotated[str, typer.Argument(help="The alias: live, canary, ...")],
    version: Annotated[int, typer.Argument(help="The version to point it at.", min=1)],
    expected: Annotated[
        int | None, typer.Option("--expected", min=0, help="Move it only from this version (0: only create it).")
    ] = None,
    stage: StageName = stacks.DEFAULT_STAGE,
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Point an alias at a version, by compare-and-set. Functions follow within their alias TTL, without a deploy."""
    store = registry(choose(stage, local=local, environ=context.obj))
    moved = store.move_alias(name, alias, version, by=caller(context.obj), expected_version=expected)
    output = Output.standard(as_json=as_json)
    if as_json:
        output.document(moved.change._asdict())
    else:
        previous = moved.change.previous_version
        was = f" (was {previous})" if previous else ""
        output.line(f"{name}@{alias} → version [bold]{moved.version}[/bold]{was}")
