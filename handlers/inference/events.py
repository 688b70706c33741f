"""API Gateway's REST proxy event to a request, and an answer to its proxy response. The only reader of events.

Source: API Gateway developer guide, "Input format of a Lambda function for proxy integration" and "Output format".
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from handlers.inference.answers import Answer, headers_of
from warmstart.errors import AnswerTooLarge, BodyTooLarge, InvalidRequest, MalformedBody
from warmstart.protocols.wire import INPUT_LOCATION, NOTHING, OUTPUT_LOCATION, Request

BODY_LIMIT: Final = 6 * 1024 * 1024
"""Lambda takes no larger synchronous request (Lambda developer guide, "Lambda quotas")."""
ANSWER_LIMIT: Final = 6_291_556
"""Lambda sends no larger synchronous response, its JSON counted ("Lambda quotas")."""
_ENVELOPE: Final = 1024
"""What the response has beside its body, at most."""
_MANY_BYTES: Final = 800_000
"""Below it no body can pass the limit, were every byte a control character (six in JSON, one more escaped)."""
_STRINGS: Final = frozenset((str,))
"""The types that a header's value may have."""


def parse_event(event: Mapping[str, Any]) -> Request:
    """Read an event. Raises: InvalidRequest, MalformedBody, BodyTooLarge."""
    method, path = event.get("httpMethod"), event.get("path")
    if type(method) is not str or type(path) is not str:
        raise InvalidRequest("event: expected API Gateway's REST proxy event with 'httpMethod' and 'path', got none")
    query = event.get("queryStringParameters") or NOTHING
    if type(query) is not dict and query is not NOTHING:
        raise InvalidRequest("event: expected an object as 'queryStringParameters'")
    resource, parameters = event.get("resource"), event.get("pathParameters")
    proxy = parameters.get("proxy") if type(parameters) is dict else None
    if type(resource) is str and (proxy is None or type(proxy) is str):
        path = _without_base(path, resource, proxy)
    else:
        path = path.rstrip("/")
    headers = event.get("headers")
    return Request(method, path, _headers(headers) if type(headers) is dict else NOTHING, _body(event), query)


@lru_cache(maxsize=256)
def _without_base(path: str, resource: str, proxy: str | None) -> str:
    # A default endpoint's stage is not in the path, a custom domain's base path is. `resource` is the matched route
    # without either (`/v2/{proxy+}`): as many segments at the path's end are ours, those of {proxy+} included.
    path = path.rstrip("/")
    depth = resource.count("/")
    if resource.endswith("{proxy+}"):
        if proxy is None:
            return path
        depth += proxy.rstrip("/").count("/")
    return f"/{'/'.join(path.lstrip('/').split('/')[-depth:])}" if depth else path


def _headers(headers: dict[str, Any]) -> Mapping[str, str]:
    values = headers.values()
    if _STRINGS.issuperset(map(type, values)):
        return dict(zip(map(str.lower, headers), values))  # noqa: B905 - as many, and quicker so
    return {name.lower(): value for name, value in headers.items() if type(value) is str}


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
        raise BodyTooLarge(
            f"body: expected at most {BODY_LIMIT} bytes, got {len(body)}; send fewer rows per request, "
            f"or put it on S3 and say where: {INPUT_LOCATION}: s3://bucket/key"
        )
    return body


def _is_text(content_type: str) -> bool:
    return content_type.startswith(("application/json", "text/"))


def check_size(body: bytes, content_type: str) -> None:
    """Check that Lambda can send a body. Raises: AnswerTooLarge."""
    if len(body) <= _MANY_BYTES:
        return
    size = len(orjson.dumps(body.decode())) if _is_text(content_type) else len(body) * 4 // 3
    if size > ANSWER_LIMIT - _ENVELOPE:
        raise AnswerTooLarge(
            f"answer: expected at most {ANSWER_LIMIT - _ENVELOPE} bytes, got {size}; "
            "ask for fewer rows or fewer outputs, accept it compressed (accept-encoding: gzip), "
            f"or have it put on S3 ({OUTPUT_LOCATION}: s3://bucket/key)"
        )


def to_gateway(answer: Answer, request_id: str) -> dict[str, Any]:
    """Write API Gateway's proxy response: text as it is, all else in base64, which the gateway takes off again."""
    status, body, content_type, *_ = answer
    headers = headers_of(answer, request_id)
    text = _is_text(content_type) and "content-encoding" not in headers
    return {
        "statusCode": status,
        "headers": headers,
        "body": body.decode() if text else b2a_base64(body, newline=False).decode(),
        "isBase64Encoded": not text,
    }
