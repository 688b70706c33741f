"""Vertex AI's routes: the endpoint's id is a reference to a model."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.inference.routes.route import Infer, Match, Operation, reference
from warmstart.protocols import vertex
from warmstart.protocols.vertex import render_error as render_error

NAME = "vertex"


def find(segments: Sequence[str]) -> Match | None:
    """Match a path below `/v1/projects`. Raises: InvalidReference."""
    match segments:
        case ["v1", "projects", _, "locations", _, "endpoints", last]:
            name, colon, verb = last.rpartition(":")
            if colon and verb == "predict":
                return Match("POST", Operation.INFER, PREDICT, reference(name))
    return None


PREDICT = Infer(vertex.read_predict)
