"""The Open Inference Protocol's other documents: the server, a model, the repository, statistics.

Source: as `warmstart.protocols.oip`; triton-inference-server/server, docs/protocol/extension_model_repository.md and
extension_statistics.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from warmstart import __version__
from warmstart.errors import MalformedBody
from warmstart.protocols.json_tensors import kind_of, load_json
from warmstart.protocols.wire import Rendered

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model, Request
    from warmstart.refs import ModelRef
    from warmstart.tensors import TensorSpec

EXTENSIONS: Final = ("classification", "binary_tensor_data", "model_repository", "statistics")
LIVE: Final = Rendered(b'{"live":true}')
READY: Final = Rendered(b'{"live":true,"ready":true}')
SERVER: Final = Rendered(orjson.dumps({"name": "warmstart", "version": __version__, "extensions": EXTENSIONS}))
PLATFORM: Final = "onnx_onnxv1"
"""The protocol's name for "an ONNX model encoded for ONNX Runtime" (its section "Platforms")."""


class Duration(NamedTuple):
    """How often something was done, and the nanoseconds that it took in all."""

    times: int
    ns: int

    def document(self) -> dict[str, int]:
        """Write `$duration_stat`."""
        return {"count": self.times, "ns": self.ns}


class Statistics(NamedTuple):
    """What one version did in this process since it began. `rows` is the sum over all batches."""

    last_ms: int = 0
    rows: int = 0
    runs: int = 0
    success: Duration = Duration(0, 0)
    fail: Duration = Duration(0, 0)
    read: Duration = Duration(0, 0)
    run: Duration = Duration(0, 0)
    write: Duration = Duration(0, 0)


def render_metadata(model: Model) -> Rendered:
    """Write `$metadata_model_response`; `versions` is the one that the request resolved to."""
    return Rendered(
        orjson.dumps(
            {
                "name": model.name,
                "versions": [str(model.version)],
                "platform": PLATFORM,
                "inputs": [_metadata(spec) for spec in model.signature.inputs],
                "outputs": [_metadata(spec) for spec in model.signature.outputs],
            }
        )
    )


def _metadata(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": spec.shape}


def render_model_ready(model: Model) -> Rendered:
    """Write `$ready_model_response`."""
    return Rendered(orjson.dumps({"name": model.name, "ready": True}))


def wants_ready_only(request: Request) -> bool:
    """Read `$repository_index_request`, whose body may be missing; all that is published is ready.

    Raises: MalformedBody.
    """
    document = load_json(request.body) if request.body else {}
    if type(document) is not dict:
        raise MalformedBody(f"body: expected an object, got {kind_of(document)}")
    ready = document.get("ready", False)
    if type(ready) is not bool:
        raise MalformedBody(f"ready: expected true or false, got {kind_of(ready)}")
    return ready


def render_index(models: Iterable[ModelRef]) -> Rendered:
    """Write `$repository_index_response`: every version, as each answers when it is asked for by its number."""
    return Rendered(
        orjson.dumps(
            [{"name": each.name, "version": str(each.version), "state": "READY", "reason": ""} for each in models]
        )
    )


def render_statistics(found: Mapping[ModelRef, Statistics]) -> Rendered:
    """Write `$stats_model_response`. Nothing queues and nothing is copied to another device here: those are zero."""
    return Rendered(orjson.dumps({"model_stats": [_model_stats(model, stats) for model, stats in found.items()]}))


def _model_stats(model: ModelRef, stats: Statistics) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": str(model.version),
        "last_inference": stats.last_ms,
        "inference_count": stats.rows,
        "execution_count": stats.runs,
        "inference_stats": {
            "success": stats.success.document(),
            "fail": stats.fail.document(),
            "queue": Duration(stats.success.times, 0).document(),
            "compute_input": stats.read.document(),
            "compute_infer": stats.run.document(),
            "compute_output": stats.write.document(),
            "cache_hit": Duration(0, 0).document(),
            "cache_miss": Duration(0, 0).document(),
        },
        "batch_stats": [],
        "memory_usage": [],
    }
