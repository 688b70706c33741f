"""The store that a server reads, by its URL: over the data plane's own S3 client where it finds keys to sign with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from model_store.stores import open_store
from warmstart import environment

if TYPE_CHECKING:
    from model_store.objects import ObjectReader, StoredObject
    from model_store.payload_objects import PayloadObjects
    from model_store.sigv4 import Credentials


class Below:
    """The objects of a reader that lie below a prefix."""

    def __init__(self, reader: ObjectReader, prefix: str) -> None:
        self._reader, self._prefix = reader, prefix

    def get(self, key: str) -> StoredObject:
        """Read an object whole."""
        return self._reader.get(self._prefix + key)

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag."""
        return self._reader.get_if_changed(self._prefix + key, etag)

    def download(self, key: str, path: Path, *, size_bytes: int) -> None:
        """Write an object of a known size to a file."""
        self._reader.download(self._prefix + key, path, size_bytes=size_bytes)

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order."""
        return (key.removeprefix(self._prefix) for key in self._reader.keys(self._prefix + prefix))


def open_reader(url: str, env: Mapping[str, str], closing: ExitStack) -> ObjectReader:
    """Open the store at `s3://bucket/prefix` or `file:///path`; nothing is asked of it yet.

    Where the environment holds no keys, the SDK finds credentials: a role of the container, of the pod or of the
    machine, which it renews. Raises: InvalidSetting.
    """
    region = env.get(environment.REGION) or env.get(environment.DEFAULT_REGION)
    if url.startswith("s3://") and region and env.get(environment.ACCESS_KEY_ID):
        return _open_bucket(url, region, env)
    return closing.enter_context(open_store(url, region=region or None)).objects


def _open_bucket(url: str, region: str, env: Mapping[str, str]) -> ObjectReader:
    from model_store.s3_reader import S3Reader
    from model_store.stores import parse_bucket

    bucket, prefix = parse_bucket(url)
    credentials = _keys(env)
    endpoint_url = env.get(environment.STORE_ENDPOINT) or env.get(environment.ENDPOINT) or None
    reader = S3Reader(bucket, region=region, credentials=lambda: credentials, endpoint_url=endpoint_url)
    return Below(reader, prefix) if prefix else reader


def _keys(env: Mapping[str, str]) -> Credentials:
    from model_store.sigv4 import Credentials

    return Credentials(
        env[environment.ACCESS_KEY_ID],
        env.get(environment.SECRET_ACCESS_KEY, ""),
        env.get(environment.SESSION_TOKEN) or None,
    )


def open_payloads(region: str, env: Mapping[str, str]) -> PayloadObjects:
    """Open what reads and writes bodies by reference, with the credentials that a bucket would be read with."""
    from model_store.s3_payloads import S3Payloads

    if env.get(environment.ACCESS_KEY_ID):
        keys = _keys(env)
        return S3Payloads(region=region, credentials=lambda: keys)
    from model_store.s3 import sdk_credentials

    return S3Payloads(region=region, credentials=sdk_credentials())
