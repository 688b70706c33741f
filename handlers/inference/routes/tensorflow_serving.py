"""TensorFlow Serving's routes. A verb follows a colon, which a reference may have too: `iris:3:predict`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from handlers.inference.routes.route import Act, Describe, Infer, Match, Operation, Versions, decoded, reference
from warmstart.protocols import tensorflow_serving
from warmstart.protocols.tensorflow_serving import render_error as render_error
from warmstart.protocols.wire import Call, Request
from warmstart.refs import LIVE, ModelRef

NAME = "tensorflow"


def _read_classify(request: Request) -> Call:
    from warmstart.protocols.tensorflow_examples import read_classify

    return read_classify(request)


def _read_regress(request: Request) -> Call:
    from warmstart.protocols.tensorflow_examples import read_regress

    return read_regress(request)


_VERBS: Final[dict[str, Act]] = {
    "predict": Infer(tensorflow_serving.read_predict),
    "classify": Infer(_read_classify),
    "regress": Infer(_read_regress),
}


def find(segments: Sequence[str]) -> Match | None:
    """Match a path below `/v1`. Raises: InvalidReference."""
    if len(segments) < 3 or segments[:2] != ["v1", "models"]:
        return None
    *front, last = segments[2:]
    name, colon, verb = last.rpartition(":")
    if colon and verb in _VERBS:
        ref = model_of([*front, name])
        return _match("POST", Operation.INFER, _VERBS[verb], ref) if ref is not None else None
    if last == "metadata" and (ref := model_of(front)) is not None:
        return _match("GET", Operation.MODEL, Describe(tensorflow_serving.render_metadata), ref)
    if (ref := model_of(segments[2:])) is not None:
        is_named = ref.version is not None or ref.alias != LIVE or len(segments) > 3
        act = Describe(tensorflow_serving.render_status) if is_named else Versions(tensorflow_serving.render_statuses)
        return _match("GET", Operation.MODEL, act, ref)
    return None


def _match(method: str, operation: Operation, act: Act, ref: ModelRef) -> Match:
    return Match(method, operation, act, ref, render_error=partial(tensorflow_serving.render_servable_error, ref))


def model_of(segments: Sequence[str]) -> ModelRef | None:
    """Read `m`, `m/versions/v` or `m/labels/l` (an alias); None for another path. Raises: InvalidReference."""
    match segments:
        case [model]:
            return reference(model)
        case [model, "versions", version]:
            return reference(model, version)
        case [model, "labels", label]:
            return ModelRef.aliased(decoded(model), decoded(label))
    return None
