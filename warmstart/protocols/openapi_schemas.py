"""JSON Schemas of what a model takes and gives, in the Open Inference Protocol and as plain records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from warmstart.datatypes import DATATYPES, FLOATS
from warmstart.tensors import ANY

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model
    from warmstart.tensors import TensorSpec

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}
_FREE: Final[Schema] = {"type": "object"}


def of_model(model: Model) -> dict[str, Schema]:
    """Return all schemas, by name."""
    inputs, outputs = model.signature
    tensors = {f"Input.{index}": _tensor(spec, answered=False) for index, spec in enumerate(inputs)}
    tensors |= {f"Output.{index}": _tensor(spec, answered=True) for index, spec in enumerate(outputs)}
    datatypes = {f"Data.{spec.datatype}": _data(spec.datatype) for spec in (*inputs, *outputs)}
    named = _object({"name": {"enum": [spec.name for spec in outputs]}, "parameters": _FREE}, "name")
    return {
        "Metadata": _object(
            {
                "name": {"const": model.name},
                "versions": _TEXTS,
                "platform": _TEXT,
                "inputs": {"type": "array", "items": _described()},
                "outputs": {"type": "array", "items": _described()},
            },
            "name",
            "platform",
        ),
        "Ready": _object({"name": {"const": model.name}, "ready": {"const": True}}, "name", "ready"),
        "InferenceRequest": _object(
            {
                "id": _TEXT,
                "parameters": _FREE,
                "inputs": _one_of_each("Input", len(inputs)),
                "outputs": {"type": "array", "items": named},
            },
            "inputs",
        ),
        "InferenceResponse": _object(
            {
                "model_name": {"const": model.name},
                "model_version": _TEXT,
                "id": _TEXT,
                "parameters": _FREE,
                "outputs": {**_one_of_each("Output", len(outputs)), "minItems": 1},
            },
            "model_name",
            "outputs",
        ),
        **tensors,
        **datatypes,
        **_plain(model),
        "Error": _object({"error": _TEXT}, "error"),
        "PlainError": _object({"error": _object({"code": _TEXT, "message": _TEXT}, "code", "message")}, "error"),
    }


def _object(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _one_of_each(role: str, count: int) -> Schema:
    items = [_ref(f"{role}.{index}") for index in range(count)]
    return {"type": "array", "items": {"anyOf": items}, "minItems": count, "maxItems": count}


def _described() -> Schema:
    shape = {"type": "array", "items": {"type": "integer", "minimum": ANY}}
    return _object({"name": _TEXT, "datatype": _TEXT, "shape": shape}, "name", "datatype", "shape")


def _tensor(spec: TensorSpec, *, answered: bool) -> Schema:
    sizes = [{"type": "integer", "minimum": 0} if size == ANY else {"const": size} for size in spec.shape]
    shape: Schema = {"type": "array", "minItems": len(sizes), "maxItems": len(sizes)}
    if sizes:
        shape |= {"prefixItems": sizes}
    datatype: Schema = {"const": spec.datatype}
    if answered:  # the classification extension answers in BYTES, of a shape of its own
        classes = _object({"name": {"const": spec.name}, "datatype": {"const": "BYTES"}}, "name", "datatype", "shape")
    properties = {"name": {"const": spec.name}, "datatype": datatype, "shape": shape, "parameters": _FREE}
    tensor = _object(properties | {"data": _ref(f"Data.{spec.datatype}")}, "name", "datatype", "shape")
    tensor["description"] = str(spec)
    return {"anyOf": [tensor, classes], "description": str(spec)} if answered else tensor


def _data(datatype: str) -> Schema:
    """Values, flat or nested."""
    value = _value(datatype, nullable=True)
    return {"type": "array", "items": {"anyOf": [value, _ref(f"Data.{datatype}")]}}


def _value(datatype: str, *, nullable: bool = False) -> Schema:
    if datatype in FLOATS:
        return {"type": ["number", "null"]} if nullable else {"type": "number"}
    match datatype:
        case "BOOL":
            return {"type": "boolean"}
        case "BYTES":
            return _TEXT
    bits, signed = 8 * DATATYPES[datatype].item_bytes, not datatype.startswith("U")
    low = -(1 << (bits - 1)) if signed else 0
    return {"type": "integer", "minimum": low, "maximum": low + (1 << bits) - 1}


def _array(value: Schema, row: tuple[int, ...]) -> Schema:
    """A value nested as a row is."""
    for size in reversed(row):
        value = {"type": "array", "items": value} | ({} if size == ANY else {"minItems": size, "maxItems": size})
    return value


def _plain(model: Model) -> dict[str, Schema]:
    inputs, outputs = model.signature
    rows = {spec.name: _given(spec) for spec in inputs if spec.shape}
    record = {**_object(rows, *rows), "additionalProperties": False}
    columns = _object({name: {"type": "array", "items": row, "minItems": 1} for name, row in rows.items()}, *rows)
    forms = [_ref("Record"), {"type": "array", "items": _ref("Record"), "minItems": 1}, _ref("Columns")]
    if len(rows) == 1:
        forms.append({"type": "array", "minItems": 1})
    prediction = _object({spec.name: _answered(spec, model) for spec in outputs}, *(spec.name for spec in outputs))
    predictions = {"type": "array", "items": _ref("Prediction")}
    return {
        "Record": record,
        "Columns": {**columns, "additionalProperties": False},
        "Records": {"anyOf": forms},
        "Prediction": prediction,
        "Predictions": _object(
            {"model_name": {"const": model.name}, "model_version": _TEXT, "predictions": predictions},
            "model_name",
            "model_version",
            "predictions",
        ),
    }


def _given(spec: TensorSpec) -> Schema:
    """A record's value of an input."""
    row, value = spec.shape[1:], _value(spec.datatype, nullable=True)
    if spec.datatype == "BYTES":
        value = {"anyOf": [value, _object({"b64": _TEXT}, "b64")]}
    nested = {**_array(value, row), "description": str(spec)}
    return {"anyOf": [value, nested], "description": str(spec)} if row in ((1,), (ANY,)) else nested


def _answered(spec: TensorSpec, model: Model) -> Schema:
    """A prediction's value of an output, as `records.predictions` writes it."""
    row, value, labels = spec.shape[1:], _value(spec.datatype), model.labels
    description = {"description": str(spec)}
    is_float = spec.datatype in FLOATS
    if row in ((), (1,)):
        if labels and not is_float and spec.datatype not in ("BOOL", "BYTES"):
            return {"anyOf": [{"enum": list(labels)}, value], **description}
        return {**value, **description}
    forms = [_array(value, row)]
    if row == (ANY,):
        forms.append(value)
    if labels and is_float and len(row) == 1 and row[0] in (ANY, len({str(label) for label in labels})):
        scores = _object({str(label): value for label in labels}, *dict.fromkeys(map(str, labels)))
        forms = [scores, *forms] if row == (ANY,) else [scores]
    return {**forms[0], **description} if len(forms) == 1 else {"anyOf": forms, **description}
