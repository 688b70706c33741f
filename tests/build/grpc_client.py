"""A client of the gRPC server: methods by their names on the wire, answers with what came behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

import grpc
import numpy as np
from google.protobuf.message import Message

from handlers.server.grpc.protos import open_inference_pb2 as oip


Answer = TypeVar("Answer", bound=Message)

INFERENCE = "inference.GRPCInferenceService"
PREDICTION = "tensorflow.serving.PredictionService"
MODELS = "tensorflow.serving.ModelService"
HEALTH = "grpc.health.v1.Health"


class Answered(NamedTuple, Generic[Answer]):
    """What came: a message or an error's status and text, and the trailing metadata."""

    message: Answer
    status: grpc.StatusCode
    text: str
    metadata: Mapping[str, str]


class Client:
    """Calls one server."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def call(
        self,
        service: str,
        method: str,
        request: Message,
        answer: type[Answer],
        *,
        timeout_s: float = 10,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> Answered[Answer]:
        """Call a method; an error is answered with an empty message."""
        ask = self._channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        try:
            message, call = ask.with_call(request, timeout=timeout_s, metadata=metadata)
        except grpc.RpcError as error:
            assert isinstance(error, grpc.Call)
            return Answered(answer(), error.code(), error.details() or "", _texts(error))
        return Answered(message, call.code(), "", _texts(call))

    def infer(self, request: oip.ModelInferRequest, *, timeout_s: float = 10) -> Answered[oip.ModelInferResponse]:
        """Call ModelInfer."""
        return self.call(INFERENCE, "ModelInfer", request, oip.ModelInferResponse, timeout_s=timeout_s)


def _texts(call: grpc.Call) -> dict[str, str]:
    return {str(key): str(value) for key, value in call.trailing_metadata() or ()}


@contextmanager
def client(port: int) -> Iterator[Client]:
    """Connect to a server on this machine. A gRPC's message limits are lifted on this side."""
    options = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield Client(channel)


def raw_request(
    model: str = "doubler",
    *,
    id: str = "",
    **inputs: tuple[str, tuple[int, ...], bytes],  # noqa: A002 - its field
) -> oip.ModelInferRequest:
    """A request whose tensors are bytes: name=(datatype, shape, bytes)."""
    request = oip.ModelInferRequest(model_name=model, id=id)
    for name, (datatype, shape, content) in inputs.items():
        request.inputs.add(name=name, datatype=datatype, shape=shape)
        request.raw_input_contents.append(content)
    return request


def typed_request(
    model: str = "doubler",
    *,
    id: str = "",
    **inputs: tuple[str, tuple[int, ...], dict[str, list[object]]],  # noqa: A002
) -> oip.ModelInferRequest:
    """A request whose tensors are values: name=(datatype, shape, {field: values})."""
    request = oip.ModelInferRequest(model_name=model, id=id)
    for name, (datatype, shape, fields) in inputs.items():
        item = request.inputs.add(name=name, datatype=datatype, shape=shape)
        for field, values in fields.items():
            getattr(item.contents, field).extend(values)
    return request


def fp32(*rows: list[float]) -> tuple[str, tuple[int, ...], bytes]:
    """A raw FP32 input of these rows."""
    array = np.array(rows, "<f4")
    return "FP32", array.shape, array.tobytes()
