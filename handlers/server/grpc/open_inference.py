"""The Open Inference Protocol over gRPC, with Triton's repository index and statistics.

Source: kserve/open-inference-protocol, specification/protocol/inference_grpc.md; triton-inference-server/server,
src/grpc/infer_handler.cc and grpc_server.cc, for what its clients rely on and the specification leaves open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from handlers.inference.routes.route import Operation
from handlers.inference.service import InferenceService, named
from handlers.server.grpc.calls import Infer, Method, Speech, Tell, Told
from handlers.server.grpc.infer_messages import InferCall, read_infer
from handlers.server.grpc.protos import open_inference_pb2 as messages
from warmstart import __version__
from warmstart.errors import IntegrityError, ModelFailure, NotFound
from warmstart.protocols.oip_documents import PLATFORM, Duration, Statistics
from warmstart.refs import ModelRef, parse_version

EXTENSIONS: Final = ("classification", "model_repository", "statistics")


def speech(is_ready: Callable[[], bool]) -> Speech:
    """Return the service; `is_ready` says whether all that was to be loaded at the start is."""

    def server_ready(_: InferenceService, __: messages.Empty) -> Told:
        return Told(messages.ServerReadyResponse(ready=is_ready()))

    methods = {
        "ServerLive": Method(Operation.LIVE, messages.Empty, Tell(_server_live)),
        "ServerReady": Method(Operation.READY, messages.Empty, Tell(server_ready)),
        "ServerMetadata": Method(Operation.SERVER, messages.Empty, Tell(_server_metadata)),
        "ModelReady": Method(Operation.MODEL_READY, messages.ModelReadyRequest, Tell(_model_ready)),
        "ModelMetadata": Method(Operation.MODEL, messages.ModelMetadataRequest, Tell(_model_metadata)),
        "ModelInfer": Method(Operation.INFER, messages.ModelInferRequest, Infer(_infer)),
        "RepositoryIndex": Method(Operation.INDEX, messages.RepositoryIndexRequest, Tell(_repository_index)),
        "ModelStatistics": Method(Operation.STATISTICS, messages.ModelStatisticsRequest, Tell(_model_statistics)),
    }
    return Speech("inference.GRPCInferenceService", "oip-grpc", methods)


def reference(name: str, version: str) -> ModelRef:
    """Read a model and its version, "" for the one that the name means. Raises: InvalidReference."""
    return ModelRef.at(name, parse_version(version)) if version else ModelRef.parse(name)


def _infer(request: messages.ModelInferRequest) -> tuple[ModelRef, InferCall]:
    return reference(request.model_name, request.model_version), read_infer(request)


def _server_live(_: InferenceService, __: messages.Empty) -> Told:
    return Told(messages.ServerLiveResponse(live=True))


def _server_metadata(_: InferenceService, __: messages.Empty) -> Told:
    return Told(messages.ServerMetadataResponse(name="warmstart", version=__version__, extensions=EXTENSIONS))


def _model_ready(service: InferenceService, request: messages.ModelReadyRequest) -> Told:
    """Say whether a model can be asked; as Triton does, that it is not there is an answer and no error."""
    try:
        manifest = service.ready(reference(request.name, request.version))
    except (NotFound, IntegrityError, ModelFailure) as error:
        return Told(messages.ModelReadyResponse(ready=False), error.model)
    return Told(messages.ModelReadyResponse(ready=True), named(manifest))


def _model_metadata(service: InferenceService, request: messages.ModelMetadataRequest) -> Told:
    manifest = service.describe(reference(request.name, request.version))
    message = messages.ModelMetadataResponse(name=manifest.name, versions=[str(manifest.version)], platform=PLATFORM)
    for spec in manifest.signature.inputs:
        message.inputs.add(name=spec.name, datatype=spec.datatype, shape=spec.shape)
    for spec in manifest.signature.outputs:
        message.outputs.add(name=spec.name, datatype=spec.datatype, shape=spec.shape)
    return Told(message, named(manifest))


def _repository_index(service: InferenceService, _: messages.RepositoryIndexRequest) -> Told:
    """List all that is published; each is ready, as over HTTP: it is loaded when it is first asked."""
    message = messages.RepositoryIndexResponse()
    for each in service.published():
        message.models.add(name=each.name, version=str(each.version), state="READY", reason="")
    return Told(message)


def _model_statistics(service: InferenceService, request: messages.ModelStatisticsRequest) -> Told:
    model = named(service.describe(reference(request.name, request.version))) if request.name else None
    message = messages.ModelStatisticsResponse(
        model_stats=[_statistics(each, found) for each, found in service.tally.read(model).items()]
    )
    return Told(message, model)


def _statistics(model: ModelRef, found: Statistics) -> messages.ModelStatistics:
    return messages.ModelStatistics(
        name=model.name,
        version=str(model.version),
        last_inference=found.last_ms,
        inference_count=found.rows,
        execution_count=found.runs,
        inference_stats=messages.InferStatistics(
            success=_duration(found.success),
            fail=_duration(found.fail),
            queue=_duration(Duration(found.success.times, 0)),
            compute_input=_duration(found.read),
            compute_infer=_duration(found.run),
            compute_output=_duration(found.write),
            cache_hit=_duration(Duration(0, 0)),
            cache_miss=_duration(Duration(0, 0)),
        ),
    )


def _duration(found: Duration) -> messages.StatisticDuration:
    return messages.StatisticDuration(count=found.times, ns=found.ns)
