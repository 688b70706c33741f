"""TensorFlow Serving's gRPC client as its tutorials write it, unmodified: docs/grpc.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    status_pb2,
)

from handlers.server.grpc.protos import tensorflow_serving_pb2
from tests.clients.models import DATATYPES
from tests.clients.snippets import run_example
from tests.clients.wire_numbers import numbers

TYPES = {
    "BOOL": tf.bool, "UINT8": tf.uint8, "UINT16": tf.uint16, "UINT32": tf.uint32, "UINT64": tf.uint64,
    "INT8": tf.int8, "INT16": tf.int16, "INT32": tf.int32, "INT64": tf.int64,
    "FP16": tf.float16, "BF16": tf.bfloat16, "FP32": tf.float32, "FP64": tf.float64, "BYTES": tf.string,
}  # fmt: skip


@pytest.fixture(scope="session")
def channel(grpc_address: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(grpc_address) as opened:
        yield opened


@pytest.fixture(scope="session")
def stub(channel: grpc.Channel) -> Any:
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def request_for(model: str, **inputs: Any) -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = "serving_default"
    for name, proto in inputs.items():
        request.inputs[name].CopyFrom(proto)
    return request


def test_the_tutorials_lines_work(stub: Any) -> None:
    data = np.array([[1, 2]], np.float32)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "doubler"
    request.model_spec.signature_name = "serving_default"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(data, shape=[1, 2]))
    result = stub.Predict(request, 10.0)  # 10 secs timeout

    assert np.array(result.outputs["y"].float_val).tolist() == [3, 6]
    assert (result.model_spec.name, result.model_spec.version.value) == ("doubler", 2)


def test_the_tutorials_callback_is_called(stub: Any) -> None:
    request = request_for("doubler", x=tf.make_tensor_proto([[1.0, 2.0]]))
    future = stub.Predict.future(request, 5.0)

    assert tf.make_ndarray(future.result().outputs["y"]).tolist() == [[3, 6]]
    assert future.exception() is None


@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_datatype_comes_back(stub: Any, datatype: str) -> None:
    values = {"BOOL": [[True, False]], "BYTES": [["café", ""]]}.get(datatype, [[1, 0]])
    sent = tf.make_tensor_proto(values, dtype=TYPES[datatype])
    came = stub.Predict(request_for(f"identity-{datatype.lower()}", x=sent), 10.0).outputs["y"]

    assert came.dtype == sent.dtype
    assert tf.make_ndarray(came).tolist() == tf.make_ndarray(sent).tolist()
    assert came.tensor_content == b""


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64", "INT8", "INT64"])
def test_content_and_one_value_for_all_are_read(stub: Any, datatype: str) -> None:
    dtype = TYPES[datatype]
    content = tf.make_tensor_proto(np.array([[1, 1], [1, 1]], dtype.as_numpy_dtype))
    single = tf.make_tensor_proto(1, dtype=dtype, shape=[2, 2])

    assert content.tensor_content
    for sent in (content, single):
        came = stub.Predict(request_for(f"identity-{datatype.lower()}", x=sent), 10.0).outputs["y"]
        assert tf.make_ndarray(came).tolist() == [[1, 1], [1, 1]]


def test_versions_are_chosen_by_number_and_by_label(stub: Any) -> None:
    request = request_for("doubler", x=tf.make_tensor_proto([[1.0, 2.0]]))
    request.model_spec.version.value = 1
    assert list(stub.Predict(request, 10.0).outputs["y"].float_val) == [2, 4]
    request.model_spec.version_label = "canary"
    assert list(stub.Predict(request, 10.0).outputs["y"].float_val) == [2, 4]
    request.model_spec.version_label = "live"
    assert list(stub.Predict(request, 10.0).outputs["y"].float_val) == [3, 6]


def test_outputs_are_filtered(stub: Any) -> None:
    one = tf.make_tensor_proto([[1.0]])
    request = request_for("adder", a=one, b=one)
    request.output_filter.append("sum")

    assert {name: tf.make_ndarray(found).tolist() for name, found in stub.Predict(request, 10.0).outputs.items()} == {
        "sum": [[2.0]]
    }


def test_the_signature_can_be_unpacked(stub: Any) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "adder"
    request.metadata_field.append("signature_def")
    result = stub.GetModelMetadata(request, 10.0)
    signatures = get_model_metadata_pb2.SignatureDefMap()

    assert result.metadata["signature_def"].Unpack(signatures)
    signature = signatures.signature_def["serving_default"]
    assert {name: tf.dtypes.as_dtype(info.dtype) for name, info in signature.inputs.items()} == {
        "a": tf.float32,
        "b": tf.float32,
    }
    assert [dim.size for dim in signature.outputs["sum"].tensor_shape.dim] == [-1, 1]
    assert signature.method_name == tf.saved_model.PREDICT_METHOD_NAME


def test_a_models_status_is_available(channel: grpc.Channel) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "doubler"
    result = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request, 10.0)

    assert [(each.version, each.state) for each in result.model_version_status] == [
        (2, get_model_status_pb2.ModelVersionStatus.State.AVAILABLE),
        (1, get_model_status_pb2.ModelVersionStatus.State.AVAILABLE),
    ]


@pytest.mark.parametrize(
    ("model", "shape", "status", "text"),
    [
        ("none", [1, 2], grpc.StatusCode.NOT_FOUND, "model 'none': nothing of this name has been published"),
        ("doubler", [1, 3], grpc.StatusCode.INVALID_ARGUMENT,
         "input 'x': expected shape [-1, 2] (-1 is any size), got [1, 3]"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(stub: Any, model: str, shape: list[int], status: grpc.StatusCode, text: str) -> None:
    call = stub.Predict.future(request_for(model, x=tf.make_tensor_proto(1.0, shape=shape)), 10.0)

    assert isinstance(call.exception(), grpc.RpcError)
    assert (call.code(), call.details()) == (status, text)


def test_our_messages_have_the_numbers_and_types_of_theirs() -> None:
    ours = numbers(tensorflow_serving_pb2)
    theirs = numbers(
        get_model_metadata_pb2, get_model_status_pb2, meta_graph_pb2, model_pb2, predict_pb2, status_pb2,
        tensor_pb2, tensor_shape_pb2,
    )  # fmt: skip

    of_protobuf = {"Any", "Int64Value"}
    assert set(ours) - set(theirs) == of_protobuf
    assert {name: fields - theirs[name] for name, fields in ours.items() if name not in of_protobuf} == {
        name: set() for name in ours if name not in of_protobuf
    }


def test_the_documented_example_prints_what_it_says(grpc_address: str) -> None:
    printed, documented = run_example("docs/grpc.md", "tensorflow_serving", grpc_address)

    assert printed == documented
