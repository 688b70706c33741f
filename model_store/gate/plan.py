"""What a publication is going to do, as a value: to be shown, or carried out by `apply`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from model_store import keys
from model_store.gate.candidate import Candidate, Layout, check_labels
from model_store.gate.onnx_source import read_onnx
from model_store.integrity import parts_of, sha256_of
from model_store.manifest import ModelFile, RunOptions, Variant
from model_store.objects import ObjectStore
from model_store.registry_reader import RegistryReader
from warmstart.errors import AliasNotFound, ModelNotFound, UnsupportedModel
from warmstart.refs import LIVE, check_name
from warmstart.tensors import Signature


@dataclass(frozen=True)
class ClaimVersion:
    """Take the first free number from `first` on: with two publishers at once it may be a later one."""

    first: int


@dataclass(frozen=True)
class UploadFile:
    """Copy a file of this disk into the version."""

    source: Path
    file: ModelFile


@dataclass(frozen=True)
class WriteDocument:
    """Put a document into the version: the gate's report, statistics, golden examples."""

    file: ModelFile
    body: bytes


@dataclass(frozen=True)
class SignManifest:
    """Put a signature of the manifest beside it, before it makes the version visible. `key_id` is the public key's."""

    key_id: str


@dataclass(frozen=True)
class WriteManifest:
    """Make the version visible."""


@dataclass(frozen=True)
class MoveAlias:
    """Point the alias at the new version, unless it points at a later one by then. `seen` is None if there is none."""

    alias: str
    seen: int | None


Step: TypeAlias = ClaimVersion | UploadFile | WriteDocument | SignManifest | WriteManifest | MoveAlias


@dataclass(frozen=True, kw_only=True)
class PublishPlan:
    """A new version of a model, and the steps that make it, in order."""

    name: str
    signature: Signature
    labels: tuple[str | int, ...]
    provenance: Mapping[str, str]
    steps: tuple[Step, ...]
    files: tuple[ModelFile, ...]
    run: RunOptions
    variants: tuple[Variant, ...] = ()
    preprocessing: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """The number that is free at the time of planning."""
        return next(step.first for step in self.steps if isinstance(step, ClaimVersion))

    @property
    def documents(self) -> tuple[ModelFile, ...]:
        """What lies beside the files that a session needs."""
        return tuple(step.file for step in self.steps if isinstance(step, WriteDocument))

    @property
    def sent_bytes(self) -> int:
        """Bytes of all files that are uploaded, those of the variants included."""
        return sum(step.file.size_bytes for step in self.steps if isinstance(step, UploadFile))

    @property
    def size_bytes(self) -> int:
        """Bytes of the files that a session needs."""
        return sum(file.size_bytes for file in self.files)


def plan_publish(
    candidate: Candidate,
    name: str,
    objects: ObjectStore,
    *,
    documents: Mapping[str, bytes] = MappingProxyType({}),
    provenance: Mapping[str, str] = MappingProxyType({}),
    key_id: str | None = None,
) -> PublishPlan:
    """Look at the store, and plan to publish a model as its next version; nothing is changed.

    `documents` are written beside the files, by their path within the version. With `key_id` it is to be signed.
    Raises: UnsupportedModel, InvalidReference, StoreError.
    """
    check_name(name)
    check_labels(candidate.labels, candidate.signature.outputs)
    uploads = tuple(UploadFile(path, _describe(path, inside)) for inside, path in candidate.layout.files)
    variants, more = _plan_variants(candidate.variants)
    written = tuple(WriteDocument(_describe_body(path, body), body) for path, body in documents.items())
    claim = ClaimVersion(_first_free(objects, name))
    sign = (SignManifest(key_id),) if key_id else ()
    move = MoveAlias(LIVE, _seen(objects, name))
    return PublishPlan(
        name=name,
        signature=candidate.signature,
        labels=candidate.labels,
        provenance=provenance,
        steps=(claim, *uploads, *more, *written, *sign, WriteManifest(), move),
        files=tuple(upload.file for upload in uploads),
        run=candidate.layout.run,
        variants=variants,
        preprocessing=candidate.preprocessing,
    )


def plan_file(
    source: Path,
    name: str,
    objects: ObjectStore,
    *,
    labels: tuple[str | int, ...] = (),
    provenance: Mapping[str, str] = MappingProxyType({}),
    key_id: str | None = None,
) -> PublishPlan:
    """Plan to publish an .onnx file as it is, past the gate: nothing is proven of it but that ONNX Runtime loads it.

    Raises: UnsupportedModel, InvalidReference, Unreachable if onnx or onnxruntime is not installed, StoreError.
    """
    check_name(name)
    model = read_onnx(source)
    candidate = Candidate(signature=model.signature, layout=Layout(model.files, RunOptions()), labels=labels)
    return plan_publish(candidate, name, objects, provenance=provenance, key_id=key_id)


def _plan_variants(layouts: Mapping[str, Layout]) -> tuple[tuple[Variant, ...], tuple[UploadFile, ...]]:
    """Put each variant's files into a folder of its processor's name."""
    variants, uploads = [], list[UploadFile]()
    for processor, layout in layouts.items():
        own = [UploadFile(path, _describe(path, f"{processor}/{inside}")) for inside, path in layout.files]
        variants.append(Variant(processor, tuple(upload.file for upload in own), layout.run))
        uploads += own
    return tuple(variants), tuple(uploads)


def _describe_body(path: str, body: bytes) -> ModelFile:
    return ModelFile(path, len(body), hashlib.sha256(body).hexdigest())


def _describe(path: Path, inside: str) -> ModelFile:
    if inside in keys.RESERVED:
        raise UnsupportedModel(f"{path}: expected another name than {inside}, which the store has its own use for")
    return ModelFile(inside, path.stat().st_size, sha256_of(path), parts_of(path))


def _first_free(objects: ObjectStore, name: str) -> int:
    """Number after the highest that anybody ever claimed, complete or not."""
    return 1 + max((int(n) for n in objects.folders(keys.versions(name)) if n.isdecimal()), default=0)


def _seen(objects: ObjectStore, name: str) -> int | None:
    try:
        return RegistryReader(objects).alias_state(name, LIVE).version
    except (AliasNotFound, ModelNotFound):
        return None
