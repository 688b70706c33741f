"""Is a file on this disk the one that its manifest names? On the inference function's cold path: few imports."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from warmstart.errors import ArtifactMismatch

if TYPE_CHECKING:
    from pathlib import Path

    from model_store.manifest import ModelFile

BLOCK_BYTES = 1024 * 1024


def sha256_of(path: Path) -> str:
    """Digest a file, in hex. Raises: OSError."""
    digest, block = hashlib.sha256(), bytearray(BLOCK_BYTES)
    view = memoryview(block)
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - pathlib is not imported here
        while count := file.readinto(block):
            digest.update(view[:count])
    return digest.hexdigest()


def sha256_of_bytes(body: bytes) -> str:
    """Digest bytes, in hex."""
    return hashlib.sha256(body).hexdigest()


def verify(path: Path, expected: ModelFile) -> None:
    """Check a file's size and sha256. Raises: ArtifactMismatch, naming what was expected and what came; OSError."""
    size = path.stat().st_size
    if size != expected.size_bytes:
        raise ArtifactMismatch(f"{expected.path}: expected {expected.size_bytes} bytes, got {size}; publish it again")
    check_digest(sha256_of(path), expected)


def check_digest(sha256: str, expected: ModelFile) -> None:
    """Check a file's digest, in hex. Raises: ArtifactMismatch, naming what was expected and what came."""
    if sha256 != expected.sha256:
        raise ArtifactMismatch(f"{expected.path}: expected sha256 {expected.sha256}, got {sha256}; publish it again")
