"""Match a path and a method to a resource and its method.

Sources: API Gateway developer guide, "Choose an API Gateway endpoint" pages on proxy resources: an exact path part is
preferred to `{name}`, that to `{name+}`. ANY stands for seven methods (API reference, `Method`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from local.gateway.api import Method, Route
from local.gateway.failures import unknown_route

_ANY = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_EXACT, _PARAMETER, _GREEDY = 0, 1, 2


class Match(NamedTuple):
    """What a request is for. Path parameters are as sent, still percent-encoded: that is what AWS passes on."""

    route: Route
    method: Method
    parameters: dict[str, str]


class Routes:
    """The resources of an API, ready to match."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(tuple(_segments(route.path)), route) for route in routes if route.methods]

    def match(self, path: str, http_method: str) -> Match:
        """Find the most specific resource, then its method. A slash at the end is ignored. Raises: Failure."""
        sent = _segments(path)
        found = [
            (rank, route, parameters)
            for template, route in self._routes
            if (fit := _fit(template, sent)) is not None
            for rank, parameters in [fit]
        ]
        if not found:
            raise unknown_route()
        _, route, parameters = min(found, key=lambda candidate: candidate[0])
        return Match(route, _method(route, http_method), parameters)


def _segments(path: str) -> list[str]:
    stripped = path.strip("/")
    return stripped.split("/") if stripped else []


def _fit(template: tuple[str, ...], sent: list[str]) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """Return how specific each matched part is (lower is better) and the parameters; None if it does not fit."""
    rank: list[int] = []
    parameters: dict[str, str] = {}
    for position, part in enumerate(template):
        if position >= len(sent):
            return None
        if part.startswith("{") and part.endswith("+}"):
            parameters[part[1:-2]] = "/".join(sent[position:])
            return (*rank, _GREEDY), parameters
        if part.startswith("{"):
            parameters[part[1:-1]] = sent[position]
            rank.append(_PARAMETER)
        elif part == sent[position]:
            rank.append(_EXACT)
        else:
            return None
    return (tuple(rank), parameters) if len(template) == len(sent) else None


def _method(route: Route, http_method: str) -> Method:
    methods = {method.http_method: method for method in route.methods}
    if found := methods.get(http_method):
        return found
    if http_method in _ANY and (found := methods.get("ANY")):
        return found
    raise unknown_route()
