"""KServe's first protocol, where it differs from TensorFlow Serving's on the same paths.

`inputs` means what `instances` does: rows. Source: kserve/website, "V1 Inference Protocol"; kserve/kserve,
python/kserve/kserve/protocol/rest/v1_endpoints.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson

from warmstart.errors import MalformedBody
from warmstart.protocols.tensorflow_serving import Predict, read_document
from warmstart.protocols.tensorflow_serving import render_error as render_error
from warmstart.protocols.wire import Rendered
from warmstart.tensors import listed

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model, Request
    from warmstart.refs import ModelRef


def read_predict(request: Request) -> Predict:
    """Read a predict request. Raises: UnsupportedMediaType, MalformedBody."""
    document = read_document(request)
    keys = [key for key in ("instances", "inputs") if key in document]
    if len(keys) != 1:
        found = " and ".join(keys) if keys else f"neither (came: {listed(document)})"
        raise MalformedBody(f"body: expected 'instances', or 'inputs' with the same meaning; got {found}")
    return Predict(document[keys[0]], True, request.headers.get("accept", ""))


def render_ready(model: Model) -> Rendered:
    """Write a model's readiness."""
    return Rendered(orjson.dumps({"name": model.name, "ready": True}))


def render_models(models: Sequence[ModelRef]) -> Rendered:
    """Write the models' names."""
    return Rendered(orjson.dumps({"models": list(dict.fromkeys(each.name for each in models))}))
