"""Is a file on this disk the one that its manifest names? On the inference function's cold path: few imports."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING

from warmstart.errors import ArtifactMismatch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import FileIO
    from pathlib import Path

    from model_store.manifest import ModelFile

BLOCK_BYTES = 1024 * 1024
WHOLE_BYTES = 8 * 1024 * 1024
"""Files up to this size are one part."""
PART_BYTES = 4 * 1024 * 1024
"""Of larger ones each part has about this size, or a sixteenth."""
MAX_PARTS = 16


def part_bounds(size: int) -> list[int]:
    """Return where the parts of a file of so many bytes begin, and where the last one ends."""
    count = 1 if size <= WHOLE_BYTES else min(MAX_PARTS, -(-size // PART_BYTES))
    return [size * index // count for index in range(count + 1)]


def sha256_of(path: Path) -> str:
    """Digest a file, in hex. Raises: OSError."""
    digest, block = hashlib.sha256(), bytearray(BLOCK_BYTES)
    view = memoryview(block)
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - pathlib is not imported here
        while count := file.readinto(block):
            digest.update(view[:count])
    return digest.hexdigest()


def parts_of(path: Path) -> tuple[str, ...]:
    """Digest each part of a file, in hex; none if it is one part alone. Raises: OSError."""
    bounds = part_bounds(path.stat().st_size)
    if len(bounds) == 2:
        return ()
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
        return tuple(_sha256_of_next(file, stop - start) for start, stop in pairwise(bounds))


def _sha256_of_next(file: FileIO, size: int) -> str:
    digest = hashlib.sha256()
    while size and (block := file.read(min(size, BLOCK_BYTES))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()


def mapped_parts(path: Path) -> list[memoryview]:
    """Map a file that is not empty, to be read from the page cache; return its parts. Raises: OSError."""
    import mmap  # for who digests beside something else

    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return [content[start:stop] for start, stop in pairwise(part_bounds(len(content)))]


def digests_of(parts: Sequence[memoryview], threads: int) -> tuple[str, ...]:
    """Digest parts, in hex, by several threads."""
    from threading import Thread

    found = [""] * len(parts)
    numbered = iter(enumerate(parts))  # one for all threads: each part goes to one of them

    def work() -> None:
        for index, part in numbered:
            found[index] = hashlib.sha256(part).hexdigest()

    workers = [Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return tuple(found)


def sha256_of_bytes(body: bytes) -> str:
    """Digest bytes, in hex."""
    return hashlib.sha256(body).hexdigest()


def verify(path: Path, expected: ModelFile) -> None:
    """Check a file's size and sha256. Raises: ArtifactMismatch, naming what was expected and what came; OSError."""
    size = path.stat().st_size
    if size != expected.size_bytes:
        raise ArtifactMismatch(f"{expected.path}: expected {expected.size_bytes} bytes, got {size}; publish it again")
    _check("", sha256_of(path), expected.sha256, expected)


def verify_download(path: Path, digests: Sequence[str] | None, expected: ModelFile) -> None:
    """Check a file that was digested part by part on its way here, by that; else by reading it. Raises: as `verify`."""
    wanted = expected.parts or (expected.sha256,)
    if digests is None or len(digests) != len(wanted):  # the store does not, or who published it knew no parts
        verify(path, expected)
        return
    for number, (got, want) in enumerate(zip(digests, wanted, strict=True), 1):
        _check(f" of part {number}" if expected.parts else "", got, want, expected)


def _check(of_part: str, got: str, wanted: str, expected: ModelFile) -> None:
    if got != wanted:
        raise ArtifactMismatch(f"{expected.path}: expected sha256{of_part} {wanted}, got {got}; publish it again")
