"""The data plane's own S3 client: reads, signs by hand, and imports next to nothing.

Its methods are called in each cold start, so they import nothing: what they need
is imported with this module, or when the reader is built.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from model_store.connection import Broken, Connection, Head
from model_store.objects import StoredObject
from model_store.pieces import MAX_CONNECTIONS, fetch_pieces
from model_store.s3_endpoint import Endpoint
from model_store.sigv4 import Credentials, quote, sign_get
from warmstart.errors import (
    ArtifactMismatch,
    InsufficientMemory,
    ObjectNotFound,
    StoreDenied,
    StoreUnavailable,
    WarmstartError,
)

if TYPE_CHECKING:
    from pathlib import Path

KEEP_ALIVE_S = 15.0
"""S3 closes an idle connection after some 20 s; after a freeze the close may never have arrived."""
BACKOFF_S = 0.1
RECHECK_TIMEOUT_S = 1.0
"""A conditional read asks whether what is known still holds: its caller can go on without an answer, so it is tried
once, and waits no longer than this. A warm function would otherwise stand still before a store that is gone."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FAULTS = (429, 500, 502, 503, 504)
_REMEDIES = {
    "AccessDenied": ": the role needs s3:GetObject on it, and s3:ListBucket on the bucket "
    "(without it S3 says so of a missing object too)",
    "RequestTimeTooSkewed": ": this machine's clock is more than 15 minutes off",
}


def _chance() -> float:
    # As random.random, whose module takes 2 ms to import.
    return int.from_bytes(os.urandom(4), "big") / 2**32


class Patience(NamedTuple):
    """How long each wait on the network may take, and how often a request is sent."""

    timeout_s: float
    attempts: int


