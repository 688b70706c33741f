"""Plain JSON: records in, one prediction per record out, with the model's own names and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from warmstart.protocols import media, records
from warmstart.protocols.json_tensors import dump, load_json
from warmstart.protocols.wire import JSON, Rendered

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model, Outputs, Request
    from warmstart.tensors import Tensor

_READABLE: Final = (JSON,)
_WRITTEN: Final = (JSON,)


class Predict(NamedTuple):
    """Records to be predicted."""

    rows: records.Records
    accept: str

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Ask for all outputs."""
        return ()

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Gather the records. Raises: InvalidRequest, MissingTensor, UnknownTensor, WrongShape, InvalidValue."""
        return records.tensors(self.rows, model.signature.inputs)

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write the predictions. Raises: UnrepresentableOutput, NotAcceptable."""
        media.accepted(self.accept, _WRITTEN)
        predictions = records.predictions(outputs, count=len(self.rows.rows), labels=model.labels)
        document = {"model_name": model.name, "model_version": str(model.version), "predictions": predictions}
        return Rendered(dump(document))


def read_predict(request: Request) -> Predict:
    """Read one record, or a list of them. Raises: UnsupportedMediaType, MalformedBody."""
    media.read_as(request.content_type, _READABLE, JSON)
    return Predict(records.parse_records(load_json(request.body)), request.headers.get("accept", ""))


def render_error(_status: int, code: str, message: str) -> Rendered:
    """Write the error object: a stable code, and what it says."""
    return Rendered(orjson.dumps({"error": {"code": code, "message": message}}))
