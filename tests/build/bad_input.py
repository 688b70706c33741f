# ruff: noqa: E501 - one row per line, as in the table that they become
"""Requests that are answered with an error, each with the whole answer: `docs/errors.md` shows this table.

Published are `doubler` (y = 2x, FP32 [-1, 2]), `adder` (sum = a + b, FP32 [-1, 1] each), `divider` (y = a / b, FP32 [-1]),
`reshaper` (y = x reshaped to `shape`) and `expander` (y = x, `shape` times).
"""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.build import inference, models
from tests.build.inference import World, event, infer_body

INFER = "/v2/models/doubler/infer"
PREDICT = "/predict/adder"
DEEP = "[" * 100_000 + "]" * 100_000
ROUTES = "expected a route of a protocol that is served here, got none"


class Row(NamedTuple):
    """A request and its answer. `code` is what the plain JSON protocol says beside the message."""

    what: str
    event: dict[str, Any]
    status: int
    message: str
    code: str | None = None


def world(tmp: Path) -> World:
    """A data plane with the models that the rows ask."""
    built = World(tmp)
    built.publish_doubler()
    built.publish("adder", models.add(), inference.ADD)
    built.publish("divider", models.divide(), inference.DIVIDE)
    built.publish("reshaper", models.reshape(), inference.RESHAPE)
    built.publish("expander", models.expand(), inference.EXPAND)
    return built


def infer(what: str, body: object, status: int, message: str, *, path: str = INFER, **fields: object) -> Row:
    """A row in OIP V2."""
    return Row(what, event("POST", path, body, **fields), status, message)


def predict(what: str, body: object, status: int, code: str, message: str, *, path: str = PREDICT) -> Row:
    """A row in plain JSON."""
    return Row(what, event("POST", path, body), status, message, code)


def x(data: object, **changes: object) -> dict[str, Any]:
    """A request to `doubler`."""
    return infer_body(data, **changes)  # type: ignore[arg-type]  # the point is to send what is wrong


