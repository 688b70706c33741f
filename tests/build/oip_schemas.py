"""Answers of the Open Inference Protocol as JSON Schemas.

Source: kserve/open-inference-protocol, specification/protocol/open_inference_rest.yaml at commit d49cc23
(Copyright 2023 The KServe Authors, Apache License 2.0): `components.schemas`, those that describe answers.
"""

from __future__ import annotations

from typing import Any, Final

_REF: Final = "#/components/schemas/"
_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_SHAPE: Final = {"type": "array", "items": {"type": "integer"}}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


def _array(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"{_REF}{name}"}}


SCHEMAS: Final[dict[str, Any]] = {
    "metadata_server_response": _object(
        {"name": _TEXT, "version": _TEXT, "extensions": _TEXTS}, ["name", "version", "extensions"]
    ),
    "metadata_model_response": _object(
        {
            "name": _TEXT,
            "versions": _TEXTS,
            "platform": _TEXT,
            "inputs": _array("metadata_tensor"),
            "outputs": _array("metadata_tensor"),
            "properties": {"type": "object", "additionalProperties": _TEXT},
        },
        ["name", "platform"],
    ),
    "metadata_tensor": _object({"name": _TEXT, "datatype": _TEXT, "shape": _SHAPE}, ["name", "datatype", "shape"]),
    "parameters": {"type": "object"},
    "tensor_data": {
        "type": "array",
        "items": {
            "anyOf": [
                {"$ref": f"{_REF}tensor_data"},
                {"type": "number"},
                {"type": "string"},
                {"type": "boolean"},
            ]
        },
    },
    "response_output": _object(
        {
            "name": _TEXT,
            "shape": _SHAPE,
            "datatype": _TEXT,
            "parameters": {"$ref": f"{_REF}parameters"},
            "data": {"$ref": f"{_REF}tensor_data"},
        },
        ["name", "shape", "datatype", "data"],
    ),
    "inference_response": _object(
        {
            "model_name": _TEXT,
            "model_version": _TEXT,
            "id": _TEXT,
            "parameters": {"$ref": f"{_REF}parameters"},
            "outputs": _array("response_output"),
        },
        ["model_name", "outputs"],
    ),
    "inference_error_response": _object({"error": _TEXT}, []),
}


def schema(name: str) -> dict[str, Any]:
    """One of the schemas, with those that it refers to."""
    return {"$ref": f"{_REF}{name}", "components": {"schemas": SCHEMAS}}
