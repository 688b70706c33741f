"""Verify AWS Signature Version 4, in the Authorization header or in a presigned query, for `execute-api`.

Sources: IAM user guide, "Create a signed AWS API request"; the messages are those that AWS's services answer with.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote, unquote

from local.gateway.failures import Failure, invalid_signature, unsigned
from local.gateway.headers import every, last
from local.types import HttpRequest

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SERVICE: Final = "execute-api"
_SKEW_S: Final = 300
_TIMESTAMP: Final = "%Y%m%dT%H%M%SZ"
_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a request says of its signature."""

    access_key: str
    date: str
    """The scope's day, YYYYMMDD."""
    region: str
    service: str
    timestamp: str
    """YYYYMMDDTHHMMSSZ."""
    signed_headers: tuple[str, ...]
    signature: str
    expires_s: int | None
    """None if signed in a header."""
    token: str | None

    @property
    def scope(self) -> str:
        """The credential scope."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def verify(request: HttpRequest, credentials: Mapping[str, str], *, region: str, now: float) -> str:
    """Return the access key that signed the request. Raises: Failure.

    `credentials` maps access keys to secrets; `now` is in seconds since the epoch.
    """
    claim = _claim(request)
    _check_scope(claim, region)
    secret = credentials.get(claim.access_key)
    if secret is None or claim.token is not None:
        raise invalid_signature(
            "The security token included in the request is invalid.", error_type="UnrecognizedClientException"
        )
    _check_time(claim, now)
    canonical = canonical_request(request, claim.signed_headers)
    to_sign = f"{ALGORITHM}\n{claim.timestamp}\n{claim.scope}\n{_sha256(canonical.encode())}"
    if not hmac.compare_digest(sign(secret, claim, to_sign).encode(), claim.signature.encode()):
        raise invalid_signature(
            f"{_MISMATCH}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
            f"The String-to-Sign should have been\n'{to_sign}'\n"
        )
    return claim.access_key


def canonical_request(request: HttpRequest, signed_headers: tuple[str, ...]) -> str:
    """Build the canonical request: method, path encoded twice, query, headers, their names, hash of the body."""
    headers = "".join(f"{name}:{_canonical_value(request, name)}\n" for name in signed_headers)
    return "\n".join(
        (
            request.method,
            quote(_normalized(request.path), safe="/~"),
            _canonical_query(request.query),
            headers,
            ";".join(signed_headers),
            _sha256(request.body),
        )
    )


def sign(secret: str, claim: Claim, to_sign: str) -> str:
    """Derive the signing key of the scope and sign."""
    key = f"AWS4{secret}".encode()
    for part in (claim.date, claim.region, claim.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _claim(request: HttpRequest) -> Claim:
    if (authorization := last(request.headers, "authorization")) is not None:
        return _header_claim(authorization, request)
    query = dict(_query_pairs(request.query))
    if "X-Amz-Signature" not in query and "X-Amz-Algorithm" not in query:
        raise unsigned()
    return _query_claim(query)


def _header_claim(authorization: str, request: HttpRequest) -> Claim:
    algorithm, _, rest = authorization.strip().partition(" ")
    parts = {}
    for part in rest.replace(",", " ").split():
        name, separator, value = part.partition("=")
        if not separator:
            raise _incomplete(
                f"'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{authorization}'."
            )
        parts[name] = value
    if algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{algorithm}'.")
    lacking = [name for name in ("Credential", "Signature", "SignedHeaders") if not parts.get(name)]
    if lacking:
        demands = " ".join(f"Authorization header requires '{name}' parameter." for name in lacking)
        raise _incomplete(f"{demands} Authorization={authorization}")
    timestamp = _header_timestamp(request)
    if timestamp is None:
        raise _incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            f"Authorization={authorization}"
        )
    return _built(
        parts["Credential"],
        timestamp,
        parts["SignedHeaders"],
        parts["Signature"],
        expires_s=None,
        token=last(request.headers, "x-amz-security-token"),
    )


def _query_claim(query: Mapping[str, str]) -> Claim:
    names = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature")
    lacking = [name for name in names if not query.get(name)]
    if lacking:
        raise _incomplete(" ".join(f"AWS query-string parameters must include '{name}'." for name in lacking))
    expires = query.get("X-Amz-Expires", "900")
    if query["X-Amz-Algorithm"] != ALGORITHM or not expires.isdecimal() or not 0 < int(expires) <= 604_800:
        raise _incomplete(f"AWS query-string parameters: expected {ALGORITHM} and 1 to 604800 for X-Amz-Expires.")
    return _built(
        query["X-Amz-Credential"],
        query["X-Amz-Date"],
        query["X-Amz-SignedHeaders"],
        query["X-Amz-Signature"],
        expires_s=int(expires),
        token=query.get("X-Amz-Security-Token"),
    )


def _built(
    credential: str, timestamp: str, signed: str, signature: str, *, expires_s: int | None, token: str | None
) -> Claim:
    scope = credential.split("/")
    if len(scope) != 5:
        raise _incomplete(f"Credential must have exactly 5 slash-delimited elements, got '{credential}'.")
    return Claim(
        access_key=scope[0],
        date=scope[1],
        region=scope[2],
        service=scope[3],
        timestamp=timestamp,
        signed_headers=tuple(sorted(name.lower() for name in signed.split(";"))),
        signature=signature,
        expires_s=expires_s,
        token=token,
    )


def _header_timestamp(request: HttpRequest) -> str | None:
    if sent := last(request.headers, "x-amz-date"):
        return sent
    if not (date := last(request.headers, "date")):
        return None
    try:
        return parsedate_to_datetime(date).astimezone(UTC).strftime(_TIMESTAMP)
    except (ValueError, OverflowError):  # the first and the last day of the calendar have no other time zones
        return date


def _check_scope(claim: Claim, region: str) -> None:
    if "host" not in claim.signed_headers:
        raise invalid_signature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    if claim.region != region:
        raise invalid_signature(f"Credential should be scoped to a valid region, not '{claim.region}'. ")
    if claim.service != SERVICE:
        raise invalid_signature(f"Credential should be scoped to correct service: '{SERVICE}'. ")
    if not claim.timestamp.startswith(claim.date):
        raise invalid_signature(
            f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{claim.date}' != '{claim.timestamp[:8]}', from '{claim.timestamp}'."
        )


def _check_time(claim: Claim, now: float) -> None:
    try:
        signed_at = datetime.strptime(claim.timestamp, _TIMESTAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise _incomplete(f"Date must be in ISO-8601 'basic format'. Got '{claim.timestamp}'.") from None
    lifetime_s = _SKEW_S if claim.expires_s is None else claim.expires_s
    lifetime = "5 min." if claim.expires_s is None else f"{lifetime_s} sec."
    if now > signed_at + lifetime_s:
        raise invalid_signature(
            f"Signature expired: {claim.timestamp} is now earlier than {_stamp(now - lifetime_s)} "
            f"({_stamp(now)} - {lifetime})"
        )
    if signed_at > now + _SKEW_S:
        raise invalid_signature(
            f"Signature not yet current: {claim.timestamp} is still later than {_stamp(now + _SKEW_S)} "
            f"({_stamp(now)} + 5 min.)"
        )


def _canonical_value(request: HttpRequest, name: str) -> str:
    return ",".join(" ".join(value.split()) for value in every(request.headers, name))


def _query_pairs(query: str) -> list[tuple[str, str]]:
    split = (part.partition("=") for part in query.split("&") if part)
    return [(unquote(name), unquote(value)) for name, _, value in split]


def _canonical_query(query: str) -> str:
    encoded = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in _query_pairs(query)
        if name != "X-Amz-Signature"
    )
    return "&".join(f"{name}={value}" for name, value in encoded)


def _normalized(path: str) -> str:
    """Remove empty and dot segments (RFC 3986, 5.2.4); the path stays encoded as it was sent."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    last_slash = "/" if path.endswith("/") and kept else ""
    return f"/{'/'.join(kept)}{last_slash}"


def _incomplete(message: str) -> Failure:
    return invalid_signature(message, error_type="IncompleteSignatureException")


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(_TIMESTAMP)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
