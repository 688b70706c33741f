# ruff: noqa: E501 - one row per line, as in the table that they become
"""Requests of scoring protocols that are answered with an error, each with its whole answer.

Published is what `tests.build.scoring` says; the stage's default model is `doubler` (y = 2x, FP32 [-1, 2]).
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any, NamedTuple

from tests.build.inference import World, event

FP32 = "FP32 values (up to 3.403e+38)"
NO_SUCH = "model 'nothing': nothing of this name has been published"
JSON = "application/json"
FORM = "multipart/form-data; boundary=B"


def npy(dtype: str, content: bytes, shape: str = "(1, 2)") -> bytes:
    """An array as numpy writes it; `content` is what stands in for its values."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


class Row(NamedTuple):
    """A request and its answer. `kind` is what the protocol says beside status and message."""

    what: str
    path: str
    body: object
    content_type: str
    status: int
    kind: str
    message: str
    headers: dict[str, str] = {}  # noqa: RUF012 - of a tuple, and never changed


def mlflow(
    what: str,
    body: object,
    message: str,
    *,
    kind: str = "BAD_REQUEST",
    status: int = 400,
    content_type: str = JSON,
    **headers: str,
) -> Row:
    """A row on `/invocations`."""
    return Row(what, "/invocations", body, content_type, status, kind, message, headers)


def sagemaker(
    what: str,
    body: object,
    message: str,
    *,
    kind: str = "ModelError",
    status: int = 400,
    content_type: str = JSON,
    endpoint: str = "doubler",
    target: str = "",
    variant: str = "",
    **headers: str,
) -> Row:
    """A row on `/endpoints/{name}/invocations`."""
    targets = {"X-Amzn-SageMaker-Target-Model": target, "X-Amzn-SageMaker-Target-Variant": variant}
    return Row(what, f"/endpoints/{endpoint}/invocations", body, content_type, status, kind, message, targets | headers)


def torchserve(
    what: str,
    body: object,
    message: str,
    *,
    kind: str = "BadRequestException",
    status: int = 400,
    content_type: str = JSON,
    model: str = "doubler",
) -> Row:
    """A row on `/predictions/{model}`."""
    return Row(what, f"/predictions/{model}", body, content_type, status, kind, message)


def azure_ml(what: str, body: object, message: str, *, status: int = 400, content_type: str = JSON) -> Row:
    """A row on `/score`."""
    return Row(what, "/score", body, content_type, status, "", message)


