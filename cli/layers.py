"""`warmstart layers`: build the Lambda layers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Json
from cli.render import Output, escape, megabytes
from layers.target import Architecture, Target
from warmstart.errors import Unreachable


def command(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="inference, control or signing.")] = "inference",
    python: Annotated[str, typer.Option("--python", help="Lambda's Python: 3.12, 3.13 or 3.14.")] = "3.13",
    architecture: Annotated[Architecture, typer.Option("--architecture", help="arm64 or x86_64.")] = "arm64",
    host: Annotated[bool, typer.Option("--host", help="For this machine, as the local twin runs it.")] = False,
    as_json: Json = False,
) -> None:
    """Build a layer without Docker, and say what each package weighs. The same again is a cache hit."""
    from layers.recipes import RECIPES

    try:
        from layers.builder import build_layer
    except ImportError as error:
        raise Unreachable(f"building layers needs the package {error.name}: pip install 'warmstart[infra]'") from error

    if recipe not in RECIPES:
        raise typer.BadParameter(f"expected {' or '.join(RECIPES)}, got {recipe!r}", param_hint="RECIPE")
    target = Target.host() if host else Target(python, architecture)
    output = Output.standard(as_json=as_json)
    with output.working(f"building {recipe} for {target}"):
        built = build_layer(recipe, target, root=Path.cwd())
    if as_json:
        output.document({"path": str(built.path), "digest": built.digest, "sizes": dict(built.sizes)})
        return
    sizes = sorted(built.sizes.items(), key=lambda item: -item[1])
    output.table(("package", "unzipped"), ((name, megabytes(size)) for name, size in sizes), empty="nothing")
    total = f"[bold]{megabytes(built.size_bytes)}[/bold]"
    output.line(f"{total} for {target}, sha256 {built.digest[:16]}…, {escape(str(built.path))}")
