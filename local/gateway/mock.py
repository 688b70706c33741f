"""MOCK integrations: an answer without a backend, as CORS preflights have.

Source: API Gateway developer guide, "Mock integrations for REST APIs in API Gateway".
"""

from __future__ import annotations

import re
from typing import Final

from local.gateway.api import Mock, MockResponse
from local.gateway.context import Context, substitute
from local.gateway.failures import misconfigured, unsupported_media_type
from local.gateway.headers import last, media_type
from local.types import HttpResponse

_STATUS: Final = re.compile(r"[\"']?statusCode[\"']?\s*:\s*[\"']?(\d{3})")
_VTL: Final = re.compile(r"#(?:set|if|foreach|else|end)\b|\$(?:input|util|method)\b")


def mock_response(mock: Mock, context: Context) -> HttpResponse:
    """Answer by the request template's status. Raises: Failure."""
    template = mock.request_templates.get(media_type(context.request.headers))
    if template is None and mock.passthrough == "NEVER":
        raise unsupported_media_type()
    response = _selected(mock, _status(_plain(template or "", context)))
    templates = response.templates
    content_type = (last(context.request.headers, "accept") or "").partition(",")[0].strip()
    if content_type not in templates:
        content_type = next(iter(templates), "application/json")
    body = _plain(templates.get(content_type, ""), context)
    headers = (("Content-Type", content_type), *response.headers.items())
    return HttpResponse(status=response.status, headers=headers, body=body.encode())


def _status(rendered: str) -> int:
    if not (found := _STATUS.search(rendered)):
        raise misconfigured("Unable to find a statusCode in the MOCK integration's request")
    return int(found.group(1))


def _selected(mock: Mock, status: int) -> MockResponse:
    for response in mock.responses:
        if response.selection_pattern and re.fullmatch(response.selection_pattern, str(status)):
            return response
    default = next((response for response in mock.responses if not response.selection_pattern), None)
    if default is None:
        raise misconfigured("No match for the MOCK integration's status and no default response")
    return default


def _plain(template: str, context: Context) -> str:
    if _VTL.search(template):
        raise misconfigured("The twin runs no VTL: only $context and $stageVariables are substituted")
    return substitute(template, context, missing="", style="plain")