class S3Reader:
    """An `ObjectReader` over S3's REST API. Safe to use from several threads.

    `credentials` is called for each request; `clock` gives seconds since the epoch, `timeout_s` bounds each
    wait on the network, `attempts` how often a request is sent before it fails with StoreUnavailable.
    """

    def __init__(
        self,
        bucket: str,
        *,
        region: str,
        credentials: Callable[[], Credentials],
        endpoint_url: str | None = None,
        timeout_s: float = 5.0,
        attempts: int = 3,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        rng: Callable[[], float] = _chance,
    ) -> None:
        """Build without touching the network; with TLS, load the trusted roots. Raises: InvalidSetting."""
        self._endpoint = Endpoint.of(bucket, region, endpoint_url)
        self._region, self._credentials = region, credentials
        self._patience = Patience(timeout_s, attempts)
        self._clock, self._sleep, self._rng = clock, sleep, rng
        self._idle: list[Connection] = []
        self._tls = None
        if self._endpoint.tls:
            import ssl

            self._tls = ssl.create_default_context()

    def get(self, key: str) -> StoredObject:
        """Read an object whole."""
        body = bytearray()
        head = self._fetch(key, [], body.clear, body.extend)
        return StoredObject(bytes(body), head.headers.get("etag", ""))

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag: one attempt, see `RECHECK_TIMEOUT_S`."""
        body = bytearray()
        recheck = Patience(min(RECHECK_TIMEOUT_S, self._patience.timeout_s), attempts=1)
        head = self._fetch(key, [("if-none-match", etag)], body.clear, body.extend, recheck)
        return None if head.status == 304 else StoredObject(bytes(body), head.headers.get("etag", ""))

    def download(self, key: str, path: Path, *, size_bytes: int, digests: bool = True) -> tuple[str, ...] | None:
        """Write an object of a known size to a file, return its parts' sha256 in hex: see `pieces` for how it comes.

        Without `digests` it returns None: they are left to who asks. The bytes grow in `{path}.part`, which is renamed
        when all are there. One download per path at a time.
        """
        target = os.fspath(path)
        part = f"{target}.part"
        try:
            found = self._download(key, part, size_bytes, digests)
            os.replace(part, target)  # noqa: PTH105 - pathlib is not imported here
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise InsufficientMemory(
                    f"{key}: no room for {size_bytes} bytes at {target}; give the function more ephemeral storage"
                ) from error
            raise
        finally:
            _remove(part)
        return found if digests else None

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order: one request per thousand. No cold start does."""
        from model_store.s3_listing import parse_listing, query_of

        token: str | None = None
        while True:
            body = bytearray()
            query = query_of(prefix, token)
            self._fetch("", [], body.clear, body.extend, query=query)
            found, token = parse_listing(bytes(body), prefix)
            yield from found
            if token is None:
                return

    def close(self) -> None:
        """Close the idle connections."""
        while (connection := self._pop_idle()) is not None:
            connection.close()

    def _download(self, key: str, part: str, size: int, digests: bool) -> tuple[str, ...]:
        fd = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _preallocate(fd, size)

            def fetch(start: int, stop: int, came: Callable[[int], bool]) -> str:
                return self._download_range(key, fd, start, stop, size, came, digests)

            return fetch_pieces(size, fetch)
        finally:
            os.close(fd)

    def _download_range(
        self, key: str, fd: int, start: int, stop: int, size: int, came: Callable[[int], bool], digests: bool
    ) -> str:
        position, digest = start, hashlib.sha256()

        def restart() -> None:
            nonlocal position, digest
            position, digest = start, hashlib.sha256()

        def write(piece: memoryview) -> None:
            nonlocal position
            if came(len(piece)):
                raise StoreUnavailable(f"{key}: given up because another piece failed")
            if position + len(piece) > stop:
                raise _mismatch(key, size, "more")
            if digests:
                digest.update(piece)
            position += _write(fd, piece, position)

        whole = (start, stop) == (0, size)
        head = self._fetch(key, [] if whole else [("range", f"bytes={start}-{stop - 1}")], restart, write)
        if head.status == 416 or (head.status == 206 and _total(head) != str(size)):
            raise _mismatch(key, size, _total(head))
        if position != stop:
            raise _mismatch(key, size, str(position) if whole else "less")
        return digest.hexdigest()

    def _fetch(
        self,
        key: str,
        headers: list[tuple[str, str]],
        restart: Callable[[], None],
        sink: Callable[[memoryview], object],
        patience: Patience | None = None,
        query: str = "",
    ) -> Head:
        """Send a GET until it is answered: `sink` takes the body's pieces, `restart` forgets those it had.

        Raises: ObjectNotFound, StoreUnavailable, StoreDenied, and what `sink` raises.
        """
        timeout_s, attempts = patience or self._patience
        path = self._endpoint.prefix + quote(key) if key else self._endpoint.bucket_path
        trouble = ""
        for attempt in range(attempts):
            if attempt:
                self.close()  # what else is idle may be as dead
                self._sleep(BACKOFF_S * 2**attempt * (0.5 + self._rng() / 2))
            restart()
            try:
                head, refusal = self._send(path, headers, sink, timeout_s, query)
            except Broken as error:
                trouble = str(error)
            except TimeoutError:
                trouble = f"no answer within {timeout_s:g} s"
            except OSError as error:
                if error.errno in _NO_ROOM:
                    raise
                trouble = f"{type(error).__name__}: {error}"
            else:
                if head.status in (200, 206, 304, 416):
                    return head
                if head.status not in _FAULTS:
                    raise _refused(key, head, refusal)
                trouble = f"status {head.status} {_code(refusal)}"
        where = f"{'https' if self._endpoint.tls else 'http'}://{self._endpoint.authority}"
        raise StoreUnavailable(
            f"{key}: {where} did not answer in {attempts} attempt{'s' * (attempts > 1)}; the last: {trouble}"
        )

    def _send(
        self,
        path: str,
        headers: list[tuple[str, str]],
        sink: Callable[[memoryview], object],
        timeout_s: float,
        query: str,
    ) -> tuple[Head, bytes]:
        """Send one GET; an idle connection that turns out to be dead is replaced. The refusal is an error's body."""
        amz_date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        signed = sign_get(
            path,
            host=self._endpoint.authority,
            region=self._region,
            credentials=self._credentials(),
            amz_date=amz_date,
            query=query,
        )
        target = f"{path}?{query}" if query else path
        connection = self._idle_connection(timeout_s)
        try:
            if connection is not None:
                try:
                    head = connection.get(target, signed + headers)
                except Broken as error:
                    if not error.unanswered:
                        raise
                    connection.close()
                    connection = None
            if connection is None:
                connection = self._connect(timeout_s)
                head = connection.get(target, signed + headers)
            refusal = bytearray()
            connection.read_into(head, sink if head.status in (200, 206) else refusal.extend)
        finally:
            if connection is not None:
                self._release(connection)
        return head, bytes(refusal)

    def _connect(self, timeout_s: float) -> Connection:
        endpoint = self._endpoint
        return Connection(endpoint.host.encode("ascii"), endpoint.port, tls=self._tls, timeout_s=timeout_s)

    def _idle_connection(self, timeout_s: float) -> Connection | None:
        while (connection := self._pop_idle()) is not None:
            if 0 <= self._clock() - connection.used_at < KEEP_ALIVE_S:
                connection.wait_at_most(timeout_s)
                return connection
            connection.close()
        return None

    def _pop_idle(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:  # to ask before would be a race: another range may take it in between
            return None

    def _release(self, connection: Connection) -> None:
        if connection.reusable and len(self._idle) < MAX_CONNECTIONS:
            connection.used_at = self._clock()
            self._idle.append(connection)
        else:
            connection.close()


def _refused(key: str, head: Head, body: bytes) -> WarmstartError:
    code = _code(body)
    if head.status == 404 and code != "NoSuchBucket":
        return ObjectNotFound(f"{key}: the store holds nothing under this key")
    if code in ("ExpiredToken", "InvalidToken"):  # S3 answers these with 400
        return StoreDenied(f"{key}: the store refused the credentials ({head.status} {code})")
    if head.status in (401, 403):
        return StoreDenied(f"{key}: the store refused ({head.status} {code}){_REMEDIES.get(code, '')}")
    where = head.headers.get("x-amz-bucket-region")
    hint = f"; the bucket is in {where}" if where else ""
    return StoreUnavailable(f"{key}: the store answered {head.status} {code}{hint}")


def _code(body: bytes) -> str:
    """Take the code out of S3's error document: `<Error><Code>NoSuchKey</Code>...`."""
    return body.partition(b"<Code>")[2].partition(b"</Code>")[0][:80].decode("latin-1")


def _total(head: Head) -> str:
    return head.headers.get("content-range", "").rpartition("/")[2]


def _mismatch(key: str, expected: int, got: str) -> ArtifactMismatch:
    return ArtifactMismatch(f"{key}: expected {expected} bytes, the store holds {got}; publish it again")


def _preallocate(fd: int, size: int) -> None:
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
    else:
        os.ftruncate(fd, size)


def _write(fd: int, piece: memoryview, position: int) -> int:
    written = 0
    while written < len(piece):
        written += os.pwrite(fd, piece[written:], position + written)
    return written


def _remove(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108 - pathlib is not imported here
    except FileNotFoundError:
        return
