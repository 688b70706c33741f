"""What tests over several stores share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from model_store.objects import ObjectInfo, ObjectReader, ObjectStore, OnBytes, StoredObject

MIB = 1024 * 1024


class Pair(NamedTuple):
    """An implementation's reading half, and a store that writes to the same place."""

    reader: ObjectReader
    store: ObjectStore


class Watched:
    """An object store that calls `before` and `after` around each operation, with its name and key."""

    def __init__(
        self,
        objects: ObjectStore,
        *,
        before: Callable[[str, str], None] = lambda _operation, _key: None,
        after: Callable[[str, str], None] = lambda _operation, _key: None,
    ) -> None:
        self._objects, self._before, self._after = objects, before, after

    @contextmanager
    def _watch(self, operation: str, key: str) -> Iterator[None]:
        self._before(operation, key)
        yield
        self._after(operation, key)

    def get(self, key: str) -> StoredObject:
        with self._watch("get", key):
            return self._objects.get(key)

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        with self._watch("get_if_changed", key):
            return self._objects.get_if_changed(key, etag)

    def download(self, key: str, path: Path, *, size_bytes: int) -> None:
        with self._watch("download", key):
            self._objects.download(key, path, size_bytes=size_bytes)

    def put(self, key: str, body: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        with self._watch("put", key):
            return self._objects.put(key, body, if_absent=if_absent, if_match=if_match)

    def upload(self, key: str, path: Path, *, if_absent: bool = False, on_bytes: OnBytes | None = None) -> None:
        with self._watch("upload", key):
            self._objects.upload(key, path, if_absent=if_absent, on_bytes=on_bytes)

    def copy(self, source: str, key: str, *, if_absent: bool = False) -> None:
        with self._watch("copy", key):
            self._objects.copy(source, key, if_absent=if_absent)

    def delete(self, key: str) -> None:
        with self._watch("delete", key):
            self._objects.delete(key)

    def stat(self, key: str) -> ObjectInfo:
        with self._watch("stat", key):
            return self._objects.stat(key)

    def keys(self, prefix: str) -> Iterator[str]:
        with self._watch("keys", prefix):
            return self._objects.keys(prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        with self._watch("folders", prefix):
            return self._objects.folders(prefix)
