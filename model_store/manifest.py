"""What is known of one version, as a value and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from warmstart.datatypes import DATATYPES
from warmstart.errors import InvalidManifest
from warmstart.tensors import Signature, TensorSpec

SCHEMA_MAJOR: Final = 1
SCHEMA_VERSION: Final = "1.0"


class ModelFile(NamedTuple):
    """One file of a version: path relative to it, size, sha256 in hex."""

    path: str
    size_bytes: int
    sha256: str


class Manifest(NamedTuple):
    """One version of a model. `files[0]` is the graph that a session opens; the others lie beside it.

    `labels` are the class labels that a classifier's label output or score columns stand for, in column order.
    `extra` are the fields that this release does not know: they are kept.
    """

    name: str
    version: int
    created_at: str
    signature: Signature
    files: tuple[ModelFile, ...]
    labels: tuple[str | int, ...] = ()
    provenance: Mapping[str, str] = {}
    schema_version: str = SCHEMA_VERSION
    extra: Mapping[str, Any] = {}

    @property
    def size_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(file.size_bytes for file in self.files)


def render_manifest(manifest: Manifest) -> bytes:
    """Write a manifest as JSON, known fields first, then those that this release does not know."""
    document = {
        "schema_version": manifest.schema_version,
        "name": manifest.name,
        "version": manifest.version,
        "created_at": manifest.created_at,
        "inputs": [_render_spec(spec) for spec in manifest.signature.inputs],
        "outputs": [_render_spec(spec) for spec in manifest.signature.outputs],
        "labels": list(manifest.labels),
        "files": [file._asdict() for file in manifest.files],
        "provenance": dict(manifest.provenance),
        **manifest.extra,
    }
    return json.dumps(document, indent=2).encode()


def parse_manifest(body: bytes, *, where: str) -> Manifest:
    """Read a manifest. `where` is its key, for the message.

    Raises: InvalidManifest if it is not JSON, lacks a field, or has an unknown major schema version.
    """
    try:
        document = json.loads(body)
        schema_version = document.pop("schema_version")
        if int(schema_version.partition(".")[0]) != SCHEMA_MAJOR:
            raise InvalidManifest(
                f"{where}: schema version {schema_version}; this release reads {SCHEMA_MAJOR}.x: upgrade warmstart"
            )
        files = tuple(_parse_file(file) for file in document.pop("files"))
        if not files:
            raise ValueError("files: expected at least one, got none")
        return Manifest(
            schema_version=schema_version,
            name=document.pop("name"),
            version=int(document.pop("version")),
            created_at=document.pop("created_at"),
            signature=Signature(
                tuple(_parse_spec(spec) for spec in document.pop("inputs")),
                tuple(_parse_spec(spec) for spec in document.pop("outputs")),
            ),
            files=files,
            labels=tuple(document.pop("labels", ())),
            provenance=document.pop("provenance", {}),
            extra=document,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidManifest(f"{where}: not a manifest: {type(error).__name__} {error}; publish it again") from error


def _render_spec(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def _parse_spec(document: Mapping[str, Any]) -> TensorSpec:
    datatype = document["datatype"]
    if datatype not in DATATYPES:
        raise ValueError(f"datatype {datatype!r} is none of {', '.join(DATATYPES)}")
    return TensorSpec(document["name"], datatype, tuple(int(size) for size in document["shape"]))


def _parse_file(document: Mapping[str, Any]) -> ModelFile:
    path = document["path"]
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"file path {path!r} leaves the version's folder")
    return ModelFile(path, int(document["size_bytes"]), document["sha256"])
