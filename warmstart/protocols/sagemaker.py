"""SageMaker's `InvokeEndpoint`, and what its containers read: JSON, JSON lines, CSV without a header, npy.

An answer is of the type that `Accept` asks for, else JSON, as in the containers of the SageMaker Python SDK: the values
themselves, a list with one per row; `{"predictions": [...]}` if the request was `{"instances": [...]}`.
Source: botocore, data/sagemaker-runtime/2017-05-13/service-2.json; aws/sagemaker-inference-toolkit, encoder.py and
decoder.py; aws/sagemaker-python-sdk, base_serializers.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from warmstart.errors import InvalidReference, MalformedBody
from warmstart.protocols import media, tables
from warmstart.protocols.json_constants import load_python_json
from warmstart.protocols.json_tensors import dump, kind_of
from warmstart.protocols.wire import JSON, Rendered
from warmstart.refs import LIVE, ModelRef

if TYPE_CHECKING:
    from warmstart.protocols.tables import Answers
    from warmstart.protocols.wire import Model, Outputs, Request
    from warmstart.tensors import Tensor

CSV: Final = "text/csv"
NPY: Final = "application/x-npy"
LINES: Final = ("application/jsonlines", "application/x-jsonlines", "application/jsonl", "application/x-ndjson")
OWN: Final = (*LINES, NPY)
"""Types that no other protocol on `/invocations` reads."""
HEADERS: Final = "x-amzn-sagemaker-"
ALL_TRAFFIC: Final = "AllTraffic"
"""The name that SageMaker's SDK gives an endpoint's only variant."""

_MODEL: Final = f"{HEADERS}target-model"
_VARIANT: Final = f"{HEADERS}target-variant"
_READABLE: Final = (JSON, CSV, *OWN)
_WRITTEN: Final = (JSON, CSV, *OWN)
_NOT_THE_MODEL: Final = frozenset(
    {
        "alias_not_found",
        "invalid_reference",
        "method_not_allowed",
        "model_not_found",
        "route_not_found",
        "version_not_found",
    }
)
"""Codes of errors that SageMaker itself would answer: no container was asked."""


class Invocation(NamedTuple):
    """Rows: of JSON (`enveloped` if they came as instances), or a body that only its model can read."""

    kind: str
    data: Any
    enveloped: bool
    accept: str
    variant: str

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Ask for all outputs."""
        return ()

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Gather the rows. Raises: InvalidRequest and what is below it."""
        inputs = model.signature.inputs
        match self.kind:
            case "text/csv":
                from warmstart.protocols.csv_table import read_csv

                return read_csv(self.data, inputs, header=False)
            case "application/x-npy":
                from warmstart.protocols.npy import read_npy

                return read_npy(self.data, inputs)
            case _:
                return tables.from_items(self.data, inputs, "instances" if self.enveloped else "body")

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write the answer. Raises: UnrepresentableOutput, NotAcceptable."""
        kind = media.accepted(self.accept, _WRITTEN)
        headers = (("x-amzn-invoked-production-variant", self.variant),)
        match kind:
            case "text/csv":
                from warmstart.protocols.csv_table import write_csv

                body = write_csv(outputs, count=tables.count_of(outputs), labels=model.labels, header=False)
                return Rendered(body, f"{CSV}; charset=utf-8", headers)
            case "application/x-npy":
                from warmstart.protocols.npy import write_npy

                return Rendered(write_npy(outputs), NPY, headers)
            case "application/json":
                found = tables.answers(outputs, model.labels)
                return Rendered(dump({"predictions": found} if self.enveloped else found), JSON, headers)
            case _:
                return Rendered(_lines(tables.answers(outputs, model.labels)), kind, headers)


def _lines(found: Answers) -> bytes:
    return b"".join(dump(answer) + b"\n" for answer in found)


def speaks(request: Request) -> bool:
    """Say whether a request on a path that several protocols share is one of SageMaker's."""
    return media.parse(request.content_type).name in OWN or any(name.startswith(HEADERS) for name in request.headers)


def read_invocation(request: Request) -> Invocation:
    """Read a request as far as it can be without its model. Raises: UnsupportedMediaType, MalformedBody."""
    kind = media.read_as(request.content_type, _READABLE, JSON)
    accept, variant = request.headers.get("accept", ""), request.headers.get(_VARIANT) or ALL_TRAFFIC
    if kind in (CSV, NPY):
        return Invocation(kind, request.body, False, accept, variant)
    if kind in LINES:
        return Invocation(kind, _read_lines(request.body), False, accept, variant)
    document = load_python_json(request.body)
    if type(document) is dict and "instances" in document:
        return Invocation(kind, document["instances"], True, accept, variant)
    return Invocation(kind, [document] if type(document) is dict else document, False, accept, variant)


def _read_lines(body: bytes) -> list[Any]:
    rows: list[Any] = []
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            try:
                rows.append(load_python_json(line))
            except MalformedBody as error:
                raise MalformedBody(f"{error.message} (line {number})") from None
    if not rows:
        raise MalformedBody("body: expected JSON lines, got none")
    if type(rows[0]) not in (dict, list):
        raise MalformedBody(f"body: expected an array or an object per line, got {kind_of(rows[0])} (line 1)")
    return rows


def target(request: Request, model: ModelRef | None) -> ModelRef | None:
    """Return the model that headers name: another one, or another alias of the one that path or stage name.

    `iris.tar.gz` is the model `iris`, as the files of SageMaker's multi-model endpoints are called.
    Raises: InvalidReference.
    """
    if name := request.headers.get(_MODEL):
        model = ModelRef.parse(name.removesuffix(".tar.gz"))
    variant = request.headers.get(_VARIANT, "")
    if model is None or variant in ("", ALL_TRAFFIC):
        return model
    if model.version is not None or model.alias not in (LIVE, variant):
        raise InvalidReference(f"model {model}: expected no other variant beside it, got {variant[:80]!r}")
    return ModelRef.aliased(model.name, variant)


def render_error(status: int, code: str, message: str) -> Rendered:
    """Write what boto3 raises: `ValidationError` for what an endpoint is not, `ModelError` for what a model refuses."""
    if code in _NOT_THE_MODEL:
        return _error("ValidationError", {"Message": message})
    if status == 500:
        return _error("InternalFailure", {"Message": message})
    if code == "store_unavailable":
        return _error("ServiceUnavailable", {"Message": message})
    original = {"OriginalStatusCode": status, "OriginalMessage": message, "LogStreamArn": ""}
    side = "client" if status < 500 else "server"
    return _error("ModelError", {"Message": f"Received {side} error ({status}) from the model: {message}", **original})


def _error(kind: str, document: Mapping[str, object]) -> Rendered:
    return Rendered(orjson.dumps(document), JSON, (("x-amzn-errortype", kind),))
