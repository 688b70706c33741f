"""Read versions again, to see that every byte is still what was published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from model_store import keys
from model_store.integrity import parts_of, verify
from model_store.manifest import Manifest, ModelFile, parse_manifest
from model_store.objects import ObjectReader
from model_store.registry_reader import RegistryReader
from model_store.workplace import workplace
from warmstart.errors import ArtifactMismatch, IntegrityError, ObjectNotFound

if TYPE_CHECKING:
    from model_store.signing.verify import Trust


class Verified(NamedTuple):
    """A version that was read again: no `problems` if all is well; `signed_by` is a key's id if it was checked."""

    name: str
    version: int
    size_bytes: int
    files: int
    problems: tuple[str, ...]
    signed_by: str | None = None


def all_files(manifest: Manifest) -> tuple[ModelFile, ...]:
    """List everything that a manifest names: files, those of variants, documents."""
    return (*manifest.files, *(file for variant in manifest.variants for file in variant.files), *manifest.documents)


def verify_version(
    objects: ObjectReader,
    name: str,
    version: int,
    *,
    trust: Trust | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Verified:
    """Read and hash everything that a version's manifest names; with `trust`, check its signature too.

    What is wrong is in the result, not raised. Raises: ModelNotFound, VersionNotFound, StoreError.
    """
    try:
        body = RegistryReader(objects).manifest_document(name, version)
        manifest = parse_manifest(body, where=keys.manifest(name, version))
    except IntegrityError as error:
        return Verified(name, version, 0, 0, (error.message,))
    signed_by, problems = None, list(_mismatches(objects, manifest, on_bytes))
    if trust is not None:
        from model_store.signing.verify import check_signature

        try:
            signed_by = check_signature(objects, body, name, version, trust=trust).key_id
        except IntegrityError as error:
            problems.append(error.message)
    files = all_files(manifest)
    return Verified(name, version, sum(file.size_bytes for file in files), len(files), tuple(problems), signed_by)


def check_file(objects: ObjectReader, name: str, version: int, file: ModelFile, path: Path) -> None:
    """Fetch one of a version's files to a path of this disk, and check it. Raises: ArtifactMismatch, StoreError."""
    try:
        objects.download(keys.artifact(name, version, file.path), path, size_bytes=file.size_bytes)
    except ObjectNotFound as error:
        raise ArtifactMismatch(
            f"{file.path}: expected {file.size_bytes} bytes, got nothing; publish it again"
        ) from error
    verify(path, file)
    if file.parts and file.parts != parts_of(path):
        raise ArtifactMismatch(f"{file.path}: expected the sha256 of its parts in the manifest; publish it again")


def _mismatches(objects: ObjectReader, manifest: Manifest, on_bytes: Callable[[int], None]) -> Iterator[str]:
    with workplace() as folder:
        path = folder / "file"
        for file in all_files(manifest):
            try:
                check_file(objects, manifest.name, manifest.version, file, path)
            except ArtifactMismatch as error:
                yield error.message
            path.unlink(missing_ok=True)
            on_bytes(file.size_bytes)
