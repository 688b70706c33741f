"""KServe V1's routes, on the paths of TensorFlow Serving: a stage speaks one or the other."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.inference.routes.route import Infer, Listing, Load, Match, Operation, reference
from warmstart.protocols import kserve_v1
from warmstart.protocols.kserve_v1 import render_error as render_error

NAME = "kserve"


def find(segments: Sequence[str]) -> Match | None:
    """Match a path below `/v1`. Raises: InvalidReference."""
    match segments:
        case ["v1", "models"]:
            return Match("GET", Operation.INDEX, Listing(kserve_v1.render_models))
        case ["v1", "models", last]:
            name, colon, verb = last.rpartition(":")
            if colon and verb == "predict":
                return Match("POST", Operation.INFER, _PREDICT, reference(name))
            return Match("GET", Operation.MODEL_READY, Load(kserve_v1.render_ready), reference(last))
    return None


_PREDICT = Infer(kserve_v1.read_predict)
