"""Malformed calls over gRPC, with what each is answered: executed by a test, and the table in docs/grpc.md."""

from __future__ import annotations

from typing import Final, NamedTuple

from google.protobuf.message import Message

from handlers.server.grpc.protos import health_pb2
from handlers.server.grpc.protos import open_inference_pb2 as oip
from handlers.server.grpc.protos import tensorflow_serving_pb2 as tfs
from tests.build.grpc_client import HEALTH, INFERENCE, MODELS, PREDICTION, fp32, raw_request, typed_request
from warmstart.datatypes import DATATYPES


class Bad(NamedTuple):
    """A call to a server that has the model `doubler` (x, FP32 [-1, 2]) and nothing else."""

    what: str
    service: str
    method: str
    request: Message
    status: str
    text: str


def _asked_twice() -> oip.ModelInferRequest:
    request = raw_request(x=fp32([1, 2]))
    request.outputs.add(name="y")
    request.outputs.add(name="y")
    return request


def _same_input_twice() -> oip.ModelInferRequest:
    request = raw_request(x=fp32([1, 2]))
    request.inputs.add(name="x", datatype="FP32", shape=(1, 2))
    request.raw_input_contents.append(bytes(8))
    return request


def _one_content_too_many() -> oip.ModelInferRequest:
    request = raw_request(x=fp32([1, 2]))
    request.raw_input_contents.append(bytes(8))
    return request


def _both_forms() -> oip.ModelInferRequest:
    request = raw_request(x=fp32([1, 2]))
    request.inputs[0].contents.fp32_contents.extend([1, 2])
    return request


def _classes(**parameter: object) -> oip.ModelInferRequest:
    request = raw_request(x=fp32([1, 2]))
    parameters = request.outputs.add(name="y").parameters
    for field, value in parameter.items():
        setattr(parameters["classification"], field, value)
    return request


def _shared_memory() -> oip.ModelInferRequest:
    request = raw_request(x=fp32([1, 2]))
    request.inputs[0].parameters["shared_memory_region"].string_param = "region"
    return request


def _versioned(version: str) -> oip.ModelInferRequest:
    request = raw_request(x=fp32([1, 2]))
    request.model_version = version
    return request


def _predict(
    *,
    model: str = "doubler",
    version: int | None = None,
    label: str | None = None,
    signature: str = "",
    wanted: tuple[str, ...] = (),
    dtype: int = 1,
    shape: tuple[int, ...] = (1, 2),
    content: bytes = b"",
    values: tuple[float, ...] = (1, 2),
    name: str = "x",
) -> tfs.PredictRequest:
    request = tfs.PredictRequest(model_spec=tfs.ModelSpec(name=model, signature_name=signature), output_filter=wanted)
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    tensor = request.inputs[name]
    tensor.dtype, tensor.tensor_content = dtype, content
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.float_val.extend(() if content else values)
    return request


_X: Final = "input 'x': "

