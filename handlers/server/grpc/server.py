"""The gRPC server: both protocols and the health check on one port."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import grpc

from handlers.server.grpc import health, open_inference, tensorflow_serving
from handlers.server.grpc.calls import Calls, Note, Speech, Spoken
from warmstart.errors import InvalidSetting
from warmstart.limits import MIB

if TYPE_CHECKING:
    from handlers.inference.service import InferenceService

WORKERS: Final = 16
"""Calls that are answered at once; the sessions share the processors among them."""
QUEUED: Final = 256
"""Calls that may wait for a worker; one more is RESOURCE_EXHAUSTED."""
MESSAGE_BYTES: Final = 64 * MIB
"""Of one message, either way: what a request's body may be over HTTP."""
_KEEPALIVE: Final = (
    ("grpc.keepalive_time_ms", 60_000),  # a client that is gone without a word is noticed
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),  # gRPC's own 5 minutes cut off clients that ping more
)
_CUT_OFF_S: Final = 60
"""gRPC would cut off by itself, and not say whether it had to: it is told a later time than ours."""


class GrpcServer:
    """A server that runs; `port` is the one that it listens on."""

    def __init__(self, server: grpc.Server, port: int) -> None:
        self._server, self.port = server, port

    def stop(self, grace_s: float) -> bool:
        """Take no new call, let those that run end within this time, cut off the rest; say whether there was none."""
        ended = self._server.stop(grace_s + _CUT_OFF_S)
        if finished := ended.wait(grace_s):
            return True
        self._server.stop(0).wait()
        return finished


def start_grpc(
    service: InferenceService,
    *,
    port: int,
    host: str = "127.0.0.1",
    max_workers: int = WORKERS,
    max_queued: int = QUEUED,
    max_message_bytes: int = MESSAGE_BYTES,
    note: Note = lambda _invocation, _answer: None,
    is_ready: Callable[[], bool] = lambda: True,
    clock_ns: Callable[[], int] = time.perf_counter_ns,
    new_id: Callable[[], str] = lambda: str(uuid4()),
) -> GrpcServer:
    """Listen, without TLS, and answer on threads of its own. `port` 0 is any that is free.

    Raises: InvalidSetting if the port cannot be had.
    """
    server = grpc.server(
        ThreadPoolExecutor(max_workers, thread_name_prefix="grpc"),
        options=(
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
            ("grpc.so_reuseport", 0),  # a port that is taken is an error, not shared
            *_KEEPALIVE,
        ),
        maximum_concurrent_rpcs=max_workers + max_queued,
    )
    calls = Calls(service, note=note, clock_ns=clock_ns, new_id=new_id)
    for speech in (
        open_inference.speech(is_ready),
        tensorflow_serving.speech(max_message_bytes),
        tensorflow_serving.status_speech(),
        health.speech(is_ready),
    ):
        _add(server, calls, speech)
    try:
        bound = server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except RuntimeError as error:
        raise InvalidSetting(f"grpc port: expected one that is free at {host}, got {port}", name="grpc_port") from error
    server.start()
    return GrpcServer(server, bound)


def _add(server: grpc.Server, calls: Calls, speech: Speech) -> None:
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        name: grpc.unary_unary_rpc_method_handler(
            calls.behaviour(Spoken(speech.protocol, method.operation), method),
            request_deserializer=None,
            response_serializer=lambda message: message.SerializeToString(),
        )
        for name, method in speech.methods.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(speech.service, handlers),))
