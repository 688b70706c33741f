"""API Gateway's REST proxy event as a small value. The only reader of events.

Source: API Gateway developer guide, "Input format of a Lambda function for proxy integration".
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from warmstart.errors import BodyTooLarge, InvalidRequest, MalformedBody, UnsupportedMediaType

BODY_LIMIT: Final = 6 * 1024 * 1024
"""Lambda takes no larger synchronous request (Lambda developer guide, "Lambda quotas")."""

_JSON: Final = ("", "application/json", "application/x-www-form-urlencoded")
"""The last is what `curl -d` says when it is not told otherwise: the body is read as JSON all the same."""
_UTF8: Final = ("utf-8", "utf8", "us-ascii")


class Request(NamedTuple):
    """What of an event matters. `path` is the route's own: without a base path, and without a '/' at its end."""

    method: str
    path: str
    content_type: str
    body: bytes


def parse_event(event: Mapping[str, Any]) -> Request:
    """Read an event. Raises: InvalidRequest, MalformedBody, BodyTooLarge."""
    method, path = event.get("httpMethod"), event.get("path")
    if type(method) is not str or type(path) is not str:
        raise InvalidRequest("event: expected API Gateway's REST proxy event with 'httpMethod' and 'path', got none")
    return Request(method, _without_base(path, event.get("resource")), _content_type(event), _body(event))


def _without_base(path: str, resource: object) -> str:
    # A default endpoint's stage is not in the path, a custom domain's base path is. `resource` is the matched route
    # without either (`/v2/models/{model}/infer`): as many segments at the path's end are ours.
    path = path.rstrip("/")
    depth = resource.count("/") if type(resource) is str and "+}" not in resource else 0
    return f"/{'/'.join(path.lstrip('/').split('/')[-depth:])}" if depth else path


def _content_type(event: Mapping[str, Any]) -> str:
    headers = event.get("headers")
    if type(headers) is not dict:
        return ""
    found = headers.get("Content-Type") or headers.get("content-type")
    if found is None:
        found = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    return found if type(found) is str else ""


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body")
    if text is None:
        return b""
    if type(text) is not str:
        raise InvalidRequest("event: expected a string as 'body'")
    try:
        body = a2b_base64(text, strict_mode=True) if event.get("isBase64Encoded") else text.encode()
    except (Base64Error, ValueError):
        raise MalformedBody("body: expected UTF-8 text, or base64 where the event says so, got neither") from None
    if len(body) > BODY_LIMIT:
        raise BodyTooLarge(f"body: expected at most {BODY_LIMIT} bytes, got {len(body)}; send fewer rows per request")
    return body


def check_json(content_type: str) -> None:
    """Check that a body says it is JSON, or says nothing. Raises: UnsupportedMediaType."""
    if content_type == "application/json":
        return
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if media not in _JSON:
        raise UnsupportedMediaType(f"content-type: expected application/json, got {content_type[:80]!r}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "charset" and value.strip('"') not in _UTF8:
            raise UnsupportedMediaType(f"content-type: expected charset utf-8, got {value[:40]!r}")