FORMS = "exactly one of 'dataframe_split', 'dataframe_records', 'instances', 'inputs'"
MLFLOW_ROWS = [
    mlflow("an empty body", None, "body: expected JSON, got nothing"),
    mlflow("malformed JSON", '{"inputs": [', "body: expected JSON, got unexpected end of data at character 12"),
    mlflow("100,000 arrays in each other", "[" * 100_000, "body: expected JSON, got depth limit exceeded at character 1025"),
    mlflow("a name twice in an object", '{"inputs": [[1, 2]], "inputs": [[NaN, 2]]}', "body: expected each name once in an object, got 'inputs' again"),
    mlflow("a number above FP64", '{"inputs": [[1, 1e400]]}', "body: expected JSON, got number is infinity when parsed as double at character 16"),
    mlflow("a list", [[1, 2]], f"body: expected an object with {FORMS}, got an array"),
    mlflow("none of the forms", {"data": [[1, 2]]}, f"body: expected an object with {FORMS}, got one with data"),
    mlflow("two of the forms", {"inputs": [[1, 2]], "instances": [[1, 2]]}, f"body: expected an object with {FORMS}, got one with inputs, instances"),
    mlflow("a language model's form", {"messages": []}, f"body: expected an object with {FORMS}, got one with messages"),
    mlflow("params that the model does not declare", {"inputs": [[1, 2]], "params": {"top_k": 3}}, "params: expected none, as the model declares none; got top_k"),
    mlflow("params that are none", {"inputs": [[1, 2]], "params": 3}, "params: expected an object, got a number"),
    mlflow("a frame without data", {"dataframe_split": {"columns": ["w", "h"]}}, "dataframe_split: expected an object of 'data' and maybe 'columns' and 'index', got an object with columns"),
    mlflow("a frame of no rows", {"dataframe_split": {"columns": ["w", "h"], "data": []}}, "dataframe_split: data: expected a non-empty array of rows, got an empty array"),
    mlflow("a ragged frame", {"dataframe_split": {"columns": ["w", "h"], "data": [[1, 2], [3]]}}, "body: expected 2 columns in every row, got 1 in record 1"),
    mlflow("too many columns", {"dataframe_split": {"columns": ["w", "h", "d"], "data": [[1, 2, 3]]}}, "input 'x': expected an array of 2 FP32 values, got 3 in record 0"),
    mlflow("records that are none", {"dataframe_records": 3}, "dataframe_records: expected a non-empty array of rows, got a number"),
    mlflow("records of other columns", {"dataframe_records": [{"w": 1, "h": 2}, {"w": 1, "d": 2}]}, "body: expected the same columns in every record, not so 'd' in record 1"),
    mlflow("mixed instances", {"instances": [[1, 2], {"x": [1, 2]}]}, "body: expected records of one form, got an array and an object"),
    mlflow("columns of several lengths", {"inputs": {"w": [1, 2], "h": [1]}}, "body: expected columns of one length, got several"),
    mlflow("text among numbers", {"inputs": [[1, "2"]]}, f'input \'x\': expected {FP32}, got "2" (a string) in record 0, element 1'),
    mlflow("an empty CSV", b"", "body: expected at least one row of CSV, got none", content_type="text/csv"),
    mlflow("CSV without rows", b"w,h\n", "body: expected at least one row of CSV below its header, got none", content_type="text/csv"),
    mlflow("ragged CSV", b"w,h\n1,2\n3\n", "body: expected 2 columns in every row, got 1 in record 1", content_type="text/csv"),
    mlflow("text in CSV", b"w,h\n1,a\n", f'input \'x\': expected {FP32}, got "a" (a string) in record 0, element 1', content_type="text/csv"),
    mlflow("CSV in another encoding", b"w,h\n1,\xff\n", "body: expected CSV in UTF-8, got another byte at 6", content_type="text/csv"),
    mlflow("another type", b"", "content-type: expected application/json or text/csv, got 'application/x-parquet'", kind="", status=415, content_type="application/x-parquet"),
    mlflow("another charset", b"w,h\n1,2", "content-type: expected charset utf-8, got 'latin-1'", kind="", status=415, content_type="text/csv; charset=latin-1"),
    mlflow("another parameter", {"inputs": [[1, 2]]}, "content-type: expected no parameter but charset, got 'format'", kind="", status=415, content_type=f"{JSON}; format=pandas-split"),
    mlflow("an answer in another format", {"inputs": [[1, 2]]}, "accept: expected application/json, got 'text/csv'", status=406, accept="text/csv"),
    mlflow("an answer that is infinite", {"inputs": [[3e38, 1]]}, "output 'y': expected finite FP32 values, got inf at index 0 of shape [1, 2]; JSON cannot hold it", status=422),
]  # fmt: skip

