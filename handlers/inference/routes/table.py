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
    "invocations": _mlflow,
    "ping": _mlflow,
    "health": _mlflow,
    "version": _mlflow,
    "endpoints": _sagemaker,
    "predictions": _torchserve,
    "models": _torchserve,
    "score": _azure_ml,
}


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
            areas = ", ".join(f"/{name}" for name in self._areas)
            raise RouteNotFound(f"{path[:200]}: expected one of the routes under {areas}; got none of them")
        if method != found.method and method not in found.also:
            allowed = (found.method, *found.also)
            raise MethodNotAllowed(f"{path[:200]}: expected {' or '.join(allowed)}, got {method[:20]}", allowed=allowed)
        return Route(area.NAME, found.operation, found.act, found.ref, area.render_error)

    def _area(self, segments: list[str]) -> Area:
        return self._areas.get(segments[0] if segments else "", _oip)()
