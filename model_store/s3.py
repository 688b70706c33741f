"""The object store on S3, whole: reads, conditional writes, uploads of any size. The SDK is used here alone."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from boto3.exceptions import Boto3Error
from botocore import exceptions as foreign

from model_store.objects import StoredObject
from warmstart.errors import (
    ArtifactMismatch,
    ObjectNotFound,
    PreconditionFailed,
    StoreDenied,
    StoreUnavailable,
    WarmstartError,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedMultipartUploadTypeDef, CompletedPartTypeDef

MIB = 1024 * 1024
SINGLE_PUT_BYTES = 64 * MIB
"""Files up to this size are put in one request, larger ones in parts (S3 refuses single puts above 5 GiB)."""
MAX_PARTS = 10_000
UPLOAD_THREADS = 4
CONFLICT_ATTEMPTS = 5
BACKOFF_S = 0.1

_DENIED = ("AccessDenied", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "403", "401")
_NO_CREDENTIALS = (
    foreign.NoCredentialsError,
    foreign.PartialCredentialsError,
    foreign.CredentialRetrievalError,
    foreign.TokenRetrievalError,
    foreign.UnauthorizedSSOTokenError,
    foreign.SSOTokenLoadError,
    foreign.ProfileNotFound,
)


class Contended(Exception):
    """S3 saw another write of this key at the same time and decided for neither: to be tried again."""


class S3Objects:
    """An `ObjectStore` in a bucket. `sleep` and `rng` wait between attempts that S3 asks for."""

    def __init__(
        self,
        bucket: str,
        client: S3Client,
        *,
        sleep: Callable[[float], None] = time.sleep,
        rng: Callable[[], float] = random.random,
        single_put_bytes: int = SINGLE_PUT_BYTES,
    ) -> None:
        self._bucket, self._client = bucket, client
        self._sleep, self._rng, self._single_put_bytes = sleep, rng, single_put_bytes

    def get(self, key: str) -> StoredObject:
        """Read an object whole."""
        with _translated(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            return StoredObject(answer["Body"].read(), answer["ETag"])

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag."""
        try:
            with _translated(key):
                answer = self._client.get_object(Bucket=self._bucket, Key=key, IfNoneMatch=etag)
                return StoredObject(answer["Body"].read(), answer["ETag"])
        except NotModified:
            return None

    def download(self, key: str, path: Path, *, size_bytes: int) -> None:
        """Write an object of a known size to a file, over several connections if it is large."""
        part = path.with_name(path.name + ".part")
        try:
            with _translated(key):
                self._client.download_file(self._bucket, key, str(part))
            if (size := part.stat().st_size) != size_bytes:
                raise ArtifactMismatch(f"{key}: expected {size_bytes} bytes, the store holds {size}; publish it again")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def put(self, key: str, body: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """Write an object, return its entity tag."""
        return self._decided(key, lambda: self._put(key, io.BytesIO(body), if_absent=if_absent, if_match=if_match))

    def upload(self, key: str, path: Path, *, if_absent: bool = False) -> None:
        """Write a file, in parts if it is large."""
        size = path.stat().st_size
        with path.open("rb") as body:
            if size <= self._single_put_bytes:
                self._decided(key, lambda: self._put(key, body, if_absent=if_absent, if_match=None))
            else:
                self._decided(key, lambda: self._put_parts(key, path, size, if_absent=if_absent))

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order."""
        with _translated(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                yield from (found["Key"] for found in page.get("Contents", ()))

    def folders(self, prefix: str) -> Iterator[str]:
        """List the distinct next path segments under a prefix."""
        pages = self._client.get_paginator("list_objects_v2")
        with _translated(prefix):
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
                yield from (found["Prefix"][len(prefix) : -1] for found in page.get("CommonPrefixes", ()))

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
            with _translated(key):
                if if_absent:
                    answer = self._client.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
                elif if_match is not None:
                    answer = self._client.put_object(Bucket=self._bucket, Key=key, Body=body, IfMatch=if_match)
                else:
                    answer = self._client.put_object(Bucket=self._bucket, Key=key, Body=body)
                return answer["ETag"]
        except ObjectNotFound as error:
            raise PreconditionFailed(f"{key}: expected entity tag {if_match}, found nothing") from error
        except RefusedAfterRetry as refusal:
            # The first attempt's answer was lost: was it carried out, so that this one found its own work?
            if (etag := self._etag_if_holds(key, body)) is None:
                raise PreconditionFailed(refusal.message) from refusal
            return etag

    def _put_parts(self, key: str, path: Path, size: int, *, if_absent: bool) -> str:
        part_bytes = max(self._single_put_bytes, -(-size // MAX_PARTS))
        with _translated(key):
            upload_id = self._client.create_multipart_upload(Bucket=self._bucket, Key=key)["UploadId"]
        finished = False
        try:
            with _translated(key), ThreadPoolExecutor(UPLOAD_THREADS) as pool:
                numbers = range(1, -(-size // part_bytes) + 1)
                parts = list(pool.map(lambda n: self._put_part(key, path, upload_id, n, part_bytes), numbers))
            etag = self._complete(key, upload_id, parts, path, if_absent=if_absent)
            finished = True
        finally:
            if not finished:
                self._abort(key, upload_id)
        return etag

    def _put_part(self, key: str, path: Path, upload_id: str, number: int, part_bytes: int) -> CompletedPartTypeDef:
        with path.open("rb") as file:
            file.seek((number - 1) * part_bytes)
            body = file.read(part_bytes)
        answer = self._client.upload_part(
            Bucket=self._bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=body
        )
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def _complete(
        self, key: str, upload_id: str, parts: list[CompletedPartTypeDef], path: Path, *, if_absent: bool
    ) -> str:
        uploaded: CompletedMultipartUploadTypeDef = {"Parts": parts}
        complete = self._client.complete_multipart_upload
        try:
            with _translated(key):
                if if_absent:
                    answer = complete(
                        Bucket=self._bucket, Key=key, UploadId=upload_id, MultipartUpload=uploaded, IfNoneMatch="*"
                    )
                else:
                    answer = complete(Bucket=self._bucket, Key=key, UploadId=upload_id, MultipartUpload=uploaded)
                return answer["ETag"]
        except RefusedAfterRetry as refusal:
            with path.open("rb") as body:
                if (etag := self._etag_if_holds(key, body)) is None:
                    raise PreconditionFailed(refusal.message) from refusal
            return etag

    def _abort(self, key: str, upload_id: str) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except (foreign.ClientError, foreign.BotoCoreError):
            return  # the bucket's lifecycle rule removes it; what went wrong before is what the caller has to know

    def _etag_if_holds(self, key: str, body: BinaryIO) -> str | None:
        """Return the entity tag of an object that holds exactly these bytes, None if it holds others."""
        body.seek(0)
        with _translated(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            same = all(chunk == body.read(len(chunk)) for chunk in answer["Body"].iter_chunks(MIB))
            return answer["ETag"] if same and not body.read(1) else None


class NotModified(Exception):
    """The object still has the entity tag that the caller knows."""


class RefusedAfterRetry(Exception):
    """A condition failed, but an earlier attempt of the same request may have been carried out."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """The one place where the SDK's errors become ours."""
    try:
        yield
    except foreign.ClientError as error:
        raise _of_answer(key, error) from error
    except _NO_CREDENTIALS as error:
        raise StoreDenied(f"{key}: no usable AWS credentials: {error}") from error
    except (foreign.BotoCoreError, Boto3Error) as error:  # a transfer that is given up raises a class of boto3's own
        raise StoreUnavailable(f"{key}: the store is not reachable: {error}") from error


def _of_answer(key: str, error: foreign.ClientError) -> WarmstartError | Contended | NotModified | RefusedAfterRetry:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    metadata = error.response["ResponseMetadata"]
    match code:
        case "NoSuchBucket":
            return StoreUnavailable(f"{key}: there is no such bucket: is the stage deployed, and in this region?")
        case "NoSuchKey" | "404":
            return ObjectNotFound(f"{key}: the store holds nothing under this key")
        case "NotModified" | "304":
            return NotModified(key)
        case "ConditionalRequestConflict":
            return Contended(key)
        case "PreconditionFailed" | "412":
            refusal = f"{key}: the object is not in the state that the write expected"
            return RefusedAfterRetry(refusal) if metadata.get("RetryAttempts") else PreconditionFailed(refusal)
    if code in _DENIED or metadata.get("HTTPStatusCode") in (401, 403):
        return StoreDenied(f"{key}: the store refused: {code} {message}")
    return StoreUnavailable(f"{key}: the store answered {code} {message}")