CALLS: Final[tuple[Bad, ...]] = tuple(
    Bad(what, INFERENCE, "ModelInfer", request, status, text)
    for what, request, status, text in (
        ("no inputs", oip.ModelInferRequest(model_name="doubler"), "INVALID_ARGUMENT",
         "inputs: expected one or more tensors, got none"),
        ("no model", raw_request("", x=fp32([1, 2])), "INVALID_ARGUMENT",
         "model name: expected 1 to 63 of a-z, 0-9 and '-', not starting with '-'; got ''"),
        ("a model that is not there", raw_request("none", x=fp32([1, 2])), "NOT_FOUND",
         "model 'none': nothing of this name has been published"),
        ("a version that is not there", _versioned("9"), "NOT_FOUND",
         "model 'doubler': expected a published version, got 9"),
        ("a version that is none", _versioned("latest"), "INVALID_ARGUMENT",
         "version: expected a whole number from 1 to 999999999; got 'latest'"),
        ("fewer bytes than the shape holds", raw_request(x=("FP32", (1, 2), bytes(7))), "INVALID_ARGUMENT",
         f"{_X}FP32 of shape [1, 2] has 8 bytes, got 7"),
        ("more values than the shape holds", typed_request(x=("FP32", (1, 2), {"fp32_contents": [1, 2, 3]})),
         "INVALID_ARGUMENT", f"{_X}shape [1, 2] holds 2 values, its data has 3"),
        ("one content too many", _one_content_too_many(), "INVALID_ARGUMENT",
         "raw_input_contents: expected one for each of the 1 inputs, or none; got 2"),
        ("bytes and values", _both_forms(), "INVALID_ARGUMENT",
         f"{_X}expected contents or raw_input_contents, got both"),
        ("values of another field", typed_request(x=("FP32", (1, 2), {"int_contents": [1, 2]})), "INVALID_ARGUMENT",
         f"{_X}contents: expected fp32_contents for FP32, got int_contents"),
        ("FP16 as values", typed_request(x=("FP16", (1, 2), {"fp32_contents": [1, 2]})), "INVALID_ARGUMENT",
         f"{_X}contents: has no field for FP16; send it in raw_input_contents"),
        ("a datatype that is none", raw_request(x=("FP8", (1, 2), bytes(2))), "INVALID_ARGUMENT",
         f"{_X}datatype: expected one of {', '.join(DATATYPES)}; got 'FP8'"),
        ("another datatype than the model's", raw_request(x=("FP64", (1, 2), bytes(16))), "INVALID_ARGUMENT",
         f"{_X}expected FP32, got FP64"),
        ("another shape than the model's", raw_request(x=fp32([1, 2, 3])), "INVALID_ARGUMENT",
         f"{_X}expected shape [-1, 2] (-1 is any size), got [1, 3]"),
        ("a negative size", raw_request(x=("FP32", (-1, 2), bytes(8))), "INVALID_ARGUMENT",
         f"{_X}shape: expected up to 64 whole numbers, 0 or more; got [-1, 2]"),
        ("the same input twice", _same_input_twice(), "INVALID_ARGUMENT",
         f"{_X}expected once, got again as inputs[1]"),
        ("an input that the model does not have", raw_request(x=fp32([1, 2]), z=fp32([1, 2])), "INVALID_ARGUMENT",
         "input 'z': the model has no such input (it has: x)"),
        ("an output asked for twice", _asked_twice(), "INVALID_ARGUMENT", "output 'y': expected once, got twice"),
        ("a negative number of classes", _classes(int64_param=-1), "INVALID_ARGUMENT",
         "output 'y': parameters: 'classification': expected a whole number of classes"),
        ("a number of classes in words", _classes(string_param="two"), "INVALID_ARGUMENT",
         "output 'y': parameters: 'classification': expected a whole number of classes"),
        ("shared memory", _shared_memory(), "INVALID_ARGUMENT",
         f"{_X}parameters: 'shared_memory_region': shared memory is not served; send the tensor's bytes"),
    )
) + tuple(
    Bad(what, PREDICTION, "Predict", request, status, text)
    for what, request, status, text in (
        ("a label that is not there", _predict(label="canary"), "NOT_FOUND",
         "model 'doubler': expected one of its aliases, got 'canary'"),
        ("another signature", _predict(signature="predict_images"), "INVALID_ARGUMENT",
         "signature_name: expected 'serving_default', the only one here; got 'predict_images'"),
        ("version 0", _predict(version=0), "INVALID_ARGUMENT",
         "version: expected a whole number from 1 to 999999999; got '0'"),
        ("content of another length", _predict(content=bytes(12)), "INVALID_ARGUMENT",
         f"{_X}FP32 of shape [1, 2] has 8 bytes, got 12"),
        ("more values than the shape holds", _predict(values=(1, 2, 3)), "INVALID_ARGUMENT",
         f"{_X}shape [1, 2] holds 2 values, its data has 3"),
        ("values of another field", _predict(dtype=9), "INVALID_ARGUMENT",
         f"{_X}expected int64_val for INT64, got float_val"),
        ("one value for a shape above the limit", _predict(shape=(1 << 30, 2), values=(1,)), "RESOURCE_EXHAUSTED",
         f"{_X}expected up to 67108864 bytes, got 1 values for the shape [1073741824, 2], which takes 8589934592"),
        ("an output that the model does not have", _predict(wanted=("z",)), "INVALID_ARGUMENT",
         "output 'z': the model has no such output (it has: y)"),
        ("no such input", _predict(name="images"), "INVALID_ARGUMENT",
         f"{_X}expected FP32 [-1, 2], got no such tensor (came: images)"),
    )
) + (
    Bad("metadata of another kind", PREDICTION, "GetModelMetadata",
        tfs.GetModelMetadataRequest(model_spec=tfs.ModelSpec(name="doubler"), metadata_field=["graph"]),
        "INVALID_ARGUMENT", "metadata_field: expected signature_def, got graph"),
    Bad("a model that is not there", MODELS, "GetModelStatus",
        tfs.GetModelStatusRequest(model_spec=tfs.ModelSpec(name="none")),
        "NOT_FOUND", "model 'none': nothing of this name has been published"),
    Bad("a service that is not there", HEALTH, "Check", health_pb2.HealthCheckRequest(service="other"), "NOT_FOUND",
        f"service: expected one of {INFERENCE}, {PREDICTION}, {MODELS}, or none; got 'other'"),
    Bad("a method that is not served", INFERENCE, "ModelConfig", oip.Empty(), "UNIMPLEMENTED", "Method not found!"),
)  # fmt: skip


def table() -> str:
    """Write all calls as a table in Markdown."""
    rows = [f"| `{bad.method}` | {bad.what} | `{bad.status}` | {bad.text.replace('|', '')} |" for bad in CALLS]
    return "\n".join(["| method | what comes | status | message |", "|---|---|---|---|", *rows])
