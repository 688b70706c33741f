"""`warmstart rollback`: an alias goes back to the version before."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Json, Local, Name, StageName, StoreUrl
from cli.render import Output
from cli.shell import shell
from warmstart.refs import LIVE


def command(
    context: typer.Context,
    name: Name,
    alias: Annotated[str, typer.Option("--alias", help="The alias to move back.")] = LIVE,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the history.")] = "",
    stage: StageName = None,
    local: Local = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Move `live` back to the version that it was at before. Once more goes back one more; never forth."""
    from model_store.operations.rollback import roll_back

    given = shell(context)
    registry = given.registry(given.stage(stage, local=local, store=store))
    change = roll_back(registry, name, alias=alias, by=given.caller, reason=reason).change
    output = Output.standard(as_json=as_json)
    if as_json:
        output.document({"model": name, **change._asdict()})
        return
    output.line(f"{name}@{alias} → version [bold]{change.version}[/bold] (was {change.previous_version})")
