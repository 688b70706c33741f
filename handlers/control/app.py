"""The control plane as an ASGI application."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.control.docs_page import CONTENT_SECURITY_POLICY, docs_page
from handlers.control.openapi import describe
from handlers.control.problems import problem, status_of, unknown_problem, validation_problem
from handlers.control.routes import PREFIX, admin_router
from handlers.control.service import ControlService
from handlers.control.telemetry import Telemetry
from warmstart import __version__
from warmstart.errors import MalformedBody, MethodNotAllowed, RouteNotFound, WarmstartError

DOCS_PATH: Final = f"{PREFIX}/docs"


def create_app(service: ControlService, telemetry: Telemetry) -> FastAPI:
    """Build the application."""
    app = FastAPI(
        title="Warmstart control plane",
        version=__version__,
        description="List models, read manifests, move aliases. Requests are signed with AWS Signature Version 4.",
        openapi_url=None,  # FastAPI's own routes know neither the stage nor how to be one page.
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,  # A redirect would lose the stage, and its target would need another signature.
    )
    router = admin_router(service, telemetry)
    _add_documentation(app, router)
    app.include_router(router)
    _add_errors(app, router, telemetry)
    return app


def _add_documentation(app: FastAPI, router: APIRouter) -> None:
    @router.get("/openapi.json", include_in_schema=False)
    async def show_description(request: Request) -> JSONResponse:
        return JSONResponse(describe(app, request))

    @router.get("/docs", include_in_schema=False)
    async def show_docs(request: Request) -> HTMLResponse:
        headers = {"content-security-policy": CONTENT_SECURITY_POLICY, "referrer-policy": "no-referrer"}
        return HTMLResponse(docs_page(describe(app, request)), headers=headers)


def _add_errors(app: FastAPI, router: APIRouter, telemetry: Telemetry) -> None:
    async def answer_ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, WarmstartError)  # noqa: S101 - Starlette's signature is wider than its promise
        if status_of(error) >= 500:
            telemetry.failed(error, method=request.method, path=request.url.path)
        return problem(error)

    async def answer_invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
        return validation_problem(error)

    async def answer_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - as above
        return problem(_as_ours(router, request, error))

    app.add_exception_handler(WarmstartError, answer_ours)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(HTTPException, answer_http)
    app.add_middleware(LastResort, telemetry=telemetry)


def _as_ours(router: APIRouter, request: Request, error: HTTPException) -> WarmstartError:
    """Translate what the framework raises: no such route, not this method, a body that it could not decode."""
    path = request.url.path
    match error.status_code:
        case 404:
            return RouteNotFound(f"{path}: no such route; {DOCS_PATH} lists them")
        case 405:
            return MethodNotAllowed(f"{path}: {request.method} is not allowed", allowed=_allowed(router, request))
        case _:
            return MalformedBody(f"body: expected JSON; {error.detail}")


def _allowed(router: APIRouter, request: Request) -> tuple[str, ...]:
    # Starlette names the methods of the first route of this path alone.
    matching = (route for route in router.routes if route.matches(request.scope)[0] is not Match.NONE)
    return tuple(sorted({method for route in matching for method in getattr(route, "methods", None) or ()}))


class LastResort:
    """The one boundary where an error that nobody foresaw is logged, and answered without its detail."""

    def __init__(self, app: ASGIApp, *, telemetry: Telemetry) -> None:
        self._app, self._telemetry = app, telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application. Its answers are rendered before they are sent, so that none is half sent by now."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the one boundary
            self._telemetry.failed(error, method=scope["method"], path=scope["path"])
            await unknown_problem()(scope, receive, send)
