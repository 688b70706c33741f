"""gRPC's own health check, for Kubernetes' probes. Source: grpc/grpc, doc/health-checking.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from handlers.inference.routes.route import Operation
from handlers.inference.service import InferenceService
from handlers.server.grpc.calls import Method, Speech, Tell, Told
from handlers.server.grpc.protos.health_pb2 import HealthCheckRequest, HealthCheckResponse
from warmstart.errors import ObjectNotFound

SERVING: Final = 1
NOT_SERVING: Final = 2
SERVICES: Final = (
    "",
    "inference.GRPCInferenceService",
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
)
""""" is the server as a whole."""


def speech(is_ready: Callable[[], bool]) -> Speech:
    """Return the service. It has no Watch: the protocol lets a client that wants it do without."""

    def check(_: InferenceService, request: HealthCheckRequest) -> Told:
        if request.service not in SERVICES:
            raise ObjectNotFound(
                f"service: expected one of {', '.join(SERVICES[1:])}, or none; got {request.service[:80]!r}"
            )
        return Told(HealthCheckResponse(status=SERVING if is_ready() else NOT_SERVING))

    methods = {"Check": Method(Operation.READY, HealthCheckRequest, Tell(check))}
    return Speech("grpc.health.v1.Health", "grpc-health", methods)
