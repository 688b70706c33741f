"""What is signed of a version: an in-toto statement, whose subjects are the manifest and all files it names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from model_store.keys import MANIFEST

if TYPE_CHECKING:
    from model_store.manifest import Manifest

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:warmstart:published-version:1"


class Statement(NamedTuple):
    """What a signature says: these bytes are the manifest of this version."""

    name: str
    version: int
    manifest_sha256: str
    published_by: str
    published_at: str


def render_statement(manifest: Manifest, body: bytes, *, by: str) -> bytes:
    """Write the statement of a version. `body` is the manifest as it is stored, byte for byte."""
    document = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": path, "digest": {"sha256": digest}} for path, digest in _subjects(manifest, body)],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "name": manifest.name,
            "version": manifest.version,
            "published_at": manifest.created_at,
            "published_by": by,
            "provenance": dict(manifest.provenance),
        },
    }
    return json.dumps(document).encode()


def parse_statement(payload: bytes) -> Statement:
    """Read a statement. Raises: ValueError if it is none of ours."""
    try:
        document = json.loads(payload)
        kinds = document["_type"], document["predicateType"]
        if kinds != (STATEMENT_TYPE, PREDICATE_TYPE):
            raise ValueError(f"expected {STATEMENT_TYPE} of {PREDICATE_TYPE}, got {kinds[0]!r:.80} of {kinds[1]!r:.80}")
        predicate = document["predicate"]
        [digest] = [subject["digest"]["sha256"] for subject in document["subject"] if subject["name"] == MANIFEST]
        return Statement(
            _typed(predicate["name"], str),
            _typed(predicate["version"], int),
            _typed(digest, str),
            _typed(predicate["published_by"], str),
            _typed(predicate["published_at"], str),
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__} {error}") from error


def _subjects(manifest: Manifest, body: bytes) -> Iterator[tuple[str, str]]:
    yield MANIFEST, hashlib.sha256(body).hexdigest()
    for files in (manifest.files, *(variant.files for variant in manifest.variants), manifest.documents):
        for file in files:
            yield file.path, file.sha256


def _typed(value: Any, kind: type[Any]) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, got {value!r:.80}")
    return value
