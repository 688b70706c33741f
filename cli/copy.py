"""`warmstart copy`: promote a version into another store."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Json, Local, Ref, StageName, StoreUrl, TrustKeys
from cli.progress import bar
from cli.render import Output, escape, megabytes
from cli.shell import Shell, shell
from cli.stage import REGION_VARIABLE, Stage, StoreStage
from cli.trust import trust_of
from warmstart.refs import ModelRef, check_alias


def command(
    context: typer.Context,
    ref: Ref,
    to: Annotated[
        str | None, typer.Option("--to", metavar="STORE", help="The other store: s3://bucket/prefix or file:///path.")
    ] = None,
    to_stage: Annotated[str | None, typer.Option("--to-stage", help="The other stage, in the place of --to.")] = None,
    to_profile: Annotated[
        str | None, typer.Option("--to-profile", help="The AWS profile that may write to --to: another account's.")
    ] = None,
    alias: Annotated[
        str | None, typer.Option("--alias", help="Then point this alias at it there: live, canary, ...")
    ] = None,
    public_keys: TrustKeys = None,
    stage: StageName = None,
    local: Local = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Copy a version, byte for byte, with its name and number; every digest is checked where it arrives."""
    from model_store.operations.copy import copy_version
    from model_store.operations.verify import all_files

    parsed, given, trust = ModelRef.parse(ref), shell(context), trust_of(public_keys)
    if alias is not None:
        check_alias(alias)
    source = given.stage(stage, local=local, store=store).objects()
    manifest = given.registry_over(source).resolve(parsed)
    target = _target(given, to, to_stage, to_profile).objects()
    output = Output.standard(as_json=as_json)
    where = to or f"stage {to_stage}"
    total = sum(file.size_bytes for file in all_files(manifest))
    with bar(output, f"{manifest.name}:{manifest.version}", total) as more:
        copied = copy_version(
            source,
            target,
            manifest.name,
            manifest.version,
            by=given.caller,
            clock=given.clock,
            trust=trust,
            on_bytes=lambda sent: more(sent.size_bytes),
        )
    if alias is not None:
        given.registry_over(target).move_alias(
            manifest.name, alias, manifest.version, by=given.caller, reason=f"copied as {parsed}"
        )
    if as_json:
        output.document(
            {
                "name": manifest.name,
                "version": manifest.version,
                "to": where,
                "was_there": copied.was_there,
                "alias": alias,
            }
        )
        return
    done = "was there already, and is the same" if copied.was_there else f"copied, {megabytes(total)}"
    output.line(f"[bold green]{manifest.name}:{manifest.version}[/bold green] {done}: {escape(where)}")
    if alias is not None:
        output.line(f"{manifest.name}@{alias} → version [bold]{manifest.version}[/bold] there")


def _target(given: Shell, url: str | None, name: str | None, profile: str | None) -> Stage:
    if (url is None) == (name is None):
        raise typer.BadParameter("expected either --to or --to-stage")
    if url is None:
        if profile is not None:
            raise typer.BadParameter("expected --to-profile with --to alone: a stage is in this shell's account")
        return given.stage(name, local=False)
    stage = StoreStage(url, region=given.environ.get(REGION_VARIABLE) or None, profile=profile)
    given.closing.callback(stage.close)
    return stage
