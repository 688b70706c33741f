"""Azure Machine Learning's `/score`: what an MLflow model reads that was deployed there without code, and scripts do.

An answer is the list of values itself. Source: Azure Machine Learning, "Deploy MLflow models to online endpoints" and
"Advanced entry script authoring"; azureml-inference-server-http 1.5, server/routes.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from warmstart.errors import InvalidRequest, MalformedBody
from warmstart.protocols import media, tables
from warmstart.protocols.json_constants import load_python_json
from warmstart.protocols.json_tensors import dump, kind_of
from warmstart.protocols.wire import JSON, Rendered
from warmstart.tensors import listed

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model, Outputs, Request
    from warmstart.tensors import Tensor

_READABLE: Final = (JSON,)
_WRITTEN: Final = (JSON,)
_FORMS: Final = ("input_data", "data")


class Score(NamedTuple):
    """Rows in one of the forms."""

    form: str
    data: Any
    accept: str

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Ask for all outputs."""
        return ()

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Gather the rows. Raises: InvalidRequest and what is below it."""
        inputs = model.signature.inputs
        if type(self.data) is not dict:
            return tables.from_items(self.data, inputs, self.form)
        if "data" in self.data and all(spec.name != "data" for spec in inputs):
            return tables.from_split(self.data, inputs, self.form)
        return tables.from_columns(self.data, inputs)

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write the values. Raises: UnrepresentableOutput, NotAcceptable."""
        media.accepted(self.accept, _WRITTEN)
        return Rendered(dump(tables.answers(outputs, model.labels)))


def read_score(request: Request) -> Score:
    """Read a request as far as it can be without its model. Raises: UnsupportedMediaType, InvalidRequest."""
    media.read_as(request.content_type, _READABLE, JSON)
    document = load_python_json(request.body)
    if type(document) is not dict:
        raise MalformedBody(f"body: expected an object with 'input_data' or 'data', got {kind_of(document)}")
    found = [form for form in _FORMS if form in document]
    if len(found) != 1:
        raise MalformedBody(f"body: expected an object with 'input_data' or 'data', got one with {listed(document)}")
    if params := document.get("params"):
        shown = listed(params) if type(params) is dict else kind_of(params)
        raise InvalidRequest(f"params: expected none, as the model declares none; got {shown}")
    return Score(found[0], document[found[0]], request.headers.get("accept", ""))


def render_error(status: int, _code: str, message: str) -> Rendered:
    """Write the error object, and say whether it was the model that failed."""
    failed = "True" if status in (422, 500, 503) else "False"
    return Rendered(orjson.dumps({"message": message}), JSON, (("x-ms-run-function-failed", failed),))
