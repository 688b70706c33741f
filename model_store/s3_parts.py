"""Uploads to S3 in parts: several at once, completed conditionally, continued where an earlier attempt broke off.

A failed upload is not aborted: its parts are what the next attempt need not send. S3 keeps them, out of sight, until
the upload is completed or the bucket's lifecycle rule removes it (after a day in a bucket of ours).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from model_store.objects import OnBytes, Sent
from model_store.s3_errors import Contended, UploadGone, translated
from model_store.side_by_side import side_by_side
from warmstart.errors import PreconditionFailed, StoreDenied, StoreError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

MAX_PARTS: Final = 10_000
COPY_BYTES: Final = 512 * 1024 * 1024
"""Objects are copied in parts of this size: S3 takes up to 5 GiB, and smaller ones go side by side."""


class Target(NamedTuple):
    """Where an object goes."""

    client: S3Client
    bucket: str
    key: str


class Part(NamedTuple):
    """One part of a file: its number from 1, and where its bytes are."""

    number: int
    start: int
    size: int


def cut(size: int, part_bytes: int) -> list[Part]:
    """Cut a file into parts of a size, which grows if there would be more than S3 takes."""
    step = max(part_bytes, -(-size // MAX_PARTS))
    return [Part(index + 1, start, min(step, size - start)) for index, start in enumerate(range(0, size, step))]


def upload(target: Target, path: Path, parts: list[Part], *, if_absent: bool, on_bytes: OnBytes) -> str:
    """Send a file's missing parts and complete the upload; return the entity tag.

    Raises: Contended, RefusedAfterRetry, UploadGone, PreconditionFailed, StoreError: the parts stay but for conflicts.
    """
    found = _unfinished(target, parts)
    upload_id, there = found or (_create(target), {})

    def send(part: Part) -> CompletedPartTypeDef:
        with path.open("rb") as file:
            file.seek(part.start)
            body = file.read(part.size)
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        if there.get(part.number) == etag:
            on_bytes(Sent(part.size, found=True))
            return {"PartNumber": part.number, "ETag": etag}
        with translated(target.key):
            answer = target.client.upload_part(
                Bucket=target.bucket, Key=target.key, UploadId=upload_id, PartNumber=part.number, Body=body
            )
        on_bytes(Sent(part.size))
        return {"PartNumber": part.number, "ETag": answer["ETag"]}

    sent = list(side_by_side(send, parts))
    with _ended_by_conflicts(target, upload_id):
        return _complete(target, upload_id, sent, if_absent=if_absent)


def copy(target: Target, source: str, size: int, *, if_absent: bool) -> str:
    """Copy an object of the same bucket, which is not empty; return the entity tag. CopyObject would end at 5 GiB.

    Raises: as `upload`, ObjectNotFound.
    """
    upload_id, parts = _create(target), cut(size, COPY_BYTES)

    def send(part: Part) -> CompletedPartTypeDef:
        copy_part = partial(
            target.client.upload_part_copy,
            Bucket=target.bucket,
            Key=target.key,
            UploadId=upload_id,
            PartNumber=part.number,
            CopySource={"Bucket": target.bucket, "Key": source},
        )
        with translated(source):
            if len(parts) == 1:  # S3 takes a range of objects above 5 MB alone
                answer = copy_part()
            else:
                answer = copy_part(CopySourceRange=f"bytes={part.start}-{part.start + part.size - 1}")
        return {"PartNumber": part.number, "ETag": answer["CopyPartResult"]["ETag"]}

    with _aborted_on_failure(target, upload_id):
        return _complete(target, upload_id, list(side_by_side(send, parts)), if_absent=if_absent)


def _create(target: Target) -> str:
    with translated(target.key):
        return target.client.create_multipart_upload(Bucket=target.bucket, Key=target.key)["UploadId"]


def _unfinished(target: Target, parts: list[Part]) -> tuple[str, dict[int, str]] | None:
    """Find the newest unfinished upload of this key, cut as we cut, with the entity tags of the parts it has.

    Who may not list uploads may publish all the same: from the beginning.
    """
    sizes = {part.number: part.size for part in parts}
    try:
        uploads = sorted(_uploads(target), reverse=True)
        for _, upload_id in uploads:
            there = list(_parts(target, upload_id))
            if all(sizes.get(number) == size for number, _, size in there):
                return upload_id, {number: etag for number, etag, _ in there}
    except (StoreDenied, UploadGone):
        return None
    return None


def _uploads(target: Target) -> Iterator[tuple[str, str]]:
    pages = target.client.get_paginator("list_multipart_uploads")
    with translated(target.key):
        for page in pages.paginate(Bucket=target.bucket, Prefix=target.key):
            for found in page.get("Uploads", ()):
                if found["Key"] == target.key:
                    yield found["Initiated"].isoformat(), found["UploadId"]


def _parts(target: Target, upload_id: str) -> Iterator[tuple[int, str, int]]:
    pages = target.client.get_paginator("list_parts")
    with translated(target.key):
        for page in pages.paginate(Bucket=target.bucket, Key=target.key, UploadId=upload_id):
            yield from ((part["PartNumber"], part["ETag"], part["Size"]) for part in page.get("Parts", ()))


def _complete(target: Target, upload_id: str, parts: list[CompletedPartTypeDef], *, if_absent: bool) -> str:
    complete = partial(
        target.client.complete_multipart_upload,
        Bucket=target.bucket,
        Key=target.key,
        UploadId=upload_id,
        MultipartUpload={"Parts": parts},
    )
    with translated(target.key):
        return (complete(IfNoneMatch="*") if if_absent else complete())["ETag"]


@contextmanager
def _ended_by_conflicts(target: Target, upload_id: str) -> Iterator[None]:
    """Abort where nothing is left to continue: the key is taken, or S3 wants the upload anew."""
    try:
        yield
    except (Contended, PreconditionFailed):
        _abort(target, upload_id)
        raise


@contextmanager
def _aborted_on_failure(target: Target, upload_id: str) -> Iterator[None]:
    finished = False
    try:
        yield
        finished = True
    finally:
        if not finished:
            _abort(target, upload_id)


def _abort(target: Target, upload_id: str) -> None:
    # What went wrong before is what the caller has to know; the bucket's lifecycle rule removes the rest.
    with suppress(StoreError, UploadGone), translated(target.key):
        target.client.abort_multipart_upload(Bucket=target.bucket, Key=target.key, UploadId=upload_id)
