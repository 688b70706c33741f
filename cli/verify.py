"""`warmstart verify`: read again what is stored, and compare it with what was published."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exit_codes import DONE, REFUSED
from cli.options import Json, Local, StageName, StoreUrl, TrustKeys
from cli.progress import bar
from cli.render import Output, escape, megabytes
from cli.shell import shell
from cli.trust import trust_of
from warmstart.refs import ModelRef

if TYPE_CHECKING:
    from model_store.operations.verify import Verified
    from model_store.registry import Registry


def command(
    context: typer.Context,
    ref: Annotated[
        str | None, typer.Argument(metavar="REF", help="iris (all its versions), iris:3 or iris@canary.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every version of every model.")] = False,
    public_keys: TrustKeys = None,
    stage: StageName = None,
    local: Local = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> int:
    """Read everything again and compare it with the manifests, and with signatures if a key is given."""
    from model_store.operations.verify import verify_version

    if (ref is None) != everything:
        raise typer.BadParameter("expected either REF or --all")
    trust, given = trust_of(public_keys), shell(context)
    objects = given.stage(stage, local=local, store=store).objects()
    registry = given.registry_over(objects)
    versions = list(_all(registry) if ref is None else _named(registry, ref))
    output = Output.standard(as_json=as_json)
    found: list[Verified] = []
    for name, version in versions:
        with bar(output, f"{name}:{version}", _size(registry, name, version)) as on_bytes:
            found.append(verify_version(objects, name, version, trust=trust, on_bytes=on_bytes))
        if not as_json:
            _print(output, found[-1])
    if as_json:
        output.document([{**each._asdict(), "problems": list(each.problems)} for each in found])
    return REFUSED if any(each.problems for each in found) else DONE


def _print(output: Output, verified: Verified) -> None:
    where = f"{verified.name}:{verified.version}"
    if not verified.problems:
        signed = f", signed by {verified.signed_by[:16]}…" if verified.signed_by else ""
        output.line(f"[green]ok[/green]  {where}  {_count(verified.files)}, {megabytes(verified.size_bytes)}{signed}")
        return
    output.line(f"[red]no[/red]  {where}")
    for problem in verified.problems:
        output.line(f"      {escape(problem)}")


def _count(files: int) -> str:
    return "1 file" if files == 1 else f"{files} files"


def _named(registry: Registry, text: str) -> Iterator[tuple[str, int]]:
    ref = ModelRef.parse(text)
    if ref.version is not None or "@" in text:
        version = ref.version or registry.alias(ref.name, ref.alias or "").version
        yield ref.name, registry.manifest(ref.name, version).version if ref.version else version
    else:
        yield from ((ref.name, version) for version in registry.versions(ref.name))


def _all(registry: Registry) -> Iterator[tuple[str, int]]:
    for name in registry.models():
        yield from ((name, version) for version in registry.versions(name))


def _size(registry: Registry, name: str, version: int) -> int:
    from model_store.operations.verify import all_files
    from warmstart.errors import IntegrityError

    try:
        return sum(file.size_bytes for file in all_files(registry.manifest(name, version)))
    except IntegrityError:
        return 0
