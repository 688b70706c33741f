"""Checks that come before a body is parsed: its size and its media type."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.routing import APIRoute

from warmstart.errors import BodyTooLarge, UnsupportedMediaType

MAX_BODY_BYTES: Final = 16 * 1024
"""Far above any body that this plane reads, far below the platform's 6 MB."""


class JsonRoute(APIRoute):
    """A route whose body, if it has one, is small and JSON. Raises: BodyTooLarge, UnsupportedMediaType."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put the checks before FastAPI's own parsing."""
        answer = super().get_route_handler()
        reads_body = self.body_field is not None

        async def check_then_answer(request: Request) -> Response:
            if reads_body:
                _check(await request.body(), request.headers.get("content-type", ""))
            return await answer(request)

        return check_then_answer


def _check(body: bytes, content_type: str) -> None:
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"body: expected at most {MAX_BODY_BYTES} bytes, got {len(body)}")
    if body and content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(f"content-type: expected application/json, got {content_type[:80]!r}")
