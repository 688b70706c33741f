"""`warmstart models`: what has been published."""

from __future__ import annotations

import typer

from cli.options import Json, Local, StageName, StoreUrl
from cli.render import Output
from cli.shell import shell


def command(
    context: typer.Context,
    stage: StageName = None,
    local: Local = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """List the models, their versions and where their aliases point."""
    given = shell(context)
    registry = given.registry(given.stage(stage, local=local, store=store))
    rows = [
        (name, registry.versions(name), {alias.name: alias.version for alias in registry.aliases(name)})
        for name in registry.models()
    ]
    output = Output.standard(as_json=as_json)
    if as_json:
        output.document([{"name": name, "versions": numbers, "aliases": aliases} for name, numbers, aliases in rows])
        return
    output.table(
        ("model", "versions", "aliases"),
        (
            (name, _ranges(numbers), "  ".join(f"{a} → {v}" for a, v in aliases.items()))
            for name, numbers, aliases in rows
        ),
        empty="No model has been published: warmstart publish model.onnx --name iris",
    )


def _ranges(numbers: list[int]) -> str:
    """Write sorted numbers shortly: `1-3, 5`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)
