"""Bringing a file into a version, so that whoever is interrupted need not send it again.

No two publishers ever share a version: what one left unfinished cannot be finished by another. A large file therefore
goes first to `uploads/{sha256}`, a place that belongs to its content, and is then copied into the version within the
store. Whoever publishes the same bytes again, under whatever number, finds there what was sent: the whole file, or the
parts of it. Several may send the same file at once: it is the same file.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from model_store import keys
from model_store.manifest import ModelFile
from model_store.objects import ObjectStore, OnBytes, Sent
from warmstart.errors import ObjectNotFound, StoreError, StoreUnavailable

STAGED_FROM_BYTES: Final = 1024 * 1024
"""Smaller files are sent into the version at once: to ask whether they are there would take as long."""
ATTEMPTS: Final = 3


def send(objects: ObjectStore, source: Path, file: ModelFile, key: str, *, on_bytes: OnBytes | None = None) -> None:
    """Write a file, whose digest was checked, under a key that holds nothing yet; only what is missing is sent.

    Raises: PreconditionFailed if the key holds something, StoreError.
    """
    if file.size_bytes < STAGED_FROM_BYTES:
        objects.upload(key, source, if_absent=True, on_bytes=on_bytes)
        return
    staged = keys.upload(file.sha256)
    for attempt in range(ATTEMPTS):
        report = on_bytes if attempt == 0 else None
        if not _is_there(objects, staged, file):
            objects.upload(staged, source, on_bytes=report)
        elif report is not None:
            report(Sent(file.size_bytes, found=True))
        try:
            objects.copy(staged, key, if_absent=True)
        except ObjectNotFound:  # another publisher of the same bytes was done with it
            continue
        return
    raise StoreUnavailable(f"{staged}: others removed it each of {ATTEMPTS} times; try again")


def forget(objects: ObjectStore, files: Iterable[ModelFile]) -> None:
    """Remove what was sent and is in its version now; what cannot be removed, the store's own rule removes."""
    for file in files:
        if file.size_bytes >= STAGED_FROM_BYTES:
            with suppress(StoreError):
                objects.delete(keys.upload(file.sha256))


def _is_there(objects: ObjectStore, staged: str, file: ModelFile) -> bool:
    try:
        return objects.stat(staged).size_bytes == file.size_bytes
    except ObjectNotFound:
        return False
