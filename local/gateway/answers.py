"""Shape a failure as the API's gateway responses say.

Source: API Gateway developer guide, "Gateway responses for REST APIs": a response type that is not declared falls back
to DEFAULT_4XX or DEFAULT_5XX; body templates take $context variables only, no VTL; headers are mapped from literals in
quotes, `context.*` and `method.request.*`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from local.gateway.api import GatewayResponse
from local.gateway.context import Context, substitute, variable
from local.gateway.failures import Failure, ResponseType
from local.gateway.headers import every, last
from local.types import HttpResponse

_JSON: Final = "application/json"
_USUAL: Final = GatewayResponse(templates={_JSON: '{"message":$context.error.messageString}'})


def render(failure: Failure, context: Context) -> HttpResponse:
    """Answer a failure; sets it in the context, so that its $context variables hold."""
    context.failure = failure
    declared = _declared(failure, context)
    common = (("x-amzn-ErrorType", failure.error_type),)
    if declared is None and failure.plain_body is not None:
        content_type = _JSON if failure.plain_body.startswith("{") else "text/plain; charset=utf-8"
        headers = (("Content-Type", content_type), *common)
        return HttpResponse(status=failure.status, headers=headers, body=failure.plain_body.encode())
    shape = declared or _USUAL
    content_type, template = _template(shape, context)
    body = substitute(template, context, missing="", style="json" if "json" in content_type else "plain")
    mapped = _mapped(shape, context)
    if not any(name.lower() == "content-type" for name, _ in mapped):
        mapped = (("Content-Type", content_type), *mapped)
    return HttpResponse(status=shape.status or failure.status, headers=(*mapped, *common), body=body.encode())


def _declared(failure: Failure, context: Context) -> GatewayResponse | None:
    responses = context.api.gateway_responses
    if failure.type in responses:
        return responses[failure.type]
    if failure.type is ResponseType.REQUEST_TOO_LARGE and not (failure.plain_body or "").startswith("{"):
        return None  # The page of response types: undeclared, it is the plain text, not DEFAULT_4XX.
    return responses.get(ResponseType.DEFAULT_4XX if failure.status < 500 else ResponseType.DEFAULT_5XX)


def _template(shape: GatewayResponse, context: Context) -> tuple[str, str]:
    """Choose the template of the content type that the caller accepts; JSON, or the only one, otherwise."""
    templates = shape.templates or _USUAL.templates
    accepted = [part.partition(";")[0].strip() for part in (last(context.request.headers, "accept") or "").split(",")]
    chosen = next(
        (name for name in accepted if name in templates), _JSON if _JSON in templates else next(iter(templates))
    )
    return chosen, templates[chosen]


def _mapped(shape: GatewayResponse, context: Context) -> tuple[tuple[str, str], ...]:
    pairs = ((name, _evaluate(expression, context)) for name, expression in shape.headers.items())
    return tuple((name, value) for name, value in pairs if value is not None)


def _evaluate(expression: str, context: Context) -> str | None:
    if expression.startswith("'") and expression.endswith("'"):
        return expression[1:-1]
    kind, _, name = expression.partition(".")
    if kind == "context":
        return variable(context, name)
    if kind == "stageVariables":
        return context.api.stage.variables.get(name)
    return _request_value(expression.removeprefix("method.request."), context)


def _request_value(expression: str, context: Context) -> str | None:
    place, _, name = expression.partition(".")
    match place:
        case "header":
            return last(context.request.headers, name)
        case "multivalueheader":
            return ",".join(every(context.request.headers, name)) or None
        case "querystring":
            return dict(parse_qsl(context.request.query, keep_blank_values=True)).get(name)
        case "path":
            return context.match.parameters.get(name) if context.match else None
        case _:
            return None
