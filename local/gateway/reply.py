"""Read what a function returned to a Lambda proxy integration, and make the response of it.

Sources: API Gateway developer guide, "Output format of a Lambda function for proxy integration", "Return binary media
from a Lambda proxy integration in API Gateway", "Amazon API Gateway important notes" (remapped headers).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any, Final, NoReturn

from local.gateway.api import Api
from local.gateway.event import is_binary
from local.gateway.failures import failed, misconfigured
from local.gateway.headers import last
from local.gateway.limits import MAX_BODY_BYTES
from local.types import HttpRequest, HttpResponse

_FIELDS: Final = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
_REMAPPED: Final = frozenset({"connection", "content-length", "date", "server", "www-authenticate"})
_DROPPED: Final = frozenset({"transfer-encoding"})
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.1

Headers = list[tuple[str, str]]


def response_of(payload: bytes, request: HttpRequest, api: Api) -> HttpResponse:
    """Make a response of a function's result. Raises: Failure if it is not of the documented format."""
    try:
        result = json.loads(payload)
    except ValueError:
        _malformed("it is not JSON")
    if not isinstance(result, dict):
        _malformed(f"expected an object, got {type(result).__name__}")
    if unknown := sorted(result.keys() - _FIELDS):
        _malformed(f"unknown fields: {', '.join(unknown)}")
    headers = _remapped(_merged(result.get("headers"), result.get("multiValueHeaders")))
    if last(headers, "content-type") is None:
        headers.append(("Content-Type", "application/json"))
    body = _body(result.get("body"), result.get("isBase64Encoded"), request, api)
    if len(body) > MAX_BODY_BYTES:
        raise misconfigured(f"Response of {len(body)} bytes is larger than the allowed maximum of {MAX_BODY_BYTES}")
    return HttpResponse(status=_status(result.get("statusCode")), headers=tuple(headers), body=body)


def _status(value: Any) -> int:
    """Read the status: a number or its digits; none is 200."""
    if value is None:
        return 200
    if isinstance(value, bool) or not str(value).isdecimal() or not 200 <= int(value) <= 599:
        _malformed(f"statusCode: expected a status, got {value!r}")
    return int(value)


def _merged(single: Any, multiple: Any) -> Headers:
    """Merge both kinds of headers: multiple values first, in their case; a value that is in both comes once."""
    merged = [(name, value) for name, values in _checked(multiple, list) for value in map(_text, values)]
    cases = {name.lower(): name for name, _ in merged}
    for name, value in _checked(single, str | bool | int | float):
        pair = (cases.get(name.lower(), name), _text(value))
        if pair not in merged:
            merged.append(pair)
    return merged


def _checked(headers: Any, kind: Any) -> list[tuple[str, Any]]:
    if headers is None:
        return []
    if not isinstance(headers, dict) or not all(isinstance(value, kind) for value in headers.values()):
        _malformed("headers and multiValueHeaders: expected an object of strings, or of lists of strings")
    if bad := next((name for name in headers if not _NAME.fullmatch(name)), None):
        _malformed(f"headers: {bad!r} is no header name")
    return list(headers.items())


def _text(value: Any) -> str:
    if not isinstance(value, str | bool | int | float):
        _malformed(f"headers: expected strings, got {type(value).__name__}")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if any(character in text for character in "\r\n\0"):
        _malformed("headers: a value has a line break")
    return text


def _remapped(headers: Headers) -> Headers:
    return [
        (f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED else name, value)
        for name, value in headers
        if name.lower() not in _DROPPED
    ]


def _body(body: Any, encoded: Any, request: HttpRequest, api: Api) -> bytes:
    if body is None:
        return b""
    if not isinstance(body, str):
        _malformed(f"body: expected a string, got {type(body).__name__}")
    if not encoded or not is_binary(api, _first_accepted(request)):
        return body.encode(errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise misconfigured(f"Unable to base64 decode the body: {error}") from None


def _first_accepted(request: HttpRequest) -> str:
    """Only the first media type of Accept decides."""
    return (last(request.headers, "accept") or "").split(",")[0].partition(";")[0].strip().lower()


def _malformed(detail: str) -> NoReturn:
    raise failed(f"Malformed Lambda proxy response: {detail}")
