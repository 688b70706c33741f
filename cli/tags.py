"""`warmstart tags`: what people say of a version."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Json, Local, Ref, StageName, StoreUrl
from cli.render import Output
from cli.shell import shell
from warmstart.refs import ModelRef


def command(
    context: typer.Context,
    ref: Ref,
    put: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a tag. Repeatable.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="KEY", help="Remove a tag. Repeatable.")
    ] = None,
    stage: StageName = None,
    local: Local = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Show a version's tags, or change them. The version itself never changes."""
    from model_store.operations.tags import change_tags, read_tags

    parsed, wanted, given = ModelRef.parse(ref), parse_tags(put or []), shell(context)
    objects = given.stage(stage, local=local, store=store).objects()
    manifest = given.registry_over(objects).resolve(parsed)
    if wanted or remove:
        values = change_tags(objects, manifest.name, manifest.version, put=wanted, remove=remove or ())
    else:
        values = read_tags(objects, manifest.name, manifest.version).values
    output = Output.standard(as_json=as_json)
    if as_json:
        output.document({"name": manifest.name, "version": manifest.version, "tags": dict(values)})
        return
    output.table(("tag", "value"), sorted(values.items()), empty=f"{manifest.name}:{manifest.version} has no tags")


def parse_tags(texts: list[str]) -> dict[str, str]:
    """Read `KEY=VALUE`, each key once. Raises: typer.BadParameter."""
    values: dict[str, str] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not key or not separator or key in values:
            raise typer.BadParameter(f"expected KEY=VALUE, each key once; got {text!r}", param_hint="--set")
        values[key] = value
    return values
