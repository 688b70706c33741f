"""The seam to the object store, and its in-memory twin. One contract suite runs over all implementations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class StoredObject(NamedTuple):
    """An object's bytes and its entity tag (opaque; quotes included, as S3 sends it)."""

    body: bytes
    etag: str


class ObjectReader(Protocol):
    """What the data plane may do."""

    def get(self, key: str) -> StoredObject:
        """Read an object whole. Raises: ObjectNotFound, StoreUnavailable, StoreDenied."""
        ...

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag, then None. Raises: as `get`."""
        ...

    def download(self, key: str, path: Path, *, size_bytes: int) -> None:
        """Write an object of a known size to a new file; on any failure the file does not exist.

        Raises: as `get`; ArtifactMismatch if the object has another size.
        """
        ...


class ObjectStore(ObjectReader, Protocol):
    """What publishers and the control plane may do."""

    def put(self, key: str, body: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """Write an object, return its entity tag.

        Raises: PreconditionFailed if `if_absent` and it exists, or if its entity tag is not `if_match`
        (also when it does not exist); StoreUnavailable, StoreDenied.
        """
        ...

    def upload(self, key: str, path: Path, *, if_absent: bool = False) -> None:
        """Write a file of any size (multipart above the single-put limit). Raises: as `put`."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """List the distinct next path segments under a prefix that ends in '/', in order, without the '/'."""
        ...
