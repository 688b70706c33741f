"""Opening a store by its URL: `s3://bucket/prefix`, `file:///path`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from model_store.file import FileObjects
from model_store.objects import ObjectStore
from model_store.registry import Registry
from warmstart.errors import InvalidSetting


class Store:
    """A store of models: its URL, its objects, and the registry over them. Close it, or use it in a `with`."""

    def __init__(
        self,
        url: str,
        objects: ObjectStore,
        *,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: uuid4().hex,
        closing: ExitStack | None = None,
    ) -> None:
        self.url, self.objects = url, objects
        self.registry = Registry(objects, clock=clock, new_id=new_id)
        self._closing = closing or ExitStack()

    def close(self) -> None:
        """Close the connections that were opened for the store."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.url!r})"


def open_store(
    url: str,
    *,
    region: str | None = None,
    profile: str | None = None,
    clock: Callable[[], float] = time.time,
    new_id: Callable[[], str] = lambda: uuid4().hex,
) -> Store:
    """Open the store at a URL; nothing is asked of it yet.

    `s3://bucket` or `s3://bucket/prefix` with the AWS credentials, region and endpoint that the SDK finds, or those of
    `profile` and `region`; `file:///path` is a folder, made by the first write.
    Raises: InvalidSetting for another URL, StoreDenied if there is no such profile.
    """
    try:
        where = urlsplit(url)
    except ValueError as error:
        raise _no_store(url) from error
    if where.query or where.fragment or "\0" in unquote(where.path):
        raise _no_store(url)
    match where.scheme:
        case "file" if where.path.startswith("/") and where.netloc in ("", "localhost"):
            return Store(url, FileObjects(Path(unquote(where.path))), clock=clock, new_id=new_id)
        case "s3" if where.netloc:
            return _open_bucket(url, where.netloc, _prefix(where.path), region, profile, clock, new_id)
        case _:
            raise _no_store(url)


def parse_bucket(url: str) -> tuple[str, str]:
    """Take `s3://bucket/prefix` apart: the bucket, and what stands before each key. Raises: InvalidSetting."""
    try:
        where = urlsplit(url)
    except ValueError as error:
        raise _no_store(url) from error
    if where.scheme != "s3" or not where.netloc or where.query or where.fragment or "\0" in unquote(where.path):
        raise _no_store(url)
    return where.netloc, _prefix(where.path)


def _open_bucket(
    url: str,
    bucket: str,
    prefix: str,
    region: str | None,
    profile: str | None,
    clock: Callable[[], float],
    new_id: Callable[[], str],
) -> Store:
    from model_store.s3 import S3Objects, connect

    closing = ExitStack()
    client = connect(region=region, profile=profile)
    closing.callback(client.close)
    return Store(url, S3Objects(bucket, client, prefix=prefix), clock=clock, new_id=new_id, closing=closing)


def _prefix(path: str) -> str:
    inside = unquote(path).strip("/")
    return f"{inside}/" if inside else ""


def _no_store(url: str) -> InvalidSetting:
    return InvalidSetting(f"store: expected s3://bucket, s3://bucket/prefix or file:///path; got {url!r}", name="store")
