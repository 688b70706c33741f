"""TensorFlow Serving's gRPC API: Predict, a model's signature, and its status.

A version here has one signature, as over REST: a request may name no other than `serving_default`.
Source: tensorflow/serving, tensorflow_serving/apis/*.proto; servables/tensorflow/predict_util.cc and
get_model_metadata_impl.cc; model_servers/get_model_status_impl.cc.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from handlers.inference.routes.route import Operation
from handlers.inference.service import InferenceService, named
from handlers.server.grpc.calls import Infer, Method, Speech, Tell, Told
from handlers.server.grpc.protos import tensorflow_serving_pb2 as messages
from handlers.server.grpc.tensor_protos import ROWS, from_proto, shape_of, to_proto
from warmstart.errors import InvalidRequest, UnknownTensor
from warmstart.refs import ModelRef
from warmstart.tensors import TensorSpec

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model, Outputs
    from warmstart.tensors import Tensor

PROTOCOL: Final = "tensorflow-grpc"
SIGNATURE: Final = "serving_default"
SIGNATURE_DEF: Final = "signature_def"
AVAILABLE: Final = 30
"""`ModelVersionStatus.State`"""


class PredictCall(NamedTuple):
    """A prediction; `wanted` empty means all outputs."""

    inputs: dict[str, Tensor]
    wanted: tuple[str, ...]

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Name the outputs asked for, in order."""
        return self.wanted

    def tensors(self, _: Model) -> Mapping[str, Tensor]:
        """Return the inputs, which the request itself describes whole."""
        return self.inputs

    def render(self, model: Model, outputs: Outputs) -> messages.PredictResponse:
        """Write the answer."""
        message = messages.PredictResponse(model_spec=_spec(model.name, model.version, SIGNATURE))
        for spec, array in outputs:
            message.outputs[spec.name].CopyFrom(to_proto(spec, array))
        return message


def speech(most_bytes: int) -> Speech:
    """Return the service of predictions; an input whose values are repeated may take up to `most_bytes`."""
    methods = {
        "Predict": Method(
            Operation.INFER, messages.PredictRequest, Infer(partial(read_predict, most_bytes=most_bytes))
        ),
        "GetModelMetadata": Method(Operation.MODEL, messages.GetModelMetadataRequest, Tell(_metadata)),
    }
    return Speech("tensorflow.serving.PredictionService", PROTOCOL, methods)


def status_speech() -> Speech:
    """Return the service of models' status."""
    methods = {"GetModelStatus": Method(Operation.MODEL_READY, messages.GetModelStatusRequest, Tell(_status))}
    return Speech("tensorflow.serving.ModelService", PROTOCOL, methods)


def reference(spec: messages.ModelSpec) -> ModelRef:
    """Read which model a request is for: a version, a label (our alias), or neither. Raises: InvalidReference."""
    match spec.WhichOneof("version_choice"):
        case "version":
            return ModelRef.at(spec.name, spec.version.value)
        case "version_label":
            return ModelRef.aliased(spec.name, spec.version_label)
    return ModelRef.parse(spec.name)


def read_predict(request: messages.PredictRequest, *, most_bytes: int) -> tuple[ModelRef, PredictCall]:
    """Read a request. Raises: InvalidReference, InvalidRequest and what is below it."""
    ref = reference(request.model_spec)
    if (signature := request.model_spec.signature_name) not in ("", SIGNATURE):
        raise InvalidRequest(f"signature_name: expected {SIGNATURE!r}, the only one here; got {signature[:80]!r}")
    inputs = {name: from_proto(request.inputs[name], name, most_bytes=most_bytes) for name in request.inputs}
    wanted = tuple(request.output_filter)
    if twice := next((name for index, name in enumerate(wanted) if name in wanted[:index]), None):
        raise UnknownTensor(f"output_filter: {twice!r}: expected once, got twice", tensor=twice)
    return ref, PredictCall(inputs, wanted)


def _spec(name: str, version: int, signature: str = "") -> messages.ModelSpec:
    return messages.ModelSpec(name=name, version=messages.Int64Value(value=version), signature_name=signature)


def _metadata(service: InferenceService, request: messages.GetModelMetadataRequest) -> Told:
    ref = reference(request.model_spec)
    if list(request.metadata_field) != [SIGNATURE_DEF]:
        found = ", ".join(name[:80] for name in request.metadata_field[:10]) or "none"
        raise InvalidRequest(f"metadata_field: expected {SIGNATURE_DEF}, got {found}")
    manifest = service.describe(ref)
    signature = messages.SignatureDef(
        inputs={spec.name: _info(spec) for spec in manifest.signature.inputs},
        outputs={spec.name: _info(spec) for spec in manifest.signature.outputs},
        method_name="tensorflow/serving/predict",
    )
    packed = messages.Any(
        type_url="type.googleapis.com/tensorflow.serving.SignatureDefMap",
        value=messages.SignatureDefMap(signature_def={SIGNATURE: signature}).SerializeToString(),
    )
    message = messages.GetModelMetadataResponse(
        model_spec=_spec(manifest.name, manifest.version), metadata={SIGNATURE_DEF: packed}
    )
    return Told(message, named(manifest))


def _info(spec: TensorSpec) -> messages.TensorInfo:
    return messages.TensorInfo(name=f"{spec.name}:0", dtype=ROWS[spec.datatype].code, tensor_shape=shape_of(spec.shape))


def _status(service: InferenceService, request: messages.GetModelStatusRequest) -> Told:
    """Say that a version is available; of a model without one, the version that answers and all others."""
    ref = reference(request.model_spec)
    is_named = request.model_spec.WhichOneof("version_choice") is not None or ref != ModelRef.aliased(ref.name)
    versions = [service.describe(ref).version] if is_named else service.versions(ref)
    statuses = [
        messages.ModelVersionStatus(
            version=version, state=AVAILABLE, status=messages.StatusProto(error_code=0, error_message="")
        )
        for version in versions
    ]
    return Told(messages.GetModelStatusResponse(model_version_status=statuses), ModelRef(ref.name, versions[0], None))
