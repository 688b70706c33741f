"""MLflow's routes, which SageMaker's containers have too: `/invocations` and `/ping`.

A request that has one of SageMaker's headers, or a type of body that only SageMaker has, is read as SageMaker's.
"""

from __future__ import annotations

from collections.abc import Sequence

from handlers.inference.routes.route import Fixed, Infer, Match, Operation
from warmstart.protocols import mlflow
from warmstart.protocols.mlflow import render_error as render_error
from warmstart.protocols.wire import Call, Request
from warmstart.refs import ModelRef

NAME = "mlflow"


def find(segments: Sequence[str]) -> Match | None:
    """Match a path."""
    match segments:
        case ["invocations"]:
            return Match("POST", Operation.INFER, _INVOKE)
        case ["ping"] | ["health"]:
            return Match("GET", Operation.READY, Fixed(mlflow.HEALTHY))
        case ["version"]:
            return Match("GET", Operation.SERVER, Fixed(mlflow.VERSION))
    return None


def _read(request: Request) -> Call:
    from warmstart.protocols import sagemaker

    return sagemaker.read_invocation(request) if sagemaker.speaks(request) else mlflow.read_invocation(request)


def _refine(request: Request, model: ModelRef | None) -> ModelRef | None:
    from warmstart.protocols import sagemaker

    return sagemaker.target(request, model)


_INVOKE = Infer(_read, refine=_refine)
