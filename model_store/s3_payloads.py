"""Bodies by reference on S3, over its REST API: imported when a request first names one.

`http.client` costs nothing here that a body above 6 MB would notice. It follows no redirect, and neither does this.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Final, NamedTuple

from model_store.payload_objects import Payload, check_size, not_found
from model_store.sigv4 import EMPTY_SHA256, Credentials, sign
from warmstart.errors import InvalidRequest, StoreDenied, StoreUnavailable, WarmstartError

if TYPE_CHECKING:
    from model_store.payload_locations import Location
    from model_store.s3_endpoint import Endpoint

BACKOFF_S: Final = 0.1
_REFUSAL_BYTES: Final = 64 * 1024
_OURS: Final = ("ExpiredToken", "InvalidToken")


class _Answer(NamedTuple):
    """What S3 answered; the body is an error's, if it is one."""

    status: int
    content_type: str
    content_encoding: str
    body: bytes


class S3Payloads:
    """`PayloadObjects` on S3. `credentials` is called for each request that no query signs.

    `clock` gives seconds since the epoch, `timeout_s` bounds each wait on the network, `attempts` how often a request
    is sent before it fails with StoreUnavailable.
    """

    def __init__(
        self,
        *,
        region: str,
        credentials: Callable[[], Credentials],
        timeout_s: float = 5.0,
        attempts: int = 3,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._region, self._credentials = region, credentials
        self._timeout_s, self._attempts = timeout_s, attempts
        self._clock, self._sleep = clock, sleep

    def get(self, location: Location, *, limit_bytes: int) -> Payload:
        """Read an object whole, unless it is above the limit."""
        answer = self._answered(location, "GET", None, [], limit_bytes)
        return Payload(answer.body, answer.content_type, answer.content_encoding)

    def put(self, location: Location, payload: Payload) -> None:
        """Write an object. A presigned URL says what may be signed, so no metadata goes with it."""
        headers = [("content-type", payload.content_type)] if payload.content_type else []
        if payload.content_encoding:
            headers.append(("content-encoding", payload.content_encoding))
        if not location.query:
            headers += [(f"x-amz-meta-{name}", value) for name, value in payload.metadata]
        self._answered(location, "PUT", payload.body, headers, _REFUSAL_BYTES)

    def _answered(
        self, location: Location, method: str, body: bytes | None, headers: list[tuple[str, str]], limit_bytes: int
    ) -> _Answer:
        trouble = ""
        for attempt in range(self._attempts):
            if attempt:
                self._sleep(BACKOFF_S * 2**attempt)
            try:
                answer = self._send(location, method, body, headers, limit_bytes)
            except TimeoutError:
                trouble = f"no answer within {self._timeout_s:g} s"
            except (OSError, HTTPException) as error:
                trouble = f"{type(error).__name__}: {error}"
            else:
                if answer.status == 200:
                    return answer
                if answer.status < 500 and answer.status != 429:
                    raise _refused(location, answer)
                trouble = f"status {answer.status} {_code(answer.body)}"
        raise StoreUnavailable(f"{location}: S3 did not answer in {self._attempts} attempts; the last: {trouble}")

    def _send(
        self, location: Location, method: str, body: bytes | None, headers: list[tuple[str, str]], limit_bytes: int
    ) -> _Answer:
        connection = self._connection(location.endpoint)
        try:
            if location.query:
                signed = [("host", location.endpoint.authority), *headers]
                connection.request(method, f"{location.path}?{location.query}", body, dict(signed))
            else:
                connection.request(method, location.path, body, self._signed(location, method, body, headers))
            return _read(location, connection.getresponse(), limit_bytes)
        finally:
            connection.close()

    def _signed(
        self, location: Location, method: str, body: bytes | None, headers: list[tuple[str, str]]
    ) -> dict[str, str]:
        signed = sign(
            method,
            location.path,
            host=location.endpoint.authority,
            region=self._region,
            credentials=self._credentials(),
            amz_date=time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock())),
            content_sha256=EMPTY_SHA256 if body is None else hashlib.sha256(body).hexdigest(),
            headers=headers,
        )
        return dict(signed)

    def _connection(self, endpoint: Endpoint) -> HTTPConnection:
        if endpoint.tls:
            return HTTPSConnection(endpoint.host, endpoint.port, timeout=self._timeout_s)
        return HTTPConnection(endpoint.host, endpoint.port, timeout=self._timeout_s)


def _read(location: Location, response: HTTPResponse, limit_bytes: int) -> _Answer:
    """Read an answer, an object's only if it is within the limit. Raises: BodyTooLarge, HTTPException, OSError."""
    content_type, encoding = response.getheader("content-type", ""), response.getheader("content-encoding", "")
    if response.status != 200:
        return _Answer(response.status, content_type, encoding, response.read(_REFUSAL_BYTES))
    if (size := response.length) is None:
        raise HTTPException("an answer that does not say how long it is")
    check_size(location, size, limit_bytes)
    body = response.read(size)
    if len(body) != size:
        raise HTTPException(f"an answer of {len(body)} bytes that said {size}")
    return _Answer(200, content_type, encoding, body)


def _refused(location: Location, answer: _Answer) -> WarmstartError:
    code = _code(answer.body)
    said = f"{answer.status} {code}".rstrip()
    if answer.status == 404:
        return not_found(location)
    if code in _OURS and not location.query:
        return StoreDenied(f"{location}: S3 refused the function's credentials ({said})")
    if answer.status in (401, 403):
        remedy = "presign it anew" if location.query else "is it there, and does the bucket's policy let the function?"
        return InvalidRequest(f"{location}: S3 refused it ({said}); {remedy}")
    if 300 <= answer.status < 400:
        return InvalidRequest(f"{location}: S3 sent elsewhere ({said}); expected a bucket of the stage's own region")
    return InvalidRequest(f"{location}: S3 did not understand it ({said})")


def _code(body: bytes) -> str:
    """Take the code out of S3's error document."""
    return body.partition(b"<Code>")[2].partition(b"</Code>")[0][:80].decode("latin-1")
