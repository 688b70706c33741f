"""Call a method's integration.

Sources: Lambda developer guide, "Handling Lambda errors with an API Gateway API": a rejected invocation is 500, a
function's error 502, and nothing is retried. An integration that takes longer than its timeout is 504; the function
runs on.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait

from local.gateway.api import LambdaProxy, Mock, Unsupported
from local.gateway.context import Context
from local.gateway.event import payload
from local.gateway.failures import event_too_large, failed, misconfigured, rejected, timed_out
from local.gateway.mock import mock_response
from local.gateway.reply import response_of
from local.types import FunctionNotFound, HttpResponse, Invocation, Invoke, PayloadTooLarge, Throttled


def call(context: Context, invoke: Invoke) -> HttpResponse:
    """Answer with what the integration says; `context.match` is set. Raises: Failure."""
    if context.match is None:
        raise ValueError("call: expected a matched request")
    match context.match.method.integration:
        case LambdaProxy() as proxy:
            return _proxied(proxy, context, invoke)
        case Mock() as mock:
            return mock_response(mock, context)
        case Unsupported(type=kind):
            raise misconfigured(f"The twin runs AWS_PROXY and MOCK integrations, not {kind}")


def _proxied(proxy: LambdaProxy, context: Context, invoke: Invoke) -> HttpResponse:
    started = time.monotonic()
    try:
        invocation = _within(proxy, payload(context), invoke)
    finally:
        context.integration_latency_ms = round((time.monotonic() - started) * 1000)
    context.integration_request_id = invocation.request_id
    context.integration_status = 200  # Lambda's own: a function that fails is still an invocation that succeeded.
    if invocation.function_error:
        raise failed(f"Lambda execution failed due to customer function error: {invocation.function_error}")
    response = response_of(invocation.payload, context.request, context.api)
    context.function_status = response.status
    return HttpResponse(
        status=response.status,
        headers=(*response.headers, ("X-Amzn-Trace-Id", str(context.trace))),
        body=response.body,
    )


def _within(proxy: LambdaProxy, event: bytes, invoke: Invoke) -> Invocation:
    """Invoke in a thread of its own, and wait as long as the integration's timeout allows."""
    future: Future[Invocation] = Future()

    def run() -> None:
        try:
            future.set_result(invoke(proxy.function_arn, event, qualifier=proxy.qualifier))
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits
            future.set_exception(error)

    threading.Thread(target=run, name="integration", daemon=True).start()
    if not wait([future], timeout=proxy.timeout_ms / 1000).done:
        raise timed_out()
    try:
        return future.result()
    except Throttled:
        raise rejected("Lambda: TooManyRequestsException") from None
    except FunctionNotFound:
        raise rejected("Lambda: ResourceNotFoundException") from None
    except PayloadTooLarge:
        raise event_too_large() from None
