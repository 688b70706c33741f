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
from warmstart.protocols.wire import INPUT_LOCATION, JSON, NOTHING, OUTPUT_LOCATION, Request, quick

BODY_LIMIT: Final = 6 * 1024 * 1024
"""Lambda takes no larger synchronous request (Lambda developer guide, "Lambda quotas")."""
ANSWER_LIMIT: Final = 6_291_556
"""Lambda sends no larger synchronous response, its JSON counted ("Lambda quotas")."""
_ENVELOPE: Final = 1024
"""What the response has beside its body, at most."""
_MANY_BYTES: Final = 800_000
"""Below it no body can pass the limit, were every byte a control character (six in JSON, one more escaped)."""


_ABSENT: Final[Mapping[str, Any]] = dict.fromkeys(
    (
        "httpMethod",
        "path",
        "resource",
        "pathParameters",
        "queryStringParameters",
        "headers",
        "body",
        "isBase64Encoded",
    )
)
"""What API Gateway's own events have, every one of them."""
_NO_EVENT: Final = "event: expected API Gateway's REST proxy event with 'httpMethod' and 'path', got none"


def parse_event(event: Mapping[str, Any]) -> Request:
    """Read an event. Raises: InvalidRequest, MalformedBody, BodyTooLarge."""
    try:
        headers, body, is_base64 = event["headers"], event["body"], event["isBase64Encoded"]
        query, parameters = event["queryStringParameters"], event["pathParameters"]
        proxy = parameters.get("proxy") if type(parameters) is dict else None
        method, path = _target(event["httpMethod"], event["path"], event["resource"], proxy)
    except KeyError:  # one that was written by hand
        return parse_event({**_ABSENT, **event})
    except TypeError:  # an array or an object is no key of what was read before
        raise InvalidRequest(_NO_EVENT) from None
    if query is None:
        query = NOTHING
    elif type(query) is not dict:
        raise InvalidRequest("event: expected an object as 'queryStringParameters'")
    lowered = {}
    if type(headers) is dict:
        for name, value in headers.items():
            if type(value) is str:
                lowered[name.lower()] = value
    try:
        if type(body) is not str:
            body = _no_text(body)
        elif is_base64:
            body = a2b_base64(body, strict_mode=True)
        else:
            body = body.encode()
    except (Base64Error, ValueError):
        raise MalformedBody("body: expected UTF-8 text, or base64 where the event says so, got neither") from None
    if len(body) > BODY_LIMIT:
        raise BodyTooLarge(
            f"body: expected at most {BODY_LIMIT} bytes, got {len(body)}; send fewer rows per request, "
            f"or put it on S3 and say where: {INPUT_LOCATION}: s3://bucket/key"
        )
    return quick(Request, (method, path, lowered, body, query))


@lru_cache(maxsize=256)
def _target(method: Any, path: Any, resource: Any, proxy: Any) -> tuple[str, str]:
    """Return the method, and the path without a base path.

    A default endpoint's stage is not in an event's path, a custom domain's base path is. `resource` is the matched
    route without either (`/v2/{proxy+}`): as many segments at the path's end are ours, those of {proxy+} included.
    """
    if type(method) is not str or type(path) is not str:
        raise InvalidRequest(_NO_EVENT)
    path = path.rstrip("/")
    if type(resource) is not str or not (proxy is None or type(proxy) is str):
        return method, path
    depth = resource.count("/")
    if resource.endswith("{proxy+}"):
        if proxy is None:
            return method, path
        depth += proxy.rstrip("/").count("/")
    return method, f"/{'/'.join(path.lstrip('/').split('/')[-depth:])}" if depth else path


def _no_text(body: object) -> bytes:
    if body is not None:
        raise InvalidRequest("event: expected a string as 'body'")
    return b""


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
    headers = headers_of(answer, request_id)
    content_type = headers["content-type"]
    if (content_type == JSON or _is_text(content_type)) and "content-encoding" not in headers:
        return {"statusCode": answer.status, "headers": headers, "body": answer.body.decode(), "isBase64Encoded": False}
    body = b2a_base64(answer.body, newline=False).decode()
    return {"statusCode": answer.status, "headers": headers, "body": body, "isBase64Encoded": True}
