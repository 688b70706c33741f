"""`warmstart history`: every move of an alias."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Json, Local, Name, StageName, StoreUrl
from cli.render import Output
from cli.shell import shell
from warmstart.refs import check_name


def command(
    context: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The latest so many.")] = 50,
    stage: StageName = None,
    local: Local = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """List the moves of a model's aliases: when, from where to where, who, why. The latest comes last."""
    given = shell(context)
    registry = given.registry(given.stage(stage, local=local, store=store))
    output = Output.standard(as_json=as_json)
    with output.working(f"reading the history of {name}"):
        changes = registry.history(check_name(name), limit=limit)
    if as_json:
        output.document([change._asdict() for change in changes])
        return
    output.table(
        ("when", "alias", "from", "to", "who", "why"),
        ((c.changed_at, c.alias, c.previous_version or "", c.version, c.changed_by, c.reason) for c in changes),
        empty="No alias was ever moved.",
    )
