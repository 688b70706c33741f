"""The routes under /admin: HTTP in, the service's methods, documents out."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Request, Response

from handlers.control.bodies import JsonRoute
from handlers.control.preconditions import expectation
from handlers.control.problems import Problem
from handlers.control.service import Absent, ControlService
from handlers.control.telemetry import Telemetry
from handlers.control.views import (
    AliasList,
    AliasMove,
    AliasView,
    History,
    ManifestView,
    ModelList,
    ModelName,
    ModelView,
)
from model_store.registry import Alias

PREFIX: Final = "/admin"
UNKNOWN_CALLER: Final = "unknown"

# Names are checked by the service, in the words of `warmstart.refs`; the patterns here are for the reader.
ModelPath = Annotated[
    str,
    Path(description="A model's name.", json_schema_extra={"pattern": "^[a-z0-9][a-z0-9-]{0,62}$"}, examples=["iris"]),
]
AliasPath = Annotated[
    str,
    Path(description="An alias.", json_schema_extra={"pattern": "^[a-z][a-z0-9-]{0,62}$"}, examples=["live"]),
]
VersionPath = Annotated[
    str,
    Path(
        description="A version's number: 1, 2, 3, ...",
        json_schema_extra={"type": "integer", "minimum": 1, "maximum": 999_999_999},
        examples=[3],
    ),
]
IfMatch = Annotated[str | None, Header(description="The alias's entity tag as last seen: move it from there only.")]
IfNoneMatch = Annotated[str | None, Header(description="`*`: create the alias, unless there is one.")]


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route answers; those of every route are added."""
    titles = {
        400: "Not well-formed",
        404: "No such model, version or alias",
        412: "The alias is not where the caller last saw it; nothing was changed",
        413: "The body is too large",
        415: "The body is not application/json",
        422: "The body's values are not what the route takes",
        428: "Neither If-Match nor If-None-Match was given",
        500: "An unforeseen error; the log has it",
        503: "The store is not reachable, or what it holds is damaged",
    }
    return {status: {"model": Problem, "description": titles[status]} for status in (*statuses, 500, 503)}


_ETAG_HEADER: Final = {
    "headers": {"ETag": {"description": "What If-Match has to name next.", "schema": {"type": "string"}}}
}
_READ: Final = _problems(400, 404)
_MOVE: Final = _problems(400, 404, 412, 413, 415, 422, 428)


def admin_router(service: ControlService, telemetry: Telemetry) -> APIRouter:
    """Build the routes. They are `async` and block: Lambda gives an execution environment one request at a time."""
    router = APIRouter(prefix=PREFIX, route_class=JsonRoute, tags=["registry"])

    @router.get("/models", summary="List all models", responses=_problems())
    async def list_models() -> ModelList:
        return ModelList(models=[ModelName(name=name) for name in service.models()])

    @router.get("/models/{name}", summary="Show a model's versions and aliases", responses=_READ)
    async def show_model(name: ModelPath) -> ModelView:
        return ModelView.of(service.model(name))

    @router.get(
        "/models/{name}/versions/{version}",
        summary="Show a version's manifest",
        responses=_READ,
        response_model=ManifestView,
    )
    async def show_version(name: ModelPath, version: VersionPath) -> Response:
        # As the store has it: the manifest's parser has checked it, and fields of later releases stay.
        return Response(service.manifest(name, version), media_type="application/json")

    @router.get("/models/{name}/aliases", summary="List a model's aliases", responses=_READ)
    async def list_aliases(name: ModelPath) -> AliasList:
        return AliasList(aliases=[AliasView.of(name, alias) for alias in service.aliases(name)])

    @router.get("/models/{name}/aliases/{alias}", summary="Show an alias", responses=_READ | {200: {**_ETAG_HEADER}})
    async def show_alias(name: ModelPath, alias: AliasPath, response: Response) -> AliasView:
        return _shown(name, service.alias(name, alias), response)

    @router.put(
        "/models/{name}/aliases/{alias}",
        summary="Move an alias, or create it",
        description="By compare-and-set. It moves only if it still has the entity tag that `If-Match` names; "
        "`If-None-Match: *` creates it. Nothing is changed otherwise.",
        responses=_MOVE
        | {
            200: {"description": "The alias points at the version", **_ETAG_HEADER},
            201: {"description": "The alias was created", "model": AliasView, **_ETAG_HEADER},
        },
    )
    async def move_alias(
        name: ModelPath,
        alias: AliasPath,
        move: AliasMove,
        request: Request,
        response: Response,
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> AliasView:
        expected = expectation(if_match, if_none_match)
        moved = service.move_alias(
            name, alias, move.version, expected=expected, by=_caller(request), reason=move.reason
        )
        if moved.etag != if_match:
            telemetry.moved(name, moved)
        response.status_code = 201 if expected == Absent() else 200
        return _shown(name, moved, response)

    @router.get("/models/{name}/history", summary="List every change of a model's aliases", responses=_READ)
    async def show_history(name: ModelPath) -> History:
        return History.of(service.history(name))

    return router


def _shown(name: str, alias: Alias, response: Response) -> AliasView:
    response.headers["etag"] = alias.etag
    return AliasView.of(name, alias)


def _caller(request: Request) -> str:
    """Return the ARN that the gateway authenticated (IAM), which the caller cannot choose."""
    event = request.scope.get("aws.event", {})
    return event.get("requestContext", {}).get("identity", {}).get("userArn") or UNKNOWN_CALLER
