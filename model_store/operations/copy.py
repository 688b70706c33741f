"""Promote a version into another store: the same name and number, byte for byte, checked where it arrives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from model_store import keys, staging
from model_store.history import utc
from model_store.manifest import Manifest, ModelFile, parse_manifest
from model_store.objects import ObjectReader, ObjectStore, OnBytes
from model_store.operations.verify import all_files, check_file
from model_store.registry_reader import RegistryReader
from model_store.workplace import workplace
from warmstart.errors import ArtifactMismatch, ObjectNotFound, PreconditionFailed, VersionClaimed

if TYPE_CHECKING:
    from model_store.signing.verify import Trust


class Copied(NamedTuple):
    """A version that is in the other store now; `was_there` if it was before."""

    manifest: Manifest
    was_there: bool


def copy_version(
    source: ObjectReader,
    target: ObjectStore,
    name: str,
    version: int,
    *,
    by: str,
    clock: Callable[[], float],
    trust: Trust | None = None,
    on_bytes: OnBytes | None = None,
) -> Copied:
    """Copy files, then documents, then the signature, then the manifest, which makes the version visible there.

    Every file is hashed when it was fetched, and read back and hashed again where it arrived; with `trust` the
    signature is checked before anything is written. What is there already is not sent again, so that an interrupted
    copy is continued; two that copy the same version may do so at once.
    Raises: VersionClaimed if the number is taken there by something else: nothing was changed; ModelNotFound,
    VersionNotFound, IntegrityError, StoreError.
    """
    body = RegistryReader(source).manifest_document(name, version)
    manifest = parse_manifest(body, where=keys.manifest(name, version))
    signature = _read(source, keys.signature(name, version))
    if trust is not None:
        _check_signature(trust, signature, body, name, version)
    if (there := _read(target, keys.manifest(name, version))) is not None and there != body:
        raise _taken(name, version, "published there with another manifest")
    if there is None:
        _claim(target, manifest, body, by=by, clock=clock)
    transfer = _Transfer(source, target, manifest, on_bytes)
    for file in all_files(manifest):
        transfer.bring(file)
    if signature is not None:
        _put_once(target, keys.signature(name, version), signature)
    if there is None:
        _put_once(target, keys.manifest(name, version), body)
    staging.forget(target, all_files(manifest))
    return Copied(manifest, there is not None)


class _Transfer:
    """Brings one file after the other, over a folder of this disk."""

    def __init__(self, source: ObjectReader, target: ObjectStore, manifest: Manifest, on_bytes: OnBytes | None) -> None:
        self._source, self._target, self._manifest, self._on_bytes = source, target, manifest, on_bytes

    def bring(self, file: ModelFile) -> None:
        name, version = self._manifest.name, self._manifest.version
        with workplace() as folder:
            fetched, arrived = folder / "fetched", folder / "arrived"
            if not self._is_there(file):
                check_file(self._source, name, version, file, fetched)
                with suppress(PreconditionFailed):  # another copy of the same version was faster
                    key = keys.artifact(name, version, file.path)
                    staging.send(self._target, fetched, file, key, on_bytes=self._on_bytes)
                fetched.unlink()
            try:
                check_file(self._target, name, version, file, arrived)
            except ArtifactMismatch as error:
                raise ArtifactMismatch(
                    f"{name}:{version}: what arrived is not what was sent: {error.message}; "
                    "remove it from the target store, then copy again"
                ) from error

    def _is_there(self, file: ModelFile) -> bool:
        key = keys.artifact(self._manifest.name, self._manifest.version, file.path)
        try:
            return self._target.stat(key).size_bytes == file.size_bytes
        except ObjectNotFound:
            return False


def _claim(target: ObjectStore, manifest: Manifest, body: bytes, *, by: str, clock: Callable[[], float]) -> None:
    """Take the version's own number in the target, or find that a copy of the same version took it."""
    name, version = manifest.name, manifest.version
    content = hashlib.sha256(body).hexdigest()
    claim = {"claimed_at": utc(clock()), "claimed_by": by, "copy_of": content}
    try:
        target.put(keys.claim(name, version), json.dumps(claim, indent=2).encode(), if_absent=True)
    except PreconditionFailed:
        try:
            found = json.loads(target.get(keys.claim(name, version)).body)
            same = isinstance(found, dict) and found.get("copy_of") == content
        except (ValueError, RecursionError):
            same = False
        if not same:
            raise _taken(name, version, "claimed there by another publisher") from None


def _put_once(target: ObjectStore, key: str, body: bytes) -> None:
    """Write what is the same for everybody who copies this version. Raises: VersionClaimed if other bytes are there."""
    try:
        target.put(key, body, if_absent=True)
    except PreconditionFailed as error:
        if target.get(key).body != body:
            raise VersionClaimed(f"{key}: expected the copied bytes, found others in the target store") from error


def _check_signature(trust: Trust, signature: bytes | None, manifest: bytes, name: str, version: int) -> None:
    if signature is None:
        raise trust.missing(name, version)
    trust.check(signature, manifest, name, version)


def _read(objects: ObjectReader, key: str) -> bytes | None:
    try:
        return objects.get(key).body
    except ObjectNotFound:
        return None


def _taken(name: str, version: int, how: str) -> VersionClaimed:
    return VersionClaimed(
        f"{name}:{version}: the number is {how}; a copy keeps its number: publish the model here under the next "
        "number, then copy that one"
    )
