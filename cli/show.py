"""`warmstart show`: one version, whole."""

from __future__ import annotations

import json

import typer

from cli.options import Json, Local, Ref, StageName
from cli.render import Output, megabytes
from cli.stage import choose, registry
from model_store.manifest import render_manifest
from warmstart import stacks
from warmstart.refs import ModelRef


def command(
    context: typer.Context,
    ref: Ref,
    stage: StageName = stacks.DEFAULT_STAGE,
    local: Local = False,
    as_json: Json = False,
) -> None:
    """Show a version: what it takes and gives, its files, where it came from."""
    manifest = registry(choose(stage, local=local, environ=context.obj)).resolve(ModelRef.parse(ref))
    output = Output.standard(as_json=as_json)
    if as_json:
        output.document(json.loads(render_manifest(manifest)))
        return
    output.line(f"[bold]{manifest.name}:{manifest.version}[/bold]  published {manifest.created_at}")
    specs = [("input", spec) for spec in manifest.signature.inputs]
    specs += [("output", spec) for spec in manifest.signature.outputs]
    output.table(
        ("", "name", "datatype", "shape"),
        ((k, s.name, s.datatype, list(s.shape)) for k, s in specs),
        empty="no tensors",
    )
    if manifest.labels:
        output.line(f"labels  {', '.join(map(str, manifest.labels))}")
    output.table(
        ("file", "size", "sha256"),
        ((f.path, megabytes(f.size_bytes), f.sha256) for f in manifest.files),
        empty="no files",
    )
    for key, value in manifest.provenance.items():
        output.line(f"{key}  {value}")
