"""All routes of the data plane: a path's first segment says which protocol is spoken, in errors too."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from handlers.inference.routes import oip
from handlers.inference.routes.route import Area, Loaders, Route
from warmstart.errors import MethodNotAllowed, RouteNotFound
from warmstart.protocols.wire import RenderError

# A protocol is imported when it is first spoken: a cold start waits for one of them, not for all.


def _oip() -> Area:
    return oip


def _plain() -> Area:
    from handlers.inference.routes import plain

    return plain


def _tensorflow_serving() -> Area:
    from handlers.inference.routes import tensorflow_serving

    return tensorflow_serving


def _kserve_v1() -> Area:
    from handlers.inference.routes import kserve_v1

    return kserve_v1


def _vertex() -> Area:
    from handlers.inference.routes import vertex

    return vertex


def _mlflow() -> Area:
    from handlers.inference.routes import mlflow

    return mlflow


def _sagemaker() -> Area:
    from handlers.inference.routes import sagemaker

    return sagemaker


def _torchserve() -> Area:
    from handlers.inference.routes import torchserve

    return torchserve


def _azure_ml() -> Area:
    from handlers.inference.routes import azure_ml

    return azure_ml


AREAS: Final[Loaders] = {
    "v2": _oip,
    "predict": _plain,
    "v1": _tensorflow_serving,
    "v1/projects": _vertex,
    "invocations": _mlflow,
    "ping": _mlflow,
    "health": _mlflow,
    "version": _mlflow,
    "endpoints": _sagemaker,
    "predictions": _torchserve,
    "models": _torchserve,
    "score": _azure_ml,
}
KSERVE: Final = "kserve"
"""The word with which a stage has the paths below /v1/models speak KServe's first protocol."""


def areas_of(v1_protocol: str) -> Loaders:
    """Return all areas, with the protocol that a stage wants below /v1/models."""
    return {**AREAS, "v1": _kserve_v1} if v1_protocol == KSERVE else AREAS


class Routes:
    """Finds what a request asks for."""

    def __init__(self, areas: Loaders = AREAS) -> None:
        self._areas = areas
        self.find = lru_cache(maxsize=256)(self._find)

    def render_error(self, path: str) -> RenderError:
        """Return how an error is written on a path, be it a route or not."""
        return self._area(path.split("/")[1:]).render_error

    def _find(self, method: str, path: str) -> Route:
        """Find a path's route. Raises: RouteNotFound, MethodNotAllowed, InvalidReference."""
        segments = path.split("/")[1:]
        area = self._area(segments)
        found = area.find(segments)
        if found is None:
            raise RouteNotFound(f"{path[:200]}: expected a route of a protocol that is served here, got none")
        if method != found.method and method not in found.also:
            allowed = (found.method, *found.also)
            raise MethodNotAllowed(f"{path[:200]}: expected {' or '.join(allowed)}, got {method[:20]}", allowed=allowed)
        return Route(area.NAME, found.operation, found.act, found.ref, found.render_error or area.render_error)

    def _area(self, segments: list[str]) -> Area:
        """Return who speaks on a path: by its first segment, below /v1 by the first two if anybody does."""
        first = segments[0] if segments else ""
        found = self._areas.get("/".join(segments[:2])) if first == "v1" else None
        return (found or self._areas.get(first, _oip))()
