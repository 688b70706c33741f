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


class Sent(NamedTuple):
    """The same, as the bytes that came."""

    message: bytes
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
        sent = self._send(service, method, request.SerializeToString(), timeout_s, metadata)
        return Answered(answer.FromString(sent.message), *sent[1:])

    def send(self, service: str, method: str, content: bytes) -> Sent:
        """Call a method with bytes as they are."""
        return self._send(service, method, content, 10, ())

    def begin(
        self,
        service: str,
        method: str,
        content: bytes,
        timeout_s: float = 60,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> grpc._CallFuture[bytes]:
        """Send a call, and do not wait."""
        ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(f"/{service}/{method}")
        return ask.future(content, timeout=timeout_s, metadata=metadata)

    def _send(
        self, service: str, method: str, content: bytes, timeout_s: float, metadata: tuple[tuple[str, str], ...]
    ) -> Sent:
        call = self.begin(service, method, content, timeout_s, metadata)
        trailing = {str(key): str(value) for key, value in call.trailing_metadata() or ()}
        return Sent(b"" if call.exception() else call.result(), call.code(), call.details() or "", trailing)

    def infer(self, request: oip.ModelInferRequest, *, timeout_s: float = 10) -> Answered[oip.ModelInferResponse]:
        """Call ModelInfer."""
        return self.call(INFERENCE, "ModelInfer", request, oip.ModelInferResponse, timeout_s=timeout_s)


@contextmanager
def client(port: int, compression: grpc.Compression | None = None) -> Iterator[Client]:
    """Connect to a server on this machine. A gRPC's message limits are lifted on this side."""
    options = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options, compression=compression) as channel:
        yield Client(channel)


def raw_request(
    model: str = "doubler",
    *,
    request_id: str = "",
    **inputs: tuple[str, tuple[int, ...], bytes],
) -> oip.ModelInferRequest:
    """A request whose tensors are bytes: name=(datatype, shape, bytes)."""
    request = oip.ModelInferRequest(model_name=model, id=request_id)
    for name, (datatype, shape, content) in inputs.items():
        request.inputs.add(name=name, datatype=datatype, shape=shape)
        request.raw_input_contents.append(content)
    return request


def typed_request(
    model: str = "doubler",
    *,
    request_id: str = "",
    **inputs: tuple[str, tuple[int, ...], dict[str, list[object]]],
) -> oip.ModelInferRequest:
    """A request whose tensors are values: name=(datatype, shape, {field: values})."""
    request = oip.ModelInferRequest(model_name=model, id=request_id)
    for name, (datatype, shape, fields) in inputs.items():
        item = request.inputs.add(name=name, datatype=datatype, shape=shape)
        for field, values in fields.items():
            getattr(item.contents, field).extend(values)
    return request


def fp32(*rows: list[float]) -> tuple[str, tuple[int, ...], bytes]:
    """A raw FP32 input of these rows."""
    array = np.array(rows, "<f4")
    return "FP32", array.shape, array.tobytes()
