"""Azure Machine Learning's route: `/score`, of the stage's default model."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.inference.routes.route import Infer, Match, Operation
from warmstart.protocols import azure_ml
from warmstart.protocols.azure_ml import render_error as render_error

NAME = "azure_ml"


def find(segments: Sequence[str]) -> Match | None:
    """Match a path."""
    return Match("POST", Operation.INFER, _SCORE) if segments == ["score"] else None


_SCORE = Infer(azure_ml.read_score)
