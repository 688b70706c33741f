# ruff: noqa: E501 - one row per line, as in the table that they become
"""Requests below /v1 that are answered with an error, each with its whole answer, and the models that they ask.

Published are `half-plus-two` (y = x / 2 + 2, FP32 [-1]), `adder` (sum = a + b, FP32 [-1, 1] each), `texts` (y = x, BYTES [-1]).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.build import classifier, inference, models
from tests.build.inference import World, signature

HALF = "/v1/models/half-plus-two"
ADDER = "/v1/models/adder"
VERTEX = "/v1/projects/p/locations/l/endpoints/half-plus-two:predict"
DEEP = "[" * 100_000 + "]" * 100_000
NO_SUCH = "model 'nothing': nothing of this name has been published"
FP32 = "FP32 values (up to 3.403e+38)"


class Row(NamedTuple):
    """A request and its answer."""

    what: str
    path: str
    body: object
    status: int
    message: str
    content_type: str = "application/json"
    method: str = "POST"


def world(tmp: Path, **changes: str) -> World:
    """A data plane with the models that the rows and the examples ask."""
    built = World(tmp, **changes)
    value = signature({"x": ("FP32", (-1,))}, {"y": ("FP32", (-1,))})
    built.publish("half-plus-two", models.half_plus(2.0), value)
    built.publish("half-plus-two", models.half_plus(3.0), value, version=2, alias="canary")
    built.publish("adder", models.add(), inference.ADD)
    built.publish("texts", models.identity(8, ("batch",)), signature({"x": ("BYTES", (-1,))}, {"y": ("BYTES", (-1,))}))
    built.publish("iris", classifier.graph(), classifier.SIGNATURE, labels=classifier.LABELS)
    return built


TENSORFLOW_ROWS = [
    Row("an empty body", f"{HALF}:predict", None, 400, "body: expected JSON, got nothing"),
    Row("malformed JSON", f"{HALF}:predict", '{"instances": [', 400, "body: expected JSON, got unexpected end of data at character 15"),
    Row("100,000 arrays in each other", f"{HALF}:predict", f'{{"instances": {DEEP}}}', 400, "body: expected JSON, got depth limit exceeded at character 1038"),
    Row("a name twice in an object", f"{HALF}:predict", '{"instances": [1], "instances": [2]}', 400, "body: expected each name once in an object, got 'instances' again"),
    Row("a number above FP64", f"{HALF}:predict", '{"instances": [1e400]}', 400, "body: expected JSON, got number is infinity when parsed as double at character 15"),
    Row("an array as the body", f"{HALF}:predict", [1], 400, "body: expected an object, got an array"),
    Row("neither rows nor columns", f"{HALF}:predict", {"data": [1]}, 400, "body: expected 'instances' (rows) or 'inputs' (columns), got neither (came: data)"),
    Row("rows and columns", f"{HALF}:predict", {"instances": [1], "inputs": [1]}, 400, "body: expected 'instances' (rows) or 'inputs' (columns), got instances and inputs"),
    Row("rows that are none", f"{HALF}:predict", {"instances": 1}, 400, "instances: expected a non-empty array, one element per row; got a number"),
    Row("no rows", f"{HALF}:predict", {"instances": []}, 400, "instances: expected a non-empty array, one element per row; got an empty array"),
    Row("values, several inputs", f"{ADDER}:predict", {"instances": [1, 2]}, 400, "instances: expected objects that name the model's 2 inputs (a, b), got values"),
    Row("a row without an input", f"{ADDER}:predict", {"instances": [{"a": 1, "b": 2}, {"a": 1}]}, 400, "instances[1]: expected an object with a, b; got a"),
    Row("a column of another name", f"{HALF}:predict", {"inputs": {"z": [1]}}, 400, "input 'z': the model has no such input (it has: x)"),
    Row("a column that is missing", f"{ADDER}:predict", {"inputs": {"a": [[1]]}}, 400, "input 'b': expected FP32 [-1, 1], got no such tensor (came: a)"),
    Row("another rank", f"{HALF}:predict", {"instances": [[1], [2]]}, 400, "input 'x': expected shape [-1] (-1 is any size), got [2, 1]"),
    Row("rows of different lengths", f"{HALF}:predict", {"instances": [[1], [2, 3]]}, 400, "input 'x': expected data flat, or nested as its shape [2, 1]; got arrays of 1 and 2 at depth 1, where 1 belong"),
    Row("text among numbers", f"{HALF}:predict", {"instances": [1, "2"]}, 400, f'input \'x\': expected {FP32}, got "2" (a string) at index 1'),
    Row("a number among texts", "/v1/models/texts:predict", {"instances": ["a", 1]}, 400, "input 'x': expected text or {'b64': ...}, got 1 (a number) at index 1"),
    Row("base64 that is none", "/v1/models/texts:predict", {"instances": [{"b64": "%"}]}, 400, "input 'x': expected {'b64': text in base64}, got an object of another form"),
    Row("bytes that are no text", "/v1/models/texts:predict", {"instances": [{"b64": "/w=="}]}, 400, "input 'x': expected text in UTF-8, got other bytes at index 0"),
    Row("another signature", f"{HALF}:predict", {"signature_name": "embed", "instances": [1]}, 400, "signature_name: expected 'serving_default', the only one here; got \"embed\""),
    Row("another content type", f"{HALF}:predict", "1,2", 415, "content-type: expected application/json, got 'text/csv'", "text/csv"),
    Row("examples that are none", f"{HALF}:regress", {"examples": {}}, 400, "examples: expected a non-empty array of objects, got an object"),
    Row("a context that is none", f"{HALF}:regress", {"context": [], "examples": [{"x": 1}]}, 400, "context: expected an object of features, got an array"),
    Row("classes of a model without scores", f"{HALF}:classify", {"examples": [{"x": 1}]}, 400, "model half-plus-two:1: expected an output of floating point with a score per class, in two dimensions, it has none; ask it by :predict"),
    Row("an unknown model", "/v1/models/nothing:predict", {"instances": [1]}, 404, "Servable not found for request: Latest(nothing)"),
    Row("an unknown version", f"{HALF}/versions/9:predict", {"instances": [1]}, 404, "Servable not found for request: Specific(half-plus-two, 9)"),
    Row("an unknown label", f"{HALF}/labels/stable:predict", {"instances": [1]}, 404, "model 'half-plus-two': expected one of its aliases, got 'stable'"),
    Row("a malformed name", "/v1/models/Half:predict", {"instances": [1]}, 400, "model name: expected 1 to 63 of a-z, 0-9 and '-', not starting with '-'; got 'Half'"),
    Row("a wrong method", f"{HALF}:predict", None, 405, "/v1/models/half-plus-two:predict: expected POST, got GET", method="GET"),
    Row("an unknown route", f"{HALF}/explain", None, 404, "/v1/models/half-plus-two/explain: expected a route of a protocol that is served here, got none", method="GET"),
]  # fmt: skip

KSERVE_ROWS = [
    Row("neither instances nor inputs", f"{HALF}:predict", {"data": [1]}, 400, "body: expected 'instances', or 'inputs' with the same meaning; got neither (came: data)"),
    Row("instances and inputs", f"{HALF}:predict", {"instances": [1], "inputs": [1]}, 400, "body: expected 'instances', or 'inputs' with the same meaning; got instances and inputs"),
    Row("an explanation", f"{HALF}:explain", {"instances": [1]}, 400, "version: expected a whole number from 1 to 999999999; got 'explain'"),
    Row("an unknown model", "/v1/models/nothing", None, 404, NO_SUCH, method="GET"),
]  # fmt: skip

VERTEX_ROWS = [
    Row("no instances", VERTEX, {"data": [1]}, 400, "instances: expected an array, one element per row; got none (came: data)"),
    Row("parameters that are none", VERTEX, {"instances": [1], "parameters": 3}, 400, "parameters: expected an object, got a number"),
    Row("text among numbers", VERTEX, {"instances": ["1"]}, 400, f'input \'x\': expected {FP32}, got "1" (a string) at index 0'),
    Row("an unknown endpoint", VERTEX.replace("half-plus-two", "nothing"), {"instances": [1]}, 404, NO_SUCH),
]  # fmt: skip

TABLES = {
    "protocol-tensorflow-serving.md": TENSORFLOW_ROWS,
    "protocol-kserve-v1.md": KSERVE_ROWS,
    "protocol-vertex-ai.md": VERTEX_ROWS,
}


def table(rows: list[Row]) -> str:
    """Write rows as the documentation shows them."""
    cells = (f"| {row.what} | {row.status} | {row.message.replace('|', '&#124;')} |" for row in rows)
    return "\n".join(["| request | status | message |", "|---|---|---|", *cells])
