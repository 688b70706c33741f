"""Where a body by reference may lie: a caller's words to a place on S3, within the prefixes that a stage allows.

No host is ever taken from what a caller wrote. A presigned URL has to begin, letter by letter, with one of the
addresses at which an allowed prefix can be; what follows has to be encoded as S3 signs it, so that it has one reading.

Source: Amazon S3 user guide, "Methods for accessing a bucket" and "Sharing objects with presigned URLs"; API
reference, "Authenticating Requests: Using Query Parameters".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote

from model_store.s3_endpoint import Endpoint, domain_of
from model_store.sigv4 import quote
from warmstart.errors import InvalidRequest, InvalidSetting

PREFIX: Final = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?:(?!\.{1,2}/)[A-Za-z0-9._=-]+/)*"
"""A bucket and what keys begin with, up to a slash. Nothing that a policy's resource would read as a wildcard."""
MAX_KEY_BYTES: Final = 1024
_ALGORITHM: Final = "x-amz-algorithm=aws4-hmac-sha256"
_SIGNATURE: Final = frozenset(
    {"x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders", "x-amz-signature"}
)
_BESIDE: Final = frozenset({"x-amz-algorithm", "x-amz-security-token", "x-amz-content-sha256", "x-id", "versionid"})
"""Query parameters that do not change what a request is: any other may name a part of S3 that is no object's body."""
_QUERY: Final = re.compile(r"[A-Za-z0-9._~%=&-]+")


class Prefix(NamedTuple):
    """Keys of one bucket that begin alike: with `key`, which is "" or ends with a slash."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Location(NamedTuple):
    """An object. With a `query`, that query signs the request; else whoever sends it does."""

    bucket: str
    key: str
    endpoint: Endpoint
    query: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"  # never the query: it is a credential

    def __repr__(self) -> str:
        return str(self)

    @property
    def path(self) -> str:
        """The path at the endpoint, percent-encoded."""
        return self.endpoint.prefix + quote(self.key)


class Locations(NamedTuple):
    """What a stage allows. `endpoint_url` is S3's address where it is not AWS's own in the region."""

    prefixes: tuple[Prefix, ...]
    region: str
    endpoint_url: str | None = None

    def find(self, text: str, *, header: str) -> Location:
        """Read `s3://bucket/key` or a presigned URL. Raises: InvalidRequest."""
        if not self.prefixes:
            raise InvalidRequest(
                f"{header}: expected a body in the request: this stage takes no references; "
                "name prefixes in its setting payload_locations"
            )
        if text.startswith("s3://"):
            return self._named(text, header)
        if text.startswith(("https://", "http://")):
            return self._presigned(text, header)
        raise InvalidRequest(f"{header}: expected s3://bucket/key or a presigned URL of S3, got {text[:60]!r}")

    def _named(self, text: str, header: str) -> Location:
        bucket, _, key = text.removeprefix("s3://").partition("/")
        if not any(bucket == prefix.bucket and key.startswith(prefix.key) for prefix in self.prefixes):
            raise self._outside(header, text[:200])
        _check_key(key, header)
        return Location(bucket, key, Endpoint.of(bucket, self.region, self.endpoint_url))

    def _presigned(self, url: str, header: str) -> Location:
        address, _, query = url.partition("?")
        for prefix in self.prefixes:
            for endpoint in self._endpoints(prefix.bucket):
                start = f"{'https' if endpoint.tls else 'http'}://{endpoint.authority}{endpoint.prefix}"
                if address.startswith(start + prefix.key):
                    key = _decoded(address.removeprefix(start), header)
                    _check_query(query, header)
                    return Location(prefix.bucket, key, endpoint, query)
        raise self._outside(header, address[:200])

    def _endpoints(self, bucket: str) -> Iterator[Endpoint]:
        """Yield the addresses of a bucket: AWS's own with the bucket in the host or in the path, or the other one."""
        yield Endpoint.of(bucket, self.region, self.endpoint_url)
        if self.endpoint_url is not None:
            return
        domain = domain_of(self.region)
        hosts = [f"s3.{self.region}.{domain}"]
        if domain == "amazonaws.com":  # the address from before there were regions; SDKs still sign for it
            hosts.append("s3.amazonaws.com")
        for host in hosts:
            yield Endpoint(True, host, 443, f"/{bucket}/")
            if "." not in bucket:
                yield Endpoint(True, f"{bucket}.{host}", 443, "/")

    def _outside(self, header: str, got: str) -> InvalidRequest:
        allowed = ", ".join(map(str, self.prefixes))
        return InvalidRequest(f"{header}: expected an object below {allowed}; got {got!r}")


def parse_prefix(text: str, *, name: str) -> Prefix:
    """Read `s3://bucket/prefix/`, the value of the setting `name` or a part of it. Raises: InvalidSetting."""
    if not re.fullmatch(PREFIX, text):
        raise InvalidSetting(f"{name}: expected s3://bucket/prefix/, with the last slash; got {text!r}", name=name)
    bucket, _, key = text.removeprefix("s3://").partition("/")
    return Prefix(bucket, key)


def _decoded(path: str, header: str) -> str:
    try:
        key = unquote(path, errors="strict") if path.isascii() else ""
    except UnicodeDecodeError:
        key = ""
    if quote(key) != path:
        raise InvalidRequest(f"{header}: expected a path percent-encoded as S3 signs it, got {path[:200]!r}")
    _check_key(key, header)
    return key


def _check_key(key: str, header: str) -> None:
    segments = key.split("/")
    if not key.isprintable() or len(key.encode()) > MAX_KEY_BYTES or {"", ".", ".."} & set(segments):
        raise InvalidRequest(
            f"{header}: expected a key of 1 to {MAX_KEY_BYTES} bytes, its parts neither empty nor '.' nor '..'; "
            f"got {key[:200]!r}"
        )


def _check_query(query: str, header: str) -> None:
    lowered = query.lower().split("&")
    names = [parameter.partition("=")[0] for parameter in lowered]
    if _ALGORITHM not in lowered or not set(names) >= _SIGNATURE or not _QUERY.fullmatch(query):
        raise InvalidRequest(
            f"{header}: expected a URL presigned by Signature Version 4, got another query; "
            "with boto3: Config(signature_version='s3v4')"
        )
    if len(set(names)) != len(names) or (more := set(names) - _SIGNATURE - _BESIDE):
        what = ", ".join(sorted(more)) if len(set(names)) == len(names) else "one of them twice"
        raise InvalidRequest(f"{header}: expected no query parameters beside those of a signature, got {what[:200]}")
