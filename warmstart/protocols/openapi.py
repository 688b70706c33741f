"""A model as an OpenAPI 3.1 document: its routes, and schemas of its inputs and outputs from its signature.

Source: OAI/OpenAPI-Specification, versions/3.1.0.md; JSON Schema 2020-12.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from warmstart.protocols import openapi_schemas as schemas
from warmstart.protocols.plain import ARROW, CSV, JPEG, PNG, TEXT
from warmstart.protocols.plain_bodies import file_input
from warmstart.protocols.wire import JSON, Rendered

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model

OPENAPI: Final = "3.1.0"
_OTHERS: Final = (
    "Bodies may be compressed (gzip, deflate, zstd), and tensors may be sent as bytes (binary tensor data extension). "
    "Other protocols that this endpoint speaks reach the same model."
)


class Place(NamedTuple):
    """Where a document was asked for: the path's model, percent-encoded as it came, and its version if it named one."""

    model: str
    version: str | None = None

    @property
    def path(self) -> str:
        """The model's own path."""
        return f"/v2/models/{self.model}" + (f"/versions/{self.version}" if self.version else "")

    @property
    def predict(self) -> str:
        """Its path in the plain protocol."""
        return f"/predict/{self.model}" + (f":{self.version}" if self.version else "")

    @property
    def base(self) -> str:
        """The endpoint, relative to a document below the model's path."""
        return "/".join([".."] * self.path.count("/"))


def render_openapi(place: Place, model: Model, golden: bytes | None) -> Rendered:
    """Write the document. `golden` is the version's `golden.json`, from which an example is taken."""
    return Rendered(orjson.dumps(describe(place, model, golden)))


def describe(place: Place, model: Model, golden: bytes | None) -> dict[str, Any]:
    """Make the document."""
    example = read_example(golden) if golden else None
    return {
        "openapi": OPENAPI,
        "info": {
            "title": model.name,
            "version": str(model.version),
            "summary": f"Version {model.version} of the model {model.name}",
            "description": _OTHERS,
        },
        "servers": [{"url": place.base}],
        "security": [{"key": []}],
        "paths": {
            place.path: {"get": _get("metadata", "What the model takes and gives", "Metadata")},
            f"{place.path}/ready": {"get": _get("ready", "Have the model open", "Ready")},
            f"{place.path}/infer": {"post": _infer(example)},
            place.predict: {"post": _predict(model, example)},
        },
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
            "schemas": schemas.of_model(model),
            "responses": {
                "Error": _answer("What was expected, and what came", "Error"),
                "PlainError": _answer("What was expected, and what came", "PlainError"),
            },
        },
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: str, example: Any = None) -> dict[str, Any]:
    media = {"schema": _ref(schema)} | ({"example": example} if example is not None else {})
    return {"description": description, "content": {JSON: media}}


def _get(operation: str, summary: str, schema: str) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {"200": _answer("OK", schema), "default": {"$ref": "#/components/responses/Error"}},
    }


def _infer(example: Mapping[str, Any] | None) -> dict[str, Any]:
    content = {"schema": _ref("InferenceRequest")} | ({"example": {"inputs": example["inputs"]}} if example else {})
    return {
        "operationId": "infer",
        "summary": "Compute outputs from tensors (Open Inference Protocol)",
        "requestBody": {"required": True, "content": {JSON: content}},
        "responses": {
            "200": _answer("OK", "InferenceResponse"),
            "default": {"$ref": "#/components/responses/Error"},
        },
    }


def _predict(model: Model, example: Mapping[str, Any] | None) -> dict[str, Any]:
    records = example and _records(model, example["inputs"])
    tables = {CSV: {"schema": {"type": "string"}}, ARROW: {"schema": {}}}
    spec = file_input(model.signature)
    kinds = {"text": (TEXT,), "image": (JPEG, PNG)}[spec.name] if spec is not None else ()
    files: dict[str, Any] = {kind: {"schema": {}} for kind in kinds}
    answered = _answer("OK", "Predictions")
    answered["content"] |= tables
    content = {JSON: {"schema": _ref("Records")} | ({"example": records} if records else {}), **tables, **files}
    return {
        "operationId": "predict",
        "summary": "Compute a prediction for each record (plain)",
        "requestBody": {"required": True, "content": content},
        "responses": {"200": answered, "default": {"$ref": "#/components/responses/PlainError"}},
    }


def read_example(golden: bytes) -> dict[str, Any] | None:
    """Return the first golden example with its tensors in full (which keep 512 values); None if there is none."""
    examples = orjson.loads(golden).get("examples") or [None]
    first = examples[0]
    if first is None:
        return None
    inputs = [
        {
            "name": item["name"],
            "datatype": item["datatype"],
            "shape": item["shape"],
            "data": _full(item["data"], item["shape"]),
        }
        for item in first["inputs"]
    ]
    return {"inputs": inputs}


def _full(values: list[Any], shape: list[int]) -> list[Any]:
    size = prod(shape)
    return (values * (-(-size // len(values))))[:size] if values else []


def _records(model: Model, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write an example's tensors as records; none where an input has no rows."""
    if any(not spec.shape for spec in model.signature.inputs):
        return []
    columns = {item["name"]: _nested(item["data"], item["shape"]) for item in inputs}
    for spec in model.signature.inputs:
        if spec.shape[1:] == (1,):
            columns[spec.name] = [row[0] for row in columns[spec.name]]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _nested(values: list[Any], shape: list[int]) -> list[Any]:
    if len(shape) < 2:
        return values
    size = prod(shape[1:])
    return [_nested(values[start : start + size], shape[1:]) for start in range(0, size * shape[0], max(size, 1))]
