"""How a publication's plan looks: as lines, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from cli.render import Output, escape, megabytes
from cli.show import print_signature

if TYPE_CHECKING:
    from model_store.gate.plan import PublishPlan, Step


def plan_document(plan: PublishPlan) -> dict[str, Any]:
    """Write a plan as JSON shows it."""
    return {
        "name": plan.name,
        "version": plan.version,
        "inputs": [spec._asdict() for spec in plan.signature.inputs],
        "outputs": [spec._asdict() for spec in plan.signature.outputs],
        "labels": list(plan.labels),
        "steps": [_step_document(step) for step in plan.steps],
    }


def _step_document(step: Step) -> dict[str, Any]:
    from model_store.gate.plan import ClaimVersion, MoveAlias, SignManifest, UploadFile, WriteDocument, WriteManifest

    match step:
        case ClaimVersion(first):
            return {"step": "claim_version", "version": first}
        case UploadFile(source, file):
            return {"step": "upload_file", "source": str(source), **file._asdict()}
        case WriteDocument(file):
            return {"step": "write_document", **file._asdict()}
        case SignManifest(key_id):
            return {"step": "sign_manifest", "key_id": key_id}
        case WriteManifest():
            return {"step": "write_manifest"}
        case MoveAlias(alias, seen):
            return {"step": "move_alias", "alias": alias, "from": seen}
        case _:
            assert_never(step)


def says(step: Step) -> str:
    """Say what a step does."""
    from model_store.gate.plan import ClaimVersion, MoveAlias, SignManifest, UploadFile, WriteDocument, WriteManifest

    match step:
        case ClaimVersion(first):
            return f"claim version {first}"
        case UploadFile(source, file):
            return f"upload {source.name} as {file.path}, {megabytes(file.size_bytes)}, sha256 {file.sha256[:16]}…"
        case WriteDocument(file):
            return f"write {file.path}, {megabytes(file.size_bytes)}"
        case SignManifest(key_id):
            return f"sign the manifest with key {key_id[:16]}…"
        case WriteManifest():
            return "write the manifest"
        case MoveAlias(alias, seen):
            return f"move {alias} (now at {seen})" if seen else f"create {alias}"
        case _:
            assert_never(step)


def print_plan(output: Output, plan: PublishPlan) -> None:
    """Write a plan as lines."""
    output.line(f"[bold]{plan.name}:{plan.version}[/bold]")
    print_signature(output, plan.signature)
    for step in plan.steps:
        output.line(escape(f"  {says(step)}"))
