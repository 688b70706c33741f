"""Plain: records in, one prediction per record out, with the model's own names and labels.

Records are JSON, or columns of JSON, CSV, an Arrow stream, one text or one image file; the answer is in JSON, CSV or
Arrow, as the client says, else in the form that came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from warmstart.protocols import media, records
from warmstart.protocols.json_tensors import dump, load_json
from warmstart.protocols.wire import JSON, Rendered

if TYPE_CHECKING:
    from warmstart.protocols.wire import Call, Model, Outputs, Request
    from warmstart.tensors import Tensor

CSV: Final = "text/csv"
ARROW: Final = "application/vnd.apache.arrow.stream"
TEXT: Final = "text/plain"
JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
READABLE: Final = (JSON, CSV, ARROW, TEXT, JPEG, PNG)
WRITTEN: Final = (JSON, CSV, ARROW)


class Predict(NamedTuple):
    """Records of JSON to be predicted; `single` if one object came: a record, or columns."""

    rows: records.Records
    accept: str
    single: bool

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Ask for all outputs."""
        return ()

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Gather the records. Raises: InvalidRequest, MissingTensor, UnknownTensor, WrongShape, InvalidValue."""
        inputs = model.signature.inputs
        if self.single and records.is_columns(self.rows.rows[0], inputs):
            return records.columns(self.rows.rows[0], inputs)
        return records.tensors(self.rows, inputs)

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write the predictions. Raises: UnrepresentableOutput, NotAcceptable."""
        rows, inputs = self.rows.rows, model.signature.inputs
        count = len(rows)
        if self.single and records.is_columns(rows[0], inputs):
            count = len(rows[0][inputs[0].name])
        kind = media.accepted(self.accept, WRITTEN)
        return render_json(model, outputs, count) if kind == JSON else _render(kind, model, outputs, count)


def read_predict(request: Request) -> Call:
    """Read what is to be predicted, as its media type says. Raises: UnsupportedMediaType, MalformedBody."""
    kind = media.read_as(request.content_type, READABLE, JSON)
    accept = request.headers.get("accept", "")
    if kind == JSON:
        document = load_json(request.body)
        return Predict(records.parse_records(document), accept, type(document) is dict)
    from warmstart.protocols import plain_bodies  # CSV, Arrow and files: no cold start on JSON waits for them

    return plain_bodies.read(kind, request.body, accept)


def render_json(model: Model, outputs: Outputs, count: int) -> Rendered:
    """Write predictions as JSON. Raises: UnrepresentableOutput."""
    predictions = records.predictions(outputs, count=count, labels=model.labels)
    document = {"model_name": model.name, "model_version": str(model.version), "predictions": predictions}
    return Rendered(dump(document))


def _render(kind: str, model: Model, outputs: Outputs, count: int) -> Rendered:
    from warmstart.protocols import plain_bodies

    return plain_bodies.render(kind, model, outputs, count)


def render_error(_status: int, code: str, message: str) -> Rendered:
    """Write the error object: a stable code, and what it says."""
    return Rendered(orjson.dumps({"error": {"code": code, "message": message}}))
