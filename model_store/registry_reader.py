"""The registry's read half: alias → version → manifest. It is on the inference function's cold path: few imports."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from model_store import keys
from model_store.integrity import sha256_of_bytes
from model_store.manifest import Manifest, parse_manifest
from warmstart.errors import (
    AliasNotFound,
    ArtifactMismatch,
    IntegrityError,
    ModelNotFound,
    ObjectNotFound,
    VersionNotFound,
)
from warmstart.refs import LIVE, ModelRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from model_store.objects import ObjectReader, StoredObject


_MANIFEST_KEY = re.compile(rf"{keys.MODELS}(?P<name>[^/]+)/versions/(?P<version>[1-9][0-9]*)/{keys.MANIFEST}")


class AliasState(NamedTuple):
    """The version that an alias points at, and the entity tag of the document that says so."""

    version: int
    etag: str


class RegistryReader:
    """Reads what has been published. Each method says how many requests it makes when all is well.

    `admit` is asked about each manifest before it is read, with its bytes, the model's name and the version: it raises
    for a version that is not signed as it should be, and makes one more request.
    """

    def __init__(self, objects: ObjectReader, *, admit: Callable[[bytes, str, int], object] | None = None) -> None:
        self._reader, self._admit = objects, admit

    def resolve(self, ref: ModelRef) -> Manifest:
        """Find a reference's manifest: one request for a version, two for an alias.

        Raises: ModelNotFound, AliasNotFound, VersionNotFound, IntegrityError, StoreError.
        """
        version = ref.version
        if version is None:
            version = self.alias_state(ref.name, ref.alias or LIVE).version
        return self.manifest(ref.name, version)

    def alias_state(self, name: str, alias: str) -> AliasState:
        """Read where an alias points: one request. Raises: ModelNotFound, AliasNotFound, IntegrityError, StoreError."""
        key = keys.alias(name, alias)
        try:
            stored = self._reader.get(key)
        except ObjectNotFound:
            raise self._no_alias(name, alias) from None
        return _state(key, stored)

    def alias_if_moved(self, name: str, alias: str, seen: AliasState) -> AliasState | None:
        """Read where an alias points unless its document is still the one seen, then None: one conditional request.

        Raises: as `alias_state`.
        """
        key = keys.alias(name, alias)
        try:
            stored = self._reader.get_if_changed(key, seen.etag)
        except ObjectNotFound:
            raise self._no_alias(name, alias) from None
        return None if stored is None else _state(key, stored)

    def manifest(self, name: str, version: int) -> Manifest:
        """Read a version's manifest: one request.

        Raises: ModelNotFound, VersionNotFound, IntegrityError, StoreError.
        """
        return self._read_manifest(name, version)[0]

    def manifest_document(self, name: str, version: int) -> bytes:
        """Read a version's manifest as it is stored, with all that later releases wrote: one request.

        Raises: as `manifest`.
        """
        return self._read_manifest(name, version)[1]

    def document(self, manifest: Manifest, path: str) -> bytes | None:
        """Read a version's document (`gate.json`), None if it has none: one request.

        Raises: ArtifactMismatch if it is not there, or not as the manifest says; StoreError.
        """
        file = next((file for file in manifest.documents if file.path == path), None)
        if file is None:
            return None
        key = keys.artifact(manifest.name, manifest.version, path)
        try:
            body = self._reader.get(key).body
        except ObjectNotFound:
            raise ArtifactMismatch(f"{key}: expected {file.size_bytes} bytes, got nothing; publish it again") from None
        if len(body) != file.size_bytes:
            raise ArtifactMismatch(f"{key}: expected {file.size_bytes} bytes, got {len(body)}; publish it again")
        if (digest := sha256_of_bytes(body)) != file.sha256:
            raise ArtifactMismatch(f"{key}: expected sha256 {file.sha256}, got {digest}; publish it again")
        return body

    def published(self) -> list[ModelRef]:
        """List every version of every model, in order: one request per thousand objects below `models/`.

        Raises: StoreError.
        """
        matches = map(_MANIFEST_KEY.fullmatch, self._reader.keys(keys.MODELS))
        return sorted(ModelRef(match["name"], int(match["version"]), None) for match in matches if match)

    def versions(self, name: str) -> list[int]:
        """List a model's versions, in order: one request per thousand objects below them. Raises: StoreError."""
        matches = map(_MANIFEST_KEY.fullmatch, self._reader.keys(keys.versions(name)))
        return sorted(int(match["version"]) for match in matches if match)

    def _read_manifest(self, name: str, version: int) -> tuple[Manifest, bytes]:
        key = keys.manifest(name, version)
        try:
            stored = self._reader.get(key)
        except ObjectNotFound:
            if not self._is_live(name):
                raise _no_model(name) from None
            raise VersionNotFound(f"model {name!r}: expected a published version, got {version}") from None
        if self._admit is not None:
            self._admit(stored.body, name, version)
        manifest = parse_manifest(stored.body, where=key)
        if (manifest.name, manifest.version) != (name, version):
            raise IntegrityError(f"{key}: is the manifest of {manifest.name}:{manifest.version}; publish it again")
        return manifest, stored.body

    def _no_alias(self, name: str, alias: str) -> ModelNotFound | AliasNotFound:
        if alias == LIVE or not self._is_live(name):
            return _no_model(name)
        return AliasNotFound(f"model {name!r}: expected one of its aliases, got {alias!r}")

    def _is_live(self, name: str) -> bool:
        try:
            self._reader.get(keys.alias(name, LIVE))
        except ObjectNotFound:
            return False
        return True


def _no_model(name: str) -> ModelNotFound:
    return ModelNotFound(f"model {name!r}: nothing of this name has been published")


def _state(key: str, stored: StoredObject) -> AliasState:
    try:
        version = json.loads(stored.body)["version"]
        if type(version) is not int or version < 1:
            raise ValueError(f"version {version!r} is no positive whole number")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(
            f"{key}: not an alias: {type(error).__name__} {error}; delete it, then move the alias"
        ) from error
    return AliasState(version, stored.etag)
