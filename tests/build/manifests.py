"""Builders of manifests and of small published models."""

from __future__ import annotations

import hashlib

from model_store import keys
from model_store.history import AliasChange, render_change
from model_store.manifest import Manifest, ModelFile, render_manifest
from model_store.objects import ObjectStore
from warmstart.refs import LIVE
from warmstart.tensors import Signature, TensorSpec

CREATED_AT = "2026-01-31T12:00:00.000Z"

IDENTITY = Signature((TensorSpec("x", "FP32", (-1, 2)),), (TensorSpec("y", "FP32", (-1, 2)),))


def manifest(
    name: str = "iris",
    version: int = 1,
    *,
    body: bytes = b"graph",
    signature: Signature = IDENTITY,
    labels: tuple[str | int, ...] = (),
) -> Manifest:
    """Describe a version of one file, `model.onnx`, that holds `body`."""
    file = ModelFile("model.onnx", len(body), hashlib.sha256(body).hexdigest())
    return Manifest(name, version, CREATED_AT, signature, (file,), labels)


def store_version(objects: ObjectStore, described: Manifest, *, body: bytes = b"graph") -> None:
    """Put a version of one file into a store, its manifest last."""
    objects.put(keys.artifact(described.name, described.version, described.files[0].path), body)
    objects.put(keys.manifest(described.name, described.version), render_manifest(described))


def store_alias(objects: ObjectStore, name: str, version: int, *, alias: str = LIVE) -> str:
    """Put an alias document into a store, whatever was there; return its entity tag."""
    change = AliasChange(
        f"20260131T000000.000000Z-{alias}-{version}", alias, version, None, "2026-01-31T00:00:00.000Z", "builder"
    )
    return objects.put(keys.alias(name, alias), render_change(change))
