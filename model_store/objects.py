"""The seam to the object store, and its in-memory twin. One contract suite runs over all implementations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path


class StoredObject(NamedTuple):
    """An object's bytes and its entity tag (opaque; quotes included, as S3 sends it)."""

    body: bytes
    etag: str


class ObjectInfo(NamedTuple):
    """An object's size, and when it was written, in seconds since the epoch."""

    size_bytes: int
    modified_at: float


class Sent(NamedTuple):
    """So many more bytes of an upload are in the store; `found` if an earlier attempt had brought them there."""

    size_bytes: int
    found: bool = False


OnBytes: TypeAlias = Callable[[Sent], None]
"""Hears of an upload's progress; from several threads at once."""


Digests: TypeAlias = Sequence[str] | Callable[[], Sequence[str] | None] | None
"""The sha256 of each part of a file (`integrity.part_bounds`), in hex, where they were computed as it came; what waits
for them, where they still are; else None, and who wants to know reads the file."""


class ObjectReader(Protocol):
    """What the data plane may do."""

    def get(self, key: str) -> StoredObject:
        """Read an object whole. Raises: ObjectNotFound, StoreUnavailable, StoreDenied."""
        ...

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag, then None. Raises: as `get`."""
        ...

    def download(self, key: str, path: Path, *, size_bytes: int) -> Digests:
        """Write an object of a known size to a new file; on any failure the file does not exist.

        Raises: as `get`; ArtifactMismatch if the object has another size.
        """
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order. Raises: StoreUnavailable, StoreDenied."""
        ...


class ObjectStore(ObjectReader, Protocol):
    """What publishers and the control plane may do."""

    def put(self, key: str, body: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """Write an object, return its entity tag.

        Raises: PreconditionFailed if `if_absent` and it exists, or if its entity tag is not `if_match`
        (also when it does not exist); StoreUnavailable, StoreDenied, StoreFull.
        """
        ...

    def upload(self, key: str, path: Path, *, if_absent: bool = False, on_bytes: OnBytes | None = None) -> None:
        """Write a file of any size. What an interrupted upload of the same bytes left under this key is not sent again.

        Raises: as `put`; what was sent then stays, for the next attempt.
        """
        ...

    def copy(self, source: str, key: str, *, if_absent: bool = False) -> None:
        """Write an object that is in the store under another key too; nothing passes through this machine.

        Raises: as `put`; ObjectNotFound if there is no source.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; what is not there is no error. Raises: StoreUnavailable, StoreDenied."""
        ...

    def stat(self, key: str) -> ObjectInfo:
        """Say how large an object is, and how old. Raises: as `get`."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """List the distinct next path segments under a prefix that ends in '/', in order, without the '/'."""
        ...
