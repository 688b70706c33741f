"""Vertex AI's online prediction: `instances` in, `predictions` out.

Source: Vertex AI REST reference, `projects.locations.endpoints.predict`; Google Cloud APIs, "Errors" (google.rpc.Status
in JSON).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from warmstart.errors import MalformedBody
from warmstart.protocols import media
from warmstart.protocols.json_tensors import kind_of
from warmstart.protocols.tensorflow_serving import read_document, render_rows, rows_to_tensors
from warmstart.protocols.wire import JSON, Rendered
from warmstart.tensors import listed

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model, Outputs, Request
    from warmstart.tensors import Tensor

_STATUS: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 405: "UNIMPLEMENTED", 406: "INVALID_ARGUMENT", 409: "ABORTED",
    413: "INVALID_ARGUMENT", 415: "INVALID_ARGUMENT", 422: "FAILED_PRECONDITION", 429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL", 503: "UNAVAILABLE",
}  # fmt: skip


class Predict(NamedTuple):
    """Rows to be predicted."""

    instances: Any
    accept: str

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Ask for all outputs."""
        return ()

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Gather the rows. Raises: InvalidRequest, WrongShape, InvalidValue."""
        return rows_to_tensors(self.instances, model.signature.inputs)

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write `predictions`, and which version gave them. Raises: UnrepresentableOutput, NotAcceptable."""
        media.accepted(self.accept, (JSON,))
        named = {"model": model.name, "modelVersionId": str(model.version), "deployedModelId": str(model.version)}
        return Rendered(render_rows(outputs).body[:-1] + b"," + orjson.dumps(named)[1:])


def read_predict(request: Request) -> Predict:
    """Read a predict request. Raises: UnsupportedMediaType, MalformedBody."""
    document = read_document(request)
    if "instances" not in document:
        raise MalformedBody(f"instances: expected an array, one element per row; got none (came: {listed(document)})")
    if type(parameters := document.get("parameters", {})) is not dict:
        raise MalformedBody(f"parameters: expected an object, got {kind_of(parameters)}")
    return Predict(document["instances"], request.headers.get("accept", ""))


def render_error(status: int, _code: str, message: str) -> Rendered:
    """Write Google's error object."""
    error = {"code": status, "message": message, "status": _STATUS.get(status, "UNKNOWN")}
    return Rendered(orjson.dumps({"error": error}))
