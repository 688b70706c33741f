"""TorchServe's inference API: a request is one body, JSON or the input itself, and the answer has no envelope.

A model that takes text or a file (its only input being BYTES) reads the body as that, or each field `data` or `body` of
a form, as TorchServe's handlers do. Source: pytorch/serve, docs/inference_api.md, ts/torch_handler/vision_handler.py,
frontend/server/src/main/java/org/pytorch/serve/http/.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from warmstart.errors import MalformedBody, UnsupportedMediaType
from warmstart.protocols import media, tables
from warmstart.protocols.json_tensors import dump, load_json
from warmstart.protocols.wire import JSON, Rendered

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model, Outputs, Request
    from warmstart.tensors import Tensor, TensorSpec

_FORM: Final = "multipart/form-data"
_UNSAID: Final = ("", "application/x-www-form-urlencoded")
"""Nothing, or what `curl -d` says of any body."""
_FIELDS: Final = ("data", "body")
_WRITTEN: Final = (JSON,)
_TYPES: Final[Mapping[str, str]] = {
    "model_not_found": "ModelNotFoundException",
    "version_not_found": "ModelVersionNotFoundException",
    "alias_not_found": "ModelVersionNotFoundException",
    "route_not_found": "ResourceNotFoundException",
    "method_not_allowed": "MethodNotAllowedException",
    "internal": "InternalServerException",
}
"""By code; all others are the caller's or, from 500 on, the server's."""


class Prediction(NamedTuple):
    """What is to be predicted: a document, if the body is JSON, else the body itself, or the fields of a form."""

    kind: str
    is_json: bool
    document: Any
    content: tuple[bytes, ...]
    accept: str

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Ask for all outputs."""
        return ()

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Gather the rows. Raises: InvalidRequest and what is below it."""
        inputs = model.signature.inputs
        if self.is_json:
            return tables.from_items(_items(self.document, inputs), inputs, "body")
        if _takes_content(inputs):
            return tables.from_items([_text(content, inputs[0]) for content in self.content], inputs, "body")
        if self.kind in _UNSAID:
            return tables.from_items(load_json(self.content[0]), inputs, "body")
        raise UnsupportedMediaType(f"content-type: expected {JSON} for this model, got {self.kind[:80]!r}")

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write the answer, or a list of them to a list. Raises: UnrepresentableOutput, NotAcceptable."""
        media.accepted(self.accept, _WRITTEN)
        found = tables.answers(outputs, model.labels)
        return Rendered(dump(found[0] if len(found) == 1 and not self._is_list() else found))

    def _is_list(self) -> bool:
        return self.is_json and type(self.document) is list and type(self.document[0]) in (dict, list)


def _takes_content(inputs: tuple[TensorSpec, ...]) -> bool:
    return len(inputs) == 1 and inputs[0].datatype == "BYTES" and len(inputs[0].shape) == 1


def _items(document: Any, inputs: tuple[TensorSpec, ...]) -> Any:
    """Return the rows of a document: it is one, or a list of them, or has them in the field of a form."""
    if type(document) is not dict:
        return document
    field = next(iter(document)) if len(document) == 1 else ""
    if field in _FIELDS and all(spec.name != field for spec in inputs):
        value = document[field]
        return value if type(value) is list else [value]
    return [document]


def _text(content: bytes, spec: TensorSpec) -> str:
    if spec.name == "image":  # what a model with an image processor calls it: a file in base64
        return b2a_base64(content, newline=False).decode()
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise MalformedBody(f"body: expected text in UTF-8, got another byte at {error.start}") from None


def read_prediction(request: Request) -> Prediction:
    """Read a request as far as it can be without its model. Raises: MalformedBody."""
    found, accept = media.parse(request.content_type), request.headers.get("accept", "")
    if found.name == _FORM:
        from warmstart.protocols.multipart import read_fields

        fields = read_fields(request.body, found.get("boundary") or "")
        if other := next((name for name, _ in fields if name not in _FIELDS), None):
            raise MalformedBody(f"body: expected the form's fields to be 'data' or 'body', got {other[:80]!r}")
        return Prediction(found.name, False, None, tuple(content for _, content in fields), accept)
    if not request.body:
        raise MalformedBody("body: expected JSON, or what the model takes, got nothing")
    is_json = found.name == JSON or (found.name in _UNSAID and request.body[:1] in (b"{", b"["))
    document = load_json(request.body) if is_json else None
    return Prediction(found.name, is_json, document, (request.body,), accept)


def render_error(status: int, code: str, message: str) -> Rendered:
    """Write the error object."""
    kind = _TYPES.get(code) or ("BadRequestException" if status < 500 else "ServiceUnavailableException")
    return Rendered(orjson.dumps({"code": status, "type": kind, "message": message}))
