"""Paths and methods to operations: the data plane's whole surface."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from warmstart.errors import MethodNotAllowed, RouteNotFound
from warmstart.refs import ModelRef, parse_version


class Operation(Enum):
    """What a route does; the value is its name in the log."""

    INFER = "infer"
    PREDICT = "predict"
    SERVER = "server_metadata"
    LIVE = "server_live"
    READY = "server_ready"
    MODEL = "model_metadata"
    MODEL_READY = "model_ready"


class Route(NamedTuple):
    """An operation, and the model it is asked of."""

    operation: Operation
    ref: ModelRef | None


_POST: Final = (Operation.INFER, Operation.PREDICT)


def speaks_records(path: str) -> bool:
    """Say whether a path speaks plain records; all others speak OIP V2, in errors too."""
    return path.startswith("/predict")


@lru_cache(maxsize=256)
def find_route(method: str, path: str) -> Route:
    """Find a path's operation. Raises: RouteNotFound, MethodNotAllowed, InvalidReference."""
    operation, model, version = _match(path)
    expected = "POST" if operation in _POST else "GET"
    if method != expected:
        raise MethodNotAllowed(f"{path[:200]}: expected {expected}, got {method[:20]}", allowed=(expected,))
    return Route(operation, _reference(model, version))


def _match(path: str) -> tuple[Operation, str | None, str | None]:
    match path.split("/")[1:]:
        case ["v2", "models", model, "infer"]:
            return Operation.INFER, model, None
        case ["predict", model]:
            return Operation.PREDICT, model, None
        case ["v2", "models", model, "versions", version, "infer"]:
            return Operation.INFER, model, version
        case ["v2"]:
            return Operation.SERVER, None, None
        case ["v2", "health", "live"]:
            return Operation.LIVE, None, None
        case ["v2", "health", "ready"]:
            return Operation.READY, None, None
        case ["v2", "models", model]:
            return Operation.MODEL, model, None
        case ["v2", "models", model, "ready"]:
            return Operation.MODEL_READY, model, None
        case ["v2", "models", model, "versions", version]:
            return Operation.MODEL, model, version
        case ["v2", "models", model, "versions", version, "ready"]:
            return Operation.MODEL_READY, model, version
    raise RouteNotFound(f"{path[:200]}: expected one of the routes under /v2 and /predict/{{model}}, got none of them")


def _reference(model: str | None, version: str | None) -> ModelRef | None:
    if model is None:
        return None
    if version is None:
        return ModelRef.parse(_decoded(model))
    return ModelRef.at(_decoded(model), parse_version(version))


def _decoded(segment: str) -> str:
    if "%" not in segment:
        return segment
    from urllib.parse import unquote  # rare, and 2 ms of a cold start

    return unquote(segment)
