"""The store's objects on disk, written before the caller has its answer: a killed twin loses nothing it confirmed.

One file per object, a line of JSON and then the body, replaced atomically. Objects survive the process, not the
power: files are not synced. Older object versions, tags and ACLs are not kept.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from moto.s3.models import FakeBucket, FakeKey, S3Backend

from local.aws.conditions import held

_STAGING: Final = "cdk-"
"""The CDK's own buckets are filled anew by each deployment."""


class Kept:
    """The folder that holds what is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._waiting = threading.local()

    def begin(self) -> None:
        """Collect the changes of this thread's request until `finish`: moto sets an object's metadata last."""
        self._waiting.changes = []

    def finish(self) -> None:
        """Write what the request changed. Raises: OSError, so that the caller is not told of success."""
        changes: list[tuple[S3Backend, str, str]] | None = getattr(self._waiting, "changes", None)
        self._waiting.changes = None
        for change in changes or ():
            self._write(*change)

    def changed(self, backend: S3Backend, bucket: str, key: str) -> None:
        """Take note that an object was put or deleted."""
        if bucket.startswith(_STAGING):
            return
        changes = getattr(self._waiting, "changes", None)
        if changes is None:
            self._write(backend, bucket, key)
        else:
            changes.append((backend, bucket, key))

    def _write(self, backend: S3Backend, bucket: str, key: str) -> None:
        path = self._folder / bucket / hashlib.sha256(key.encode()).hexdigest()
        with self._lock:
            found = backend.buckets[bucket].keys.get(key) if bucket in backend.buckets else None
            if not isinstance(found, FakeKey):
                path.unlink(missing_ok=True)
                return
            head = json.dumps({"key": key, "metadata": dict(found.metadata)}).encode()
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".partial-", delete=False) as partial:
                partial.write(head + b"\n")
                partial.write(found.value)
            Path(partial.name).replace(path)

    def objects(self, bucket: str) -> Iterable[tuple[str, dict[str, str], bytes]]:
        """Yield key, metadata and body of each object of a bucket."""
        folder = self._folder / bucket
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if not path.name.startswith("."):
                head, _, body = path.read_bytes().partition(b"\n")
                described = json.loads(head)
                yield described["key"], described["metadata"], body

    def drop(self, bucket: str) -> None:
        """Forget a bucket that was deleted."""
        shutil.rmtree(self._folder / bucket, ignore_errors=True)


_KEPT: list[Kept | None] = [None]
_PUT: Final = S3Backend.put_object
_DELETE: Final = S3Backend.delete_object
_CREATE_BUCKET: Final = S3Backend.create_bucket
_DELETE_BUCKET: Final = S3Backend.delete_bucket


def _put_object(backend: S3Backend, bucket_name: str, key_name: str, *args: Any, **kwargs: Any) -> FakeKey:
    with held(bucket_name, key_name):
        made = _PUT(backend, bucket_name, key_name, *args, **kwargs)
    if _KEPT[0] is not None:
        _KEPT[0].changed(backend, bucket_name, key_name)
    return made


def _delete_object(backend: S3Backend, bucket_name: str, key_name: str, *args: Any, **kwargs: Any) -> Any:
    with held(bucket_name, key_name):
        done = _DELETE(backend, bucket_name, key_name, *args, **kwargs)
    if _KEPT[0] is not None:
        _KEPT[0].changed(backend, bucket_name, key_name)
    return done


def _create_bucket(backend: S3Backend, bucket_name: str, *args: Any, **kwargs: Any) -> FakeBucket:
    made = _CREATE_BUCKET(backend, bucket_name, *args, **kwargs)
    for key, metadata, body in _KEPT[0].objects(bucket_name) if _KEPT[0] is not None else ():
        _PUT(backend, bucket_name, key, body).set_metadata(metadata, replace=True)
    return made


def _delete_bucket(backend: S3Backend, bucket_name: str) -> FakeBucket | None:
    deleted = _DELETE_BUCKET(backend, bucket_name)
    if deleted is not None and _KEPT[0] is not None:
        _KEPT[0].drop(bucket_name)
    return deleted


def install(kept: Kept | None) -> None:
    """Keep from now on what S3 holds; None keeps nothing."""
    _KEPT[0] = kept
    setattr(S3Backend, "put_object", _put_object)  # noqa: B010
    setattr(S3Backend, "delete_object", _delete_object)  # noqa: B010
    setattr(S3Backend, "create_bucket", _create_bucket)  # noqa: B010
    setattr(S3Backend, "delete_bucket", _delete_bucket)  # noqa: B010
