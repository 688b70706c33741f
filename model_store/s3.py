"""The object store on S3, whole: reads, conditional writes, uploads of any size that resume."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from model_store import s3_parts
from model_store.objects import ObjectInfo, OnBytes, Sent, StoredObject
from model_store.s3_errors import Contended, NotModified, RefusedAfterRetry, UploadGone, translated
from model_store.sigv4 import Credentials
from warmstart.errors import ArtifactMismatch, ObjectNotFound, PreconditionFailed, StoreDenied, StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

MIB = 1024 * 1024
PART_BYTES = 16 * MIB
"""Files up to this size are put in one request, larger ones in parts of it (S3 takes 5 MiB to 5 GiB)."""
CONFLICT_ATTEMPTS = 5
BACKOFF_S = 0.1


class S3Objects:
    """An `ObjectStore` in a bucket, below `prefix` if there is one (it ends in '/').

    `sleep` and `rng` wait between attempts that S3 asks for.
    """

    def __init__(
        self,
        bucket: str,
        client: S3Client,
        *,
        prefix: str = "",
        sleep: Callable[[float], None] = time.sleep,
        rng: Callable[[], float] = random.random,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._bucket, self._client, self._prefix = bucket, client, prefix
        self._sleep, self._rng, self._part_bytes = sleep, rng, part_bytes

    def get(self, key: str) -> StoredObject:
        """Read an object whole."""
        with translated(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            return StoredObject(answer["Body"].read(), answer["ETag"])

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag."""
        try:
            with translated(key):
                answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key, IfNoneMatch=etag)
                return StoredObject(answer["Body"].read(), answer["ETag"])
        except NotModified:
            return None

    def download(self, key: str, path: Path, *, size_bytes: int) -> None:
        """Write an object of a known size to a file, over several connections if it is large."""
        part = path.with_name(path.name + ".part")
        try:
            with translated(key):
                self._client.download_file(self._bucket, self._prefix + key, str(part))
            if (size := part.stat().st_size) != size_bytes:
                raise ArtifactMismatch(f"{key}: expected {size_bytes} bytes, the store holds {size}; publish it again")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def put(self, key: str, body: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """Write an object, return its entity tag."""
        return self._decided(key, lambda: self._put(key, io.BytesIO(body), if_absent=if_absent, if_match=if_match))

    def upload(self, key: str, path: Path, *, if_absent: bool = False, on_bytes: OnBytes | None = None) -> None:
        """Write a file, in parts if it is large; parts that an interrupted upload left are not sent again."""
        size, report = path.stat().st_size, on_bytes or (lambda _: None)
        if size > self._part_bytes:
            self._decided(key, lambda: self._put_parts(key, path, size, if_absent=if_absent, on_bytes=report))
            return
        with path.open("rb") as body:
            self._decided(key, lambda: self._put(key, body, if_absent=if_absent, if_match=None))
        report(Sent(size))

    def copy(self, source: str, key: str, *, if_absent: bool = False) -> None:
        """Write an object under another key too, within S3."""
        if not (size := self.stat(source).size_bytes):
            self.put(key, b"", if_absent=if_absent)
            return

        def write() -> str:
            try:
                return s3_parts.copy(self._target(key), self._prefix + source, size, if_absent=if_absent)
            except RefusedAfterRetry as refusal:
                raise PreconditionFailed(refusal.message) from refusal
            except UploadGone as error:
                raise Contended(key) from error

        self._decided(key, write)

    def delete(self, key: str) -> None:
        """Remove an object; in a bucket with versions it stays as a noncurrent one until its rule removes it."""
        with translated(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def stat(self, key: str) -> ObjectInfo:
        """Say how large an object is, and how old."""
        with translated(key):
            found = self._client.head_object(Bucket=self._bucket, Key=self._prefix + key)
            return ObjectInfo(found["ContentLength"], found["LastModified"].timestamp())

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order."""
        whole, pages = self._prefix + prefix, self._client.get_paginator("list_objects_v2")
        with translated(prefix):
            for page in pages.paginate(Bucket=self._bucket, Prefix=whole):
                yield from (found["Key"][len(self._prefix) :] for found in page.get("Contents", ()))

    def folders(self, prefix: str) -> Iterator[str]:
        """List the distinct next path segments under a prefix."""
        whole, pages = self._prefix + prefix, self._client.get_paginator("list_objects_v2")
        with translated(prefix):
            for page in pages.paginate(Bucket=self._bucket, Prefix=whole, Delimiter="/"):
                yield from (found["Prefix"][len(whole) : -1] for found in page.get("CommonPrefixes", ()))

    def _target(self, key: str) -> s3_parts.Target:
        return s3_parts.Target(self._client, self._bucket, self._prefix + key)

    def _decided(self, key: str, write: Callable[[], str]) -> str:
        """Repeat a conditional write until S3 decides for or against it."""
        for attempt in range(CONFLICT_ATTEMPTS):
            if attempt:
                self._sleep(BACKOFF_S * 2**attempt * (0.5 + self._rng() / 2))
            try:
                return write()
            except Contended:
                continue
        raise StoreUnavailable(f"{key}: others wrote it each of {CONFLICT_ATTEMPTS} times; try again")

    def _put(self, key: str, body: BinaryIO, *, if_absent: bool, if_match: str | None) -> str:
        body.seek(0)
        try:
            with translated(key):
                if if_absent:
                    answer = self._client.put_object(
                        Bucket=self._bucket, Key=self._prefix + key, Body=body, IfNoneMatch="*"
                    )
                elif if_match is not None:
                    answer = self._client.put_object(
                        Bucket=self._bucket, Key=self._prefix + key, Body=body, IfMatch=if_match
                    )
                else:
                    answer = self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=body)
                return answer["ETag"]
        except ObjectNotFound as error:
            raise PreconditionFailed(f"{key}: expected entity tag {if_match}, found nothing") from error
        except RefusedAfterRetry as refusal:
            # The first attempt's answer was lost: was it carried out, so that this one found its own work?
            if (etag := self._etag_if_holds(key, body)) is None:
                raise PreconditionFailed(refusal.message) from refusal
            return etag

    def _put_parts(self, key: str, path: Path, size: int, *, if_absent: bool, on_bytes: OnBytes) -> str:
        parts = s3_parts.cut(size, self._part_bytes)
        try:
            return s3_parts.upload(self._target(key), path, parts, if_absent=if_absent, on_bytes=on_bytes)
        except RefusedAfterRetry as refusal:
            if (etag := self._etag_of_file(key, path)) is None:
                raise PreconditionFailed(refusal.message) from refusal
            return etag
        except UploadGone as error:  # completed by another publisher of the same bytes, or removed by a rule
            if if_absent or (etag := self._etag_of_file(key, path)) is None:
                raise Contended(key) from error
            return etag

    def _etag_of_file(self, key: str, path: Path) -> str | None:
        """Return the entity tag of an object that holds exactly a file's bytes, None if it does not."""
        with path.open("rb") as body, suppress(ObjectNotFound):
            return self._etag_if_holds(key, body)
        return None

    def _etag_if_holds(self, key: str, body: BinaryIO) -> str | None:
        """Return the entity tag of an object that holds exactly these bytes, None if it holds others."""
        body.seek(0)
        with translated(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            same = all(chunk == body.read(len(chunk)) for chunk in answer["Body"].iter_chunks(MIB))
            return answer["ETag"] if same and not body.read(1) else None


def connect(*, region: str | None = None, profile: str | None = None) -> S3Client:
    """Build a client from what the SDK finds: credentials, region, endpoint. Raises: StoreDenied, StoreUnavailable."""
    import boto3

    with translated("s3"):
        return boto3.Session(region_name=region, profile_name=profile).client("s3")


def sdk_credentials() -> Callable[[], Credentials]:
    """Return what signs a request now: what the SDK finds when it is first asked, and renews.

    What is returned raises StoreDenied if there is nothing, StoreUnavailable if whoever has them does not answer.
    """
    import boto3

    session = boto3.Session()

    def current() -> Credentials:
        with translated("s3"):
            found = session.get_credentials()
            keys = None if found is None else found.get_frozen_credentials()
            if keys is None or not keys.access_key or not keys.secret_key:
                raise StoreDenied("s3: no usable AWS credentials: the SDK finds none")
            return Credentials(keys.access_key, keys.secret_key, keys.token)

    return current