TYPES = "application/json or text/csv or application/jsonlines or application/x-jsonlines or application/jsonl or application/x-ndjson or application/x-npy"
SAGEMAKER_ROWS = [
    sagemaker("an endpoint that does not exist", [[1, 2]], NO_SUCH, kind="ValidationError", status=404, endpoint="nothing"),
    sagemaker("a malformed name", [[1, 2]], "model name: expected 1 to 63 of a-z, 0-9 and '-', not starting with '-'; got 'My_Endpoint'", kind="ValidationError", endpoint="My_Endpoint"),
    sagemaker("a target model that does not exist", [[1, 2]], NO_SUCH, kind="ValidationError", status=404, target="nothing.tar.gz"),
    sagemaker("a target model of a folder", [[1, 2]], "model name: expected 1 to 63 of a-z, 0-9 and '-', not starting with '-'; got 'a/b'", kind="ValidationError", target="a/b.tar.gz"),
    sagemaker("a variant that does not exist", [[1, 2]], "model 'doubler': expected one of its aliases, got 'variant-1'", kind="ValidationError", status=404, variant="variant-1"),
    sagemaker("a variant beside another", [[1, 2]], "model doubler@canary: expected no other variant beside it, got 'blue'", kind="ValidationError", endpoint="doubler@canary", variant="blue"),
    sagemaker("an empty body", None, "body: expected JSON, got nothing"),
    sagemaker("a number", "3", "body: expected a non-empty array of rows, got a number"),
    sagemaker("instances that are none", {"instances": {}}, "instances: expected a non-empty array of rows, got an object"),
    sagemaker("an unknown field", {"x": [1, 2], "z": 1}, "input 'z': the model has no such input (it has: x); in record 0"),
    sagemaker("a broken line", b"[1, 2]\n[3,\n", "body: expected JSON, got unexpected end of data at character 3 (line 2)", content_type="application/jsonlines"),
    sagemaker("no lines", b"\n\n", "body: expected JSON lines, got none", content_type="application/jsonlines"),
    sagemaker("lines of values", b"1\n2\n", "body: expected an array or an object per line, got a number (line 1)", content_type="application/jsonlines"),
    sagemaker("CSV with a header", b"w,h\n1,2\n", f'input \'x\': expected {FP32}, got "w" (a string) in record 0, element 0', content_type="text/csv"),
    sagemaker("CSV of other columns", b"1,2,3\n", "body: expected 2 columns (x: FP32 [-1, 2]), got 3 in record 0", content_type="text/csv"),
    sagemaker("npy that is none", b"not an array", "body: expected an array in npy's format, version 1 to 3; got b'not an a'", content_type="application/x-npy"),
    sagemaker("npy whose end is missing", npy("<f4", bytes(4)), "body: expected 8 bytes of float32 [1, 2], got 4", content_type="application/x-npy"),
    sagemaker("npy that holds pickles", npy("|O", bytes(16)), "body: expected an npy header of numbers or booleans, got another; text and pickle are none", content_type="application/x-npy"),
    sagemaker("an empty npy", b"", "body: expected an array in npy's format, version 1 to 3; got b''", content_type="application/x-npy"),
    sagemaker("npy of a version to come", b"\x93NUMPY\x09" + npy("<f4", bytes(8))[7:], "body: expected an array in npy's format, version 1 to 3; got b'\\x93NUMPY\\t\\x00'", content_type="application/x-npy"),
    sagemaker("npy whose header is longer than the body", b"\x93NUMPY\x01\x00\xff\xff" + npy("<f4", bytes(8))[10:], "body: expected an npy header of numbers or booleans, got another; text and pickle are none", content_type="application/x-npy"),
    sagemaker("npy of a shape above all memory", npy("<f4", bytes(8), "(999999999999, 999999999999)"), "body: expected 3999999999992000000000004 bytes of float32 [999999999999, 999999999999], got 8", content_type="application/x-npy"),
    sagemaker("npy of a negative shape", npy("<f4", bytes(8), "(-1, 2)"), "body: expected an npy header of numbers or booleans, got another; text and pickle are none", content_type="application/x-npy"),
    sagemaker("npy whose header computes", npy("<f4", bytes(8), "(1, 1 + 1)"), "body: expected an npy header of numbers or booleans, got another; text and pickle are none", content_type="application/x-npy"),
    sagemaker("npy of more values than its shape", npy("<f4", bytes(12)), "body: expected 8 bytes of float32 [1, 2], got 12", content_type="application/x-npy"),
    sagemaker("npy of another shape than the model's", npy("<f4", bytes(12), "(1, 3)"), "input 'x': expected shape [-1, 2] (-1 is any size), got [1, 3]", content_type="application/x-npy"),
    sagemaker("an empty CSV", b"", "body: expected at least one row of CSV, got none", content_type="text/csv"),
    sagemaker("another type", b"a", f"content-type: expected {TYPES}, got 'application/x-recordio-protobuf'", status=415, content_type="application/x-recordio-protobuf"),
    sagemaker("an answer in another format", [[1, 2]], f"accept: expected {TYPES}, got 'image/png'", status=406, accept="image/png"),
    sagemaker("several outputs as npy", [[5.1, 3.5, 1.4, 0.2]], "outputs: expected one of numbers, got label: INT64 [-1], probabilities: FP32 [-1, 3]; accept JSON or CSV", status=422, endpoint="iris", accept="application/x-npy"),
    Row("an unknown path", "/endpoints/doubler/invocations-response-stream", [[1, 2]], JSON, 404, "ValidationError", "/endpoints/doubler/invocations-response-stream: expected a route of a protocol that is served here, got none"),
]  # fmt: skip

