"""SageMaker's route: `InvokeEndpoint`, the endpoint's name being a reference to a model."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.inference.routes.route import Infer, Match, Operation, reference
from warmstart.protocols import sagemaker
from warmstart.protocols.sagemaker import render_error as render_error

NAME = "sagemaker"


def find(segments: Sequence[str]) -> Match | None:
    """Match a path below `/endpoints`. Raises: InvalidReference."""
    match segments:
        case ["endpoints", endpoint, "invocations"]:
            return Match("POST", Operation.INFER, _INVOKE, reference(endpoint))
    return None


_INVOKE = Infer(sagemaker.read_invocation, refine=sagemaker.target)