def two(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """A request with the inputs of two."""
    return {"inputs": first["inputs"] + second["inputs"]}


def tail(size: object, **changes: object) -> dict[str, Any]:
    """The input of `doubler` as so many bytes behind the JSON."""
    return {"name": "x", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": size}, **changes}


def binary(what: str, item: dict[str, Any], content: bytes, message: str, *, length: str | None = None) -> Row:
    """A row in OIP V2 with bytes behind its JSON, refused with 400."""
    header = json.dumps({"inputs": [item]}).encode()
    headers = {"Inference-Header-Content-Length": length or str(len(header))}
    body = base64.b64encode(header + content).decode()
    return Row(what, event("POST", INFER, body, isBase64Encoded=True, headers=headers), 400, message)


def raw(what: str, content: bytes, message: str, *, path: str = INFER) -> Row:
    """A row in OIP V2 whose body is a tensor's bytes alone, refused with 400."""
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": "0"}
    body = base64.b64encode(content).decode()
    return Row(what, event("POST", path, body, isBase64Encoded=True, headers=headers), 400, message)


BODY_ROWS = [
    infer("empty body", None, 400, "body: expected JSON, got nothing"),
    infer("malformed JSON", '{"inputs": [', 400, "body: expected JSON, got unexpected end of data at character 12"),
    infer("text that is not Unicode", '"\ud800"', 400, "body: expected UTF-8 text, or base64 where the event says so, got neither"),
    infer("bytes that are not UTF-8", "/w==", 400, "body: expected JSON, got str is not valid UTF-8: surrogates not allowed at character 0", isBase64Encoded=True),
    infer("base64 that is none", "%%%", 400, "body: expected UTF-8 text, or base64 where the event says so, got neither", isBase64Encoded=True),
    infer("100,000 arrays in each other", DEEP, 400, "body: expected JSON, got depth limit exceeded at character 1025"),
    infer("a body of 7 MB", "1" * 7_000_000, 413, "body: expected at most 6291456 bytes, got 7000000; send fewer rows per request, or put it on S3 and say where: x-warmstart-input-location: s3://bucket/key"),
    infer("another content type", x([1, 2]), 415, "content-type: expected application/json or application/octet-stream, got 'text/csv'", headers={"content-type": "text/csv"}),
    infer("another charset", x([1, 2]), 415, "content-type: expected charset utf-8, got 'latin-1'", headers={"content-type": "application/json; charset=latin-1"}),
    infer("a name twice in an object", '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2],"data":[3,4]}]}', 400, "body: expected each name once in an object, got 'data' again"),
    infer("an array as the body", [1], 400, "body: expected an object with 'inputs', got an array"),
    infer("no inputs", {}, 400, "inputs: expected a non-empty array of tensors, got no such field"),
    infer("empty inputs", {"inputs": []}, 400, "inputs: expected a non-empty array of tensors, got an empty array"),
    infer("a number as the id", {"id": 7, **x([1, 2])}, 400, "id: expected a string, got a number"),
]  # fmt: skip

TENSOR_ROWS = [
    infer("a missing tensor", x([1, 2], name="z"), 400, "input 'x': expected FP32 [-1, 2], got no such tensor (came: z)"),
    infer("an unknown tensor", two(x([1, 2]), x([1, 2], name="z")), 400, "input 'z': the model has no such input (it has: x)"),
    infer("a tensor twice", two(x([1, 2]), x([1, 2])), 400, "input 'x': expected once, got again as inputs[1]"),
    infer("an unknown output", {**x([1, 2]), "outputs": [{"name": "z"}]}, 400, "output 'z': the model has no such output (it has: y)"),
    infer("an unknown datatype", x([1, 2], datatype="FLOAT"), 400, "input 'x': datatype: expected one of BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64, BF16, BYTES; got 'FLOAT'"),
    infer("another datatype", x([1, 2], datatype="INT64"), 400, "input 'x': expected FP32, got INT64"),
    infer("another shape", x([1, 2, 3], shape=[1, 3]), 400, "input 'x': expected shape [-1, 2] (-1 is any size), got [1, 3]"),
    infer("another rank", x([1, 2], shape=[2]), 400, "input 'x': expected shape [-1, 2] (-1 is any size), got [2]"),
    infer("too few values", x([1]), 400, "input 'x': shape [1, 2] holds 2 values, its data has 1"),
    infer("a negative dimension", x([1, 2], shape=[-1, 2]), 400, "input 'x': shape: expected whole numbers, 0 or more; got -1"),
    infer("a dimension above 64 bits", x([1, 2], shape=[2**64, 2]), 400, "input 'x': shape: expected whole numbers, 0 or more; got 1.8446744073709552e+19"),
    infer("a shape above all memory", x([1, 2], shape=[2**62, 2**62]), 400, "input 'x': shape [4611686018427387904, 4611686018427387904] holds 21267647932558653966460912964485513216 values, its data has 2"),
    infer("ragged data", x([[1, 2], [3]], shape=[2, 2]), 400, "input 'x': expected data flat, or nested as its shape [2, 2]; got arrays of 1 and 2 at depth 1, where 2 belong"),
    infer("data nested too deep", x([[[1], [2]]]), 400, "input 'x': expected FP32 values, got an array at index 0"),
    infer("text among numbers", x([1, "2"]), 400, "input 'x': expected FP32 values (up to 3.403e+38), got \"2\" (a string) at index 1"),
    infer("null among whole numbers", x([1, None], datatype="INT8"), 400, "input 'x': expected INT8 values (whole numbers from -128 to 127), got null (a missing value: only FP16, BF16, FP32 and FP64 have one) at index 1"),
    infer("a boolean among numbers", x([1, True]), 400, "input 'x': expected FP32 values (up to 3.403e+38), got true (a boolean) at index 1"),
    infer("a number above FP32", x([1, 1e39]), 400, "input 'x': expected FP32 values (up to 3.403e+38), got 1e+39 (a number) at index 1"),
    infer("a fraction as an integer", x([1, 1.5], datatype="INT8"), 400, "input 'x': expected INT8 values (whole numbers from -128 to 127), got 1.5 (a number) at index 1"),
    infer("an integer out of range", x([1, 128], datatype="INT8"), 400, "input 'x': expected INT8 values (whole numbers from -128 to 127), got 128 (a number) at index 1"),
    infer("NaN", '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,NaN]}]}', 400, "body: expected JSON, got unexpected character, expected a JSON value at character 65; JSON has no NaN and no Infinity: a missing value is null"),
    infer("a number above FP64", '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,1e400]}]}', 400, "body: expected JSON, got number is infinity when parsed as double at character 65"),
    infer("a binary tensor without the length of the JSON", {"inputs": [tail(8)]}, 400, "input 'x': binary_data_size: expected the header Inference-Header-Content-Length with it, got none"),
    infer("a number of classes that is none", {**x([1, 2]), "outputs": [{"name": "y", "parameters": {"classification": -1}}]}, 400, "output 'y': parameters: 'classification': expected a whole number of classes, got -1"),
]  # fmt: skip

BINARY_ROWS = [
    binary("fewer bytes than the size says", tail(8), bytes(4), "input 'x': binary_data_size: expected at most the 4 bytes that are left, got 8"),
    binary("more bytes than the sizes say", tail(8), bytes(12), "body: expected 8 bytes behind the JSON header, got 4 more"),
    binary("another size than the shape's", tail(4), bytes(4), "input 'x': FP32 of shape [1, 2] has 8 bytes, got 4"),
    binary("a negative size", tail(-8), bytes(8), "input 'x': binary_data_size: expected at most the 8 bytes that are left, got -8"),
    binary("a size that is no number", tail("8"), bytes(8), "input 'x': binary_data_size: expected at most the 8 bytes that are left, got \"8\""),
    binary("a shape above all memory, in bytes", tail(8, shape=[2**62, 2**62]), bytes(8), "input 'x': FP32 of shape [4611686018427387904, 4611686018427387904] has 85070591730234615865843651857942052864 bytes, got 8"),
    binary("data and bytes", tail(8, data=[1, 2]), bytes(8), "input 'x': expected 'data' or 'binary_data_size', got both"),
    binary("text whose length lies", tail(8, datatype="BYTES"), b"\xff\xff\xff\xffabcd", "input 'x': expected a length and as many bytes, 0 times over, then end"),
    binary("fewer texts than the shape's", tail(5, datatype="BYTES"), b"\x01\x00\x00\x00a", "input 'x': its shape holds 2 values, its bytes hold 1"),
    binary("a boolean that is neither", tail(2, datatype="BOOL"), b"\x00\x02", "input 'x': expected BOOL values as one byte each, 0 or 1"),
    binary("a length of the JSON that is none", tail(8), bytes(8), "Inference-Header-Content-Length: expected the bytes of the JSON header, 1 to 111; got '-1'", length="-1"),
    binary("a length of the JSON above the body's", tail(8), bytes(8), "Inference-Header-Content-Length: expected the bytes of the JSON header, 1 to 111; got '999'", length="999"),
]  # fmt: skip

RAW_ROWS = [
    raw("bytes alone, several inputs", bytes(8), "body: expected JSON that names the model's 2 inputs (a, b), got bytes alone (Inference-Header-Content-Length: 0)", path="/v2/models/adder/infer"),
    raw("bytes alone, of two rows", bytes(16), "input 'x': FP32 of shape [1, 2] has 8 bytes, got 16"),
    raw("bytes alone, none", b"", "input 'x': FP32 of shape [1, 2] has 8 bytes, got 0"),
    raw("JSON where bytes alone are announced", json.dumps(x([1, 2])).encode(), "input 'x': FP32 of shape [1, 2] has 8 bytes, got 80"),
]  # fmt: skip

CODING_ROWS = [
    infer("a content coding that is not read", x([1, 2]), 415, "content-encoding: expected one of zstd, gzip, deflate; got 'br'", headers={"Content-Encoding": "br"}),
    Row("gzip whose end is missing", event("POST", INFER, base64.b64encode(gzip.compress(b"{}")[:-8]).decode(), isBase64Encoded=True, headers={"Content-Encoding": "gzip"}), 400, "body: expected gzip, its end is missing"),
    Row("gzip of 100 MB of zeros", event("POST", INFER, base64.b64encode(gzip.compress(bytes(100_000_000))).decode(), isBase64Encoded=True, headers={"Content-Encoding": "gzip"}), 413, "body: expected at most 67108864 bytes once decoded, got more; send fewer rows"),
    infer("an answer in another format", x([1, 2]), 406, "accept: expected application/json, got 'text/html'", headers={"Accept": "text/html"}),
]  # fmt: skip

RECORD_ROWS = [
    predict("an empty list", [], 400, "malformed_body", "body: expected a record or a non-empty array of records, got an empty array"),
    predict("text as the body", '"a"', 400, "malformed_body", "body: expected a record or a non-empty array of records, got a string"),
    predict("mixed records", [{"a": 1, "b": 2}, [1, 2]], 400, "malformed_body", "body: expected records of one form, got an array and an object"),
    predict("a missing field", [{"a": 1, "b": 2}, {"a": 1}], 400, "missing_tensor", "input 'b': expected FP32 in every record, got none in record 1 (which has: a)"),
    predict("an unknown field", {"a": 1, "b": 2, "c": 3}, 400, "unknown_tensor", "input 'c': the model has no such input (it has: a, b); in record 0"),
    predict("a value of another type", [{"a": 1, "b": 2}, {"a": "1", "b": 2}], 400, "invalid_value", "input 'a': expected FP32 values (up to 3.403e+38), got \"1\" (a string) in record 1"),
    predict("null where an array belongs", {"x": None}, 400, "wrong_shape", "input 'x': expected an array of 2 FP32 values, got null in record 0", path="/predict/doubler"),
    predict("a missing value, and an answer of NaN", {"a": None, "b": 1}, 422, "unrepresentable_output", "output 'sum': expected finite FP32 values, got nan at index 0 of shape [1, 1]; JSON cannot hold it"),
    predict("bare arrays, several inputs", [[1, 2]], 400, "invalid_request", "body: expected records that name the model's 2 inputs (a, b), got bare arrays"),
    predict("an array that is too short", {"x": [1]}, 400, "wrong_shape", "input 'x': expected an array of 2 FP32 values, got 1 in record 0", path="/predict/doubler"),
    predict("a number where an array belongs", {"x": 1}, 400, "wrong_shape", "input 'x': expected an array of 2 FP32 values, got 1 in record 0", path="/predict/doubler"),
    predict("an answer that is NaN", {"a": 0, "b": 0}, 422, "unrepresentable_output", "output 'y': expected finite FP32 values, got nan at index 0 of shape [1]; JSON cannot hold it", path="/predict/divider"),
    predict("an unknown model", {"a": 1}, 404, "model_not_found", "model 'nothing': nothing of this name has been published", path="/predict/nothing"),
    predict("a malformed reference", {"a": 1}, 400, "invalid_reference", "model name: expected 1 to 63 of a-z, 0-9 and '-', not starting with '-'; got 'Iris'", path="/predict/Iris"),
    Row("a wrong method", event("GET", PREDICT), 405, "/predict/adder: expected POST, got GET", "method_not_allowed"),
]  # fmt: skip

ROUTE_ROWS = [
    infer("an unknown model", x([1, 2]), 404, "model 'nothing': nothing of this name has been published", path="/v2/models/nothing/infer"),
    infer("an unknown alias", x([1, 2]), 404, "model 'doubler': expected one of its aliases, got 'canary'", path="/v2/models/doubler@canary/infer"),
    infer("an unknown version", x([1, 2]), 404, "model 'doubler': expected a published version, got 9", path="/v2/models/doubler/versions/9/infer"),
    infer("a malformed name", x([1, 2]), 400, "model name: expected 1 to 63 of a-z, 0-9 and '-', not starting with '-'; got 'Doubler'", path="/v2/models/Doubler/infer"),
    infer("a malformed version", x([1, 2]), 400, "version: expected a whole number from 1 to 999999999; got 'one'", path="/v2/models/doubler/versions/one/infer"),
    Row("a wrong method", event("GET", INFER), 405, "/v2/models/doubler/infer: expected POST, got GET"),
    Row("an unknown route", event("GET", "/v3/models"), 404, f"/v3/models: {ROUTES}"),
]  # fmt: skip

MODEL_ROWS = [
    infer("an answer that is infinite", two(x([1], name="a", shape=[1]), x([0], name="b", shape=[1])), 422, "output 'y': expected finite FP32 values, got inf at index 0 of shape [1]; JSON cannot hold it", path="/v2/models/divider/infer"),
    infer("the best classes of NaN alone", {**two(x([0], name="a", shape=[1]), x([0], name="b", shape=[1])), "outputs": [{"name": "y", "parameters": {"classification": 1}}]}, 422, "output 'y': classification: expected a score that is a number in every row, got nan alone in row 0", path="/v2/models/divider/infer"),
    infer("an answer above 6 MB", two(x([0.5], shape=[1]), x([2_000_000], name="shape", shape=[1], datatype="INT64")), 413, "answer: expected at most 6290532 bytes, got 8000139; ask for fewer rows or fewer outputs, accept it compressed (accept-encoding: gzip), or have it put on S3 (x-warmstart-output-location: s3://bucket/key)", path="/v2/models/expander/infer"),
    infer("values that the model refuses", two(x([1], shape=[1]), x([2, 2], name="shape", shape=[2], datatype="INT64")), 422, "model reshaper:1: cannot compute these values: Non-zero status code returned while running Reshape node. Name:'' Status Message: The input tensor cannot be reshaped to the requested shape. Input shape:{1}, requested shape:{2,2}", path="/v2/models/reshaper/infer"),
]  # fmt: skip

GATEWAY_FIRST = {
    "text that is not Unicode",
    "base64 that is none",
    "a body of 7 MB",
    "a wrong method",
    "an unknown route",
}
"""What of the rows above does not reach the function over HTTP: the gateway refuses it, or has no such event."""


class GatewayRow(NamedTuple):
    """A request that API Gateway answers itself, and its answer. `key` None: the endpoint's own."""

    what: str
    method: str
    path: str
    body: bytes
    status: int
    message: str
    key: str | None = None


NO_ROUTE = "no such path and method; or a path below /admin, and the request is not signed with AWS credentials"
NO_KEY = "expected the header x-api-key with a key of this endpoint"
GATEWAY_ROWS = [
    GatewayRow("no key", "POST", INFER, b"{}", 403, NO_KEY, key=""),
    GatewayRow("a wrong key", "POST", PREDICT, b"{}", 403, NO_KEY, key="wrong-wrong-wrong-wrong"),
    GatewayRow("a wrong method", "GET", PREDICT, b"", 403, NO_ROUTE),
    GatewayRow("an unknown route", "GET", "/v3/models", b"", 403, NO_ROUTE),
    GatewayRow("a body of 7 MB", "POST", PREDICT, b'{"a": "' + b"1" * 7_000_000 + b'"}', 413, "Request Too Long"),
    GatewayRow("a body of 11 MB", "POST", PREDICT, b'{"a": "' + b"1" * 11_000_000 + b'"}', 413, "HTTP content length exceeded 10485760 bytes."),
]  # fmt: skip

SECTIONS = {
    "The body": BODY_ROWS,
    "The tensors": TENSOR_ROWS,
    "Tensors as bytes": BINARY_ROWS + RAW_ROWS,
    "Content codings and formats": CODING_ROWS,
    "Plain JSON records": RECORD_ROWS,
    "Routes and references": ROUTE_ROWS,
    "What the model makes of it": MODEL_ROWS,
}


def table(rows: list[Row]) -> str:
    """Write rows as the documentation shows them."""
    lines = ["| request | status | message |", "|---|---|---|"]
    for row in rows:
        message = row.message.replace("|", "\\|")
        code = f"`{row.code}`: " if row.code else ""
        lines.append(f"| {row.what} | {row.status} | {code}{message} |")
    return "\n".join(lines)


def gateway_table() -> str:
    """Write the gateway's rows as the documentation shows them."""
    lines = ["| request | status | `error` |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {row.what} | {row.status} | {row.message} |" for row in GATEWAY_ROWS)])


def expected_body(row: Row) -> dict[str, Any]:
    """Return the body in the protocol's own shape."""
    if row.code is None:
        return {"error": row.message}
    return {"error": {"code": row.code, "message": row.message}}


def send(world: World, row: Row) -> tuple[int, dict[str, Any]]:
    """Send a row's event through; return status and body."""
    response = world.plane.answer(row.event, "request-1")
    return response["statusCode"], json.loads(response["body"])