TORCHSERVE_ROWS = [
    torchserve("an unknown model", [[1, 2]], NO_SUCH, kind="ModelNotFoundException", status=404, model="nothing"),
    torchserve("an unknown version", [[1, 2]], "model 'doubler': expected a published version, got 9", kind="ModelVersionNotFoundException", status=404, model="doubler/9.0"),
    torchserve("a version that is none", [[1, 2]], "version: expected a whole number from 1 to 999999999; got '1.5'", model="doubler/1.5"),
    torchserve("an empty body", None, "body: expected JSON, or what the model takes, got nothing"),
    torchserve("an empty text", b"", "body: expected JSON, or what the model takes, got nothing", content_type="text/plain", model="text"),
    torchserve("malformed JSON", "[[1, 2]", "body: expected JSON, got unexpected end of data at character 7"),
    torchserve("text to a model that takes numbers", b"hello", "content-type: expected application/json for this model, got 'text/plain'", status=415, content_type="text/plain"),
    torchserve("a file to a model that takes numbers", b"\xff\xd8", "body: expected JSON, got str is not valid UTF-8: surrogates not allowed at character 0", content_type=""),
    torchserve("a row that is too short", [[1]], "input 'x': expected an array of 2 FP32 values, got 1 in record 0"),
    torchserve("bytes that are no text", b"\xff", "body: expected text in UTF-8, got another byte at 0", content_type="text/plain", model="text"),
    torchserve("a form without an end", b"--B\r\n", "body: expected a form with at least one field, and its end", content_type=FORM, model="text"),
    torchserve("an empty form", b"", "body: expected a form with at least one field, and its end", content_type=FORM, model="text"),
    torchserve("a form without a boundary", b'--B\r\nContent-Disposition: form-data; name="data"\r\n\r\na\r\n--B--', "content-type: expected a boundary of 1 to 70 characters, got ''", content_type="multipart/form-data", model="text"),
    torchserve("a form of another boundary", b'--C\r\nContent-Disposition: form-data; name="data"\r\n\r\na\r\n--C--', "body: expected a form with at least one field, and its end", content_type=FORM, model="text"),
    torchserve("a field without a name", b"--B\r\nContent-Disposition: form-data\r\n\r\na\r\n--B--", "body: expected each field of the form to have a name", content_type=FORM, model="text"),
    torchserve("a field without an end to its headers", b'--B\r\nContent-Disposition: form-data; name="data"\r\na\r\n--B--', "body: expected each field of the form to have a name", content_type=FORM, model="text"),
    torchserve("a field that is not UTF-8", b'--B\r\nContent-Disposition: form-data; name="data"\r\n\r\n\xff\r\n--B--', "body: expected text in UTF-8, got another byte at 0", content_type=FORM, model="text"),
    torchserve("a form of another field", b'--B\r\nContent-Disposition: form-data; name="file"\r\n\r\na\r\n--B--', "body: expected the form's fields to be 'data' or 'body', got 'file'", content_type=FORM, model="text"),
    torchserve("a form to a model that takes numbers", b'--B\r\nContent-Disposition: form-data; name="data"\r\n\r\na\r\n--B--', "content-type: expected application/json for this model, got 'multipart/form-data'", status=415, content_type=FORM),
]  # fmt: skip

AZURE_ML_ROWS = [
    azure_ml("an empty body", None, "body: expected JSON, got nothing"),
    azure_ml("a list", [[1, 2]], "body: expected an object with 'input_data' or 'data', got an array"),
    azure_ml("neither of the forms", {"inputs": []}, "body: expected an object with 'input_data' or 'data', got one with inputs"),
    azure_ml("params", {"data": [[1, 2]], "params": {"top_k": 3}}, "params: expected none, as the model declares none; got top_k"),
    azure_ml("no rows", {"data": []}, "data: expected a non-empty array of rows, got an empty array"),
    azure_ml("a ragged frame", {"input_data": {"columns": ["w", "h"], "data": [[1]]}}, "body: expected 2 columns in every row, got 1 in record 0"),
    azure_ml("another type", b"a", "content-type: expected application/json, got 'text/csv'", status=415, content_type="text/csv"),
]  # fmt: skip

TABLES = {
    "protocol-mlflow.md": [MLFLOW_ROWS, AZURE_ML_ROWS],
    "protocol-sagemaker.md": [SAGEMAKER_ROWS],
    "protocol-torchserve.md": [TORCHSERVE_ROWS],
}


def table(rows: list[Row]) -> str:
    """Write rows as the documentation shows them."""
    lines = ["| request | status | message |", "|---|---|---|"]
    for row in rows:
        kind = (
            f"`{row.kind}`: "
            if row.kind and row.kind not in ("BAD_REQUEST", "ModelError", "BadRequestException")
            else ""
        )
        lines.append(f"| {row.what} | {row.status} | {kind}{row.message} |")
    return "\n".join(lines)


def expected_body(row: Row) -> Any:
    """Return the body in the protocol's own shape."""
    match row.path.split("/")[1]:
        case "invocations":
            return {"error_code": row.kind, "message": row.message} if row.kind else row.message
        case "predictions":
            return {"code": row.status, "type": row.kind, "message": row.message}
        case "endpoints" if row.kind == "ModelError":
            message = f"Received client error ({row.status}) from the model: {row.message}"
            original = {"OriginalStatusCode": row.status, "OriginalMessage": row.message, "LogStreamArn": ""}
            return {"Message": message, **original}
        case "endpoints":
            return {"Message": row.message}
        case _:
            return {"message": row.message}


def send(world: World, row: Row) -> dict[str, Any]:
    """Send a row through; return the gateway's answer."""
    binary = isinstance(row.body, bytes)
    body = b64encode(row.body).decode() if isinstance(row.body, bytes) else row.body
    headers = {"content-type": row.content_type, **row.headers}
    return world.plane.answer(event("POST", row.path, body, isBase64Encoded=binary, headers=headers), "request-1")
