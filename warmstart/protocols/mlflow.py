"""MLflow's scoring protocol: `/invocations` takes a data frame or arrays, and answers `{"predictions": ...}`.

Source: mlflow/mlflow, mlflow/pyfunc/scoring_server/__init__.py (3.17) and mlflow/utils/proto_json_utils.py. As there,
fields beside those of the protocol are ignored. Unlike there, `params` that name anything are refused: MLflow gives
them to a model that declares some, and a published model has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from warmstart import __version__
from warmstart.errors import InvalidRequest, MalformedBody, UnsupportedMediaType
from warmstart.protocols import media, tables
from warmstart.protocols.json_constants import load_python_json
from warmstart.protocols.json_tensors import dump, kind_of
from warmstart.protocols.wire import JSON, TEXT, Rendered
from warmstart.tensors import listed

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model, Outputs, Request
    from warmstart.tensors import Tensor

CSV: Final = "text/csv"
FORMS: Final = ("dataframe_split", "dataframe_records", "instances", "inputs")
HEALTHY: Final = Rendered(b'{"status":"Healthy"}')
"""The body is TorchServe's: MLflow's client and SageMaker look at the status alone."""
VERSION: Final = Rendered(__version__.encode(), TEXT)

_READABLE: Final = (JSON, CSV)
_WRITTEN: Final = (JSON,)
_ERROR_CODES: Final[Mapping[int, str]] = {
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}
"""By HTTP status, all others being `BAD_REQUEST` (mlflow/protos/databricks.proto, `ErrorCode`)."""


class Invocation(NamedTuple):
    """A table in one of the forms, or in CSV."""

    form: str
    data: Any
    accept: str

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Ask for all outputs."""
        return ()

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Gather the rows. Raises: InvalidRequest and what is below it."""
        inputs = model.signature.inputs
        match self.form:
            case "dataframe_split":
                return tables.from_split(self.data, inputs, self.form)
            case "inputs" if type(self.data) is dict:
                return tables.from_columns(self.data, inputs)
            case "csv":
                from warmstart.protocols.csv_table import read_csv

                return read_csv(self.data, inputs, header=True)
            case _:
                return tables.from_items(self.data, inputs, self.form)

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write the predictions. Raises: UnrepresentableOutput, NotAcceptable."""
        media.accepted(self.accept, _WRITTEN)
        return Rendered(dump({"predictions": tables.answers(outputs, model.labels)}))


def read_invocation(request: Request) -> Invocation:
    """Read a request as far as it can be without its model. Raises: UnsupportedMediaType, InvalidRequest."""
    accept = request.headers.get("accept", "")
    kind = media.read_as(request.content_type, _READABLE, JSON)
    other = next((name for name, _ in media.parse(request.content_type).parameters if name != "charset"), None)
    if other is not None:
        raise UnsupportedMediaType(f"content-type: expected no parameter but charset, got {other[:40]!r}")
    if kind == CSV:
        return Invocation("csv", request.body, accept)
    document = load_python_json(request.body)
    expected = f"exactly one of {', '.join(map(repr, FORMS))}"
    if type(document) is not dict:
        raise MalformedBody(f"body: expected an object with {expected}, got {kind_of(document)}")
    found = [form for form in FORMS if form in document]
    if len(found) != 1:
        raise MalformedBody(f"body: expected an object with {expected}, got one with {listed(document)}")
    _check_params(document.get("params"))
    return Invocation(found[0], document[found[0]], accept)


def _check_params(params: Any) -> None:
    if params is not None and type(params) is not dict:
        raise MalformedBody(f"params: expected an object, got {kind_of(params)}")
    if params:
        raise InvalidRequest(f"params: expected none, as the model declares none; got {listed(params)}")


def render_error(status: int, _code: str, message: str) -> Rendered:
    """Write the error object, with the code that MLflow has for this status; for 415, text alone."""
    if status == 415:
        return Rendered(message.encode(), TEXT)
    return Rendered(orjson.dumps({"error_code": _ERROR_CODES.get(status, "BAD_REQUEST"), "message": message}))
