"""From a Lambda event to the application and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from aws_lambda_powertools.utilities.typing import LambdaContext
from fastapi import FastAPI
from mangum import Mangum

from handlers.control.problems import MEDIA_TYPE

Event: TypeAlias = dict[str, Any]
Answer: TypeAlias = dict[str, Any]

# Mangum sends a media type that it does not know as base64, which a REST API without `binaryMediaTypes`
# passes on as it is: problem documents have to be named as text.
TEXT: Final = ["text/", "application/json", MEDIA_TYPE]


def lambda_adapter(app: FastAPI, *, loop: asyncio.AbstractEventLoop) -> Callable[[Event, LambdaContext], Answer]:
    """Answer REST API proxy events (payload format 1.0) with the application.

    `loop` becomes the thread's event loop: Mangum asks for that one, and Python no longer makes it on demand.
    No lifespan: Mangum would run start-up and shut-down around every invocation.
    """
    asyncio.set_event_loop(loop)
    answer = Mangum(app, lifespan="off", text_mime_types=TEXT)

    def handler(event: Event, context: LambdaContext) -> Answer:
        response = answer(event, context)  # type: ignore[arg-type]  # Mangum names the same shape by its own type
        response["headers"]["x-request-id"] = context.aws_request_id
        return response

    return handler
