"""`warmstart show`: one version, whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from cli.gate import print_report
from cli.options import Json, Local, Ref, StageName, StoreUrl
from cli.render import Output, escape, megabytes
from cli.shell import shell
from warmstart.errors import ObjectNotFound
from warmstart.refs import ModelRef

if TYPE_CHECKING:
    from model_store.manifest import Manifest
    from model_store.objects import ObjectStore
    from warmstart.tensors import Signature


def command(
    context: typer.Context,
    ref: Ref,
    stage: StageName = None,
    local: Local = False,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Show a version: what it takes and gives, its files, where it came from, what the gate found."""
    from model_store.gate.report import parse_report
    from model_store.keys import GATE
    from model_store.operations.tags import read_tags

    parsed, given = ModelRef.parse(ref), shell(context)
    objects = given.stage(stage, local=local, store=store).objects()
    registry = given.registry_over(objects)
    manifest = registry.resolve(parsed)
    tags = read_tags(objects, manifest.name, manifest.version).values
    output = Output.standard(as_json=as_json)
    report = registry.document(manifest, GATE)
    if as_json:
        document = json.loads(registry.manifest_document(manifest.name, manifest.version))
        gate = {} if report is None else {"gate": json.loads(report)}
        output.document(document | ({"tags": dict(tags)} if tags else {}) | gate)
        return
    output.line(f"[bold]{manifest.name}:{manifest.version}[/bold]  published {escape(manifest.created_at)}")
    print_signature(output, manifest.signature)
    if manifest.labels:
        output.line(f"labels  {escape(', '.join(map(str, manifest.labels)))}")
    output.table(
        ("file", "size", "sha256"),
        ((file.path, megabytes(file.size_bytes), file.sha256) for file in manifest.files),
        empty="no files",
    )
    for key, value in manifest.provenance.items():
        output.line(escape(f"{key}  {value}"))
    for key_id in _signers(objects, manifest):
        output.line(escape(f"signed by  {key_id[:16]}…, which `warmstart verify --public-key` checks"))
    for key, value in tags.items():
        output.line(escape(f"tag {key}  {value}"))
    if report is not None:
        output.line("[bold]gate[/bold]")
        print_report(output, parse_report(report, where=GATE))


def _signers(objects: ObjectStore, manifest: Manifest) -> list[str]:
    """List the keys that a version says it is signed by; nothing is checked."""
    from model_store import keys
    from model_store.signing.envelope import parse_envelope

    try:
        envelope = parse_envelope(objects.get(keys.signature(manifest.name, manifest.version)).body)
    except (ObjectNotFound, ValueError):
        return []
    return [sealed.key_id for sealed in envelope.signatures]


def print_signature(output: Output, signature: Signature) -> None:
    """Write the inputs and outputs as a table."""
    specs = [("input", spec) for spec in signature.inputs] + [("output", spec) for spec in signature.outputs]
    output.table(
        ("", "name", "datatype", "shape"),
        ((role, spec.name, spec.datatype, list(spec.shape)) for role, spec in specs),
        empty="no tensors",
    )
