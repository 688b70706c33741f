"""Plain JSON's routes: `/predict/{model}`, and `/predict` for the stage's default model."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.inference.routes.route import Infer, Match, Operation, reference
from warmstart.protocols import plain
from warmstart.protocols.plain import render_error as render_error

NAME = "plain"


def find(segments: Sequence[str]) -> Match | None:
    """Match a path below `/predict`. Raises: InvalidReference."""
    match segments:
        case ["predict", model]:
            return Match("POST", Operation.INFER, _PREDICT, reference(model))
        case ["predict"]:
            return Match("POST", Operation.INFER, _PREDICT)
    return None


_PREDICT = Infer(plain.read_predict)
