"""TorchServe's other documents: the models, and one of them.

Source: pytorch/serve, docs/management_api.md; messages/ListModelsResponse.java and DescribeModelResponse.java.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from warmstart.protocols.wire import Rendered

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model
    from warmstart.refs import ModelRef
    from warmstart.tensors import TensorSpec


def render_models(models: Iterable[ModelRef]) -> Rendered:
    """Write every model once, with its newest version; there is one page, so no `nextPageToken`."""
    newest: dict[str, int] = {}
    for model in models:
        newest[model.name] = max(model.version or 0, newest.get(model.name, 0))
    rows = [{"modelName": name, "modelUrl": f"{name}:{version}"} for name, version in sorted(newest.items())]
    return Rendered(orjson.dumps({"models": rows}))


def render_description(model: Model) -> Rendered:
    """Write a version, in a list as TorchServe does. Of its workers nothing is known: environments come and go."""
    document = {
        "modelName": model.name,
        "modelVersion": str(model.version),
        "modelUrl": f"{model.name}:{model.version}",
        "engine": "ONNXRuntime",
        "runtime": "python",
        "batchSize": 1,
        "maxBatchDelay": 0,
        "loadedAtStartup": False,
        "workers": [],
        "customizedMetadata": {
            "inputs": _described(model.signature.inputs),
            "outputs": _described(model.signature.outputs),
        },
    }
    return Rendered(orjson.dumps([document]))


def _described(specs: Iterable[TensorSpec]) -> list[dict[str, Any]]:
    return [{"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)} for spec in specs]
