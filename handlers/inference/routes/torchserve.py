"""TorchServe's routes: `/predictions/{model}[/{version}]` and `/models[/{model}[/{version}]]`."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.inference.routes.route import Describe, Infer, Listing, Match, Operation, reference
from warmstart.protocols import torchserve
from warmstart.protocols.torchserve import render_error as render_error
from warmstart.protocols.wire import Model, Rendered
from warmstart.refs import ModelRef

NAME = "torchserve"


def find(segments: Sequence[str]) -> Match | None:
    """Match a path. Raises: InvalidReference."""
    match segments:
        case ["predictions", model]:
            return _predict(reference(model))
        case ["predictions", model, version]:
            return _predict(reference(model, _whole(version)))
        case ["models"]:
            return Match("GET", Operation.INDEX, Listing(_render_models))
        case ["models", model]:
            return Match("GET", Operation.MODEL, Describe(_render_description), reference(model))
        case ["models", model, version]:
            return Match("GET", Operation.MODEL, Describe(_render_description), reference(model, _whole(version)))
    return None


def _predict(model: ModelRef) -> Match:
    """Take PUT as well: `curl -T` sends a file so, in the first example of TorchServe's documentation."""
    return Match("POST", Operation.INFER, _PREDICT, model, also=("PUT",))


def _whole(version: str) -> str:
    """Read TorchServe's versions, which are "1.0" and "2.0" by custom."""
    return version.removesuffix(".0")


def _render_models(models: Sequence[ModelRef]) -> Rendered:
    from warmstart.protocols.torchserve_documents import render_models

    return render_models(models)


def _render_description(model: Model) -> Rendered:
    from warmstart.protocols.torchserve_documents import render_description

    return render_description(model)


_PREDICT = Infer(torchserve.read_prediction)
