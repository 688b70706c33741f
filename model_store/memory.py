"""The object store's in-memory twin: what tests and in-process tools use in the place of S3."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from model_store.objects import ObjectInfo, OnBytes, Sent, StoredObject
from warmstart.errors import ArtifactMismatch, ObjectNotFound, PreconditionFailed


class MemoryObjects:
    """An `ObjectStore` in this process. Safe to use from several threads."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._objects: dict[str, bytes] = {}
        self._written: dict[str, float] = {}
        self._clock = clock
        self._lock = threading.Lock()

    def get(self, key: str) -> StoredObject:
        """Read an object whole."""
        with self._lock:
            body = self._objects.get(key)
        if body is None:
            raise ObjectNotFound(f"{key}: the store holds nothing under this key")
        return StoredObject(body, _etag(body))

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag."""
        found = self.get(key)
        return None if found.etag == etag else found

    def download(self, key: str, path: Path, *, size_bytes: int) -> None:
        """Write an object of a known size to a file."""
        body = self.get(key).body
        if len(body) != size_bytes:
            raise ArtifactMismatch(f"{key}: expected {size_bytes} bytes, the store holds {len(body)}; publish it again")
        part = path.with_name(path.name + ".part")
        part.write_bytes(body)
        part.replace(path)

    def put(self, key: str, body: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """Write an object, return its entity tag."""
        with self._lock:
            present = self._objects.get(key)
            if if_absent and present is not None:
                raise PreconditionFailed(f"{key}: expected nothing under this key, found an object")
            if if_match is not None and (present is None or _etag(present) != if_match):
                found = "nothing" if present is None else _etag(present)
                raise PreconditionFailed(f"{key}: expected entity tag {if_match}, found {found}")
            self._objects[key], self._written[key] = bytes(body), self._clock()
        return _etag(body)

    def upload(self, key: str, path: Path, *, if_absent: bool = False, on_bytes: OnBytes | None = None) -> None:
        """Write a file."""
        body = path.read_bytes()
        self.put(key, body, if_absent=if_absent)
        if on_bytes is not None:
            on_bytes(Sent(len(body)))

    def copy(self, source: str, key: str, *, if_absent: bool = False) -> None:
        """Write an object under another key too."""
        self.put(key, self.get(source).body, if_absent=if_absent)

    def delete(self, key: str) -> None:
        """Remove an object."""
        with self._lock:
            self._objects.pop(key, None)

    def stat(self, key: str) -> ObjectInfo:
        """Say how large an object is, and how old."""
        size = len(self.get(key).body)
        return ObjectInfo(size, self._written[key])

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order."""
        with self._lock:
            found = sorted(key for key in self._objects if key.startswith(prefix))
        return iter(found)

    def folders(self, prefix: str) -> Iterator[str]:
        """List the distinct next path segments under a prefix."""
        rests = (key[len(prefix) :] for key in self.keys(prefix))
        return iter(dict.fromkeys(rest.partition("/")[0] for rest in rests if "/" in rest))


def _etag(body: bytes) -> str:
    # As S3's for an object put in one part: equal bytes have equal tags.
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
