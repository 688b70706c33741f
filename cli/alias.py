"""`warmstart alias`: point an alias at a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Json, Local, StageName, StoreUrl
from cli.render import Output
from cli.shell import shell
from warmstart.errors import AliasNotFound
from warmstart.refs import ModelRef

if TYPE_CHECKING:
    from model_store.registry import Alias, Registry


def command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model.")],
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="The alias: live, canary, ...")],
    version: Annotated[int, typer.Argument(metavar="VERSION", help="The version to point it at.", min=1)],
    expected: Annotated[
        int | None, typer.Option("--expected", min=0, help="Move it only from this version (0: only create it).")
    ] = None,
    stage: StageName = None,
    local: Local = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Point an alias at a version, by compare-and-set. Functions follow within their alias TTL, without a deploy."""
    given = shell(context)
    ref = ModelRef.aliased(name, alias)
    registry = given.registry(given.stage(stage, local=local, store=store))
    seen = _see(registry, name, alias)
    moved = registry.move_alias(name, alias, version, by=given.caller, expected_version=expected)
    change = moved.change
    stayed = seen is not None and seen.change.id == change.id
    output = Output.standard(as_json=as_json)
    if as_json:
        output.document({"model": ref.name, "changed": not stayed, **change._asdict()})
    elif stayed:
        output.line(f"{name}@{alias} is at version [bold]{version}[/bold] already")
    else:
        was = f" (was {change.previous_version})" if change.previous_version else ""
        output.line(f"{name}@{alias} → version [bold]{version}[/bold]{was}")


def _see(registry: Registry, name: str, alias: str) -> Alias | None:
    try:
        return registry.alias(name, alias)
    except AliasNotFound:
        return None
