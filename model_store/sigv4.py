"""AWS Signature Version 4 of a request to S3, by hand: the data plane has no SDK on its cold path.

Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import NamedTuple

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


class Credentials(NamedTuple):
    """What signs a request; Lambda's execution role always has a session token."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id!r})"  # whoever shows what holds them shows no secret


def quote(path: str) -> str:
    """Percent-encode an object's path as S3 canonicalizes it: UTF-8, upper-case hex, '/' stays."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in path.encode())


def sign_get(
    path: str, *, host: str, region: str, credentials: Credentials, amz_date: str, query: str = ""
) -> list[tuple[str, str]]:
    """Sign a GET and return the headers to send, `host` included.

    `path` is percent-encoded, from '/'; `query` too, its parameters in order of their names; `host` holds the port
    unless it is the scheme's own; `amz_date` is UTC, `20260131T120000Z`. Other headers (Range, If-None-Match) may be
    sent unsigned.
    """
    return sign("GET", path, host=host, region=region, credentials=credentials, amz_date=amz_date, query=query)


def sign(
    method: str,
    path: str,
    *,
    host: str,
    region: str,
    credentials: Credentials,
    amz_date: str,
    query: str = "",
    content_sha256: str = EMPTY_SHA256,
    headers: Sequence[tuple[str, str]] = (),
) -> list[tuple[str, str]]:
    """Sign a request as `sign_get` does a GET, with its body's sha256 (hex) and further headers: names in lower case.

    S3 wants every header that begins with `x-amz-` signed. Values have no spaces at their ends, nor two in a row.
    """
    headers = [("host", host), ("x-amz-content-sha256", content_sha256), ("x-amz-date", amz_date), *headers]
    if credentials.session_token:
        headers.append(("x-amz-security-token", credentials.session_token))
    headers.sort()
    names = ";".join(name for name, _ in headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers)
    canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{content_sha256}"
    scope = f"{amz_date[:8]}/{region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = _hmac(_signing_key(credentials.secret_access_key, amz_date[:8], region), to_sign).hex()
    credential = f"Credential={credentials.access_key_id}/{scope}"
    value = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
    headers.append(("authorization", value))
    return headers


def _signing_key(secret: str, date: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, message: str) -> bytes:
    return hmac.digest(key, message.encode(), "sha256")
