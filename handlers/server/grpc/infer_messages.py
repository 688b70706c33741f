"""`ModelInferRequest` to tensors, and tensors to `ModelInferResponse`.

Tensors come, and go back, as bytes (`raw_input_contents`) or as values (`contents`): an answer is in the form of its
request, as MLServer's and KServe's are. FP16 and BF16 have no field among the values; with such an output the whole
answer is bytes.
Source: kserve/open-inference-protocol, specification/protocol/inference_grpc.md, "Tensor Data";
SeldonIO/MLServer, mlserver/grpc/converters.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from handlers.server.grpc.protos import open_inference_pb2 as messages
from handlers.server.grpc.values import decoded, fill, numbers, reshaped
from warmstart.datatypes import datatype
from warmstart.errors import InvalidRequest, MalformedBody, UnknownTensor, WrongShape
from warmstart.protocols.binary_tensors import from_bytes, to_bytes
from warmstart.protocols.oip import Wanted
from warmstart.protocols.oip_outputs import classify
from warmstart.tensors import MOST_DIMENSIONS

if TYPE_CHECKING:
    from google.protobuf.internal.containers import MessageMap

    from warmstart.datatypes import Datatype
    from warmstart.protocols.wire import Model, Outputs
    from warmstart.tensors import Tensor

FIELDS: Final[Mapping[str, str]] = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""Where `InferTensorContents` has values of each datatype."""


class InferCall(NamedTuple):
    """An inference request; `wanted` empty means all outputs, `raw` that the answer's tensors go as bytes."""

    id: str
    inputs: dict[str, Tensor]
    wanted: tuple[Wanted, ...]
    raw: bool

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Name the outputs asked for, in order."""
        return tuple(wanted.name for wanted in self.wanted)

    def tensors(self, _: Model) -> Mapping[str, Tensor]:
        """Return the inputs, which the request itself describes whole."""
        return self.inputs

    def render(self, model: Model, outputs: Outputs) -> messages.ModelInferResponse:
        """Write the answer. Raises: InvalidRequest, UnrepresentableOutput for classes of an output without scores."""
        message = messages.ModelInferResponse(
            model_name=model.name, model_version=str(model.version), id=self.id, outputs=[]
        )
        wanted = self.wanted or tuple(Wanted(spec.name) for spec, _ in outputs)
        found = [
            given if not each.classes else classify(*given, each.classes, model.labels)
            for each, given in zip(wanted, outputs, strict=True)
        ]
        raw = self.raw or any(spec.datatype not in FIELDS for spec, _ in found)
        for spec, array in found:
            output = message.outputs.add(name=spec.name, datatype=spec.datatype, shape=array.shape)
            if raw:
                message.raw_output_contents.append(to_bytes(array))
            else:
                fill(output.contents, FIELDS[spec.datatype], array, spec.datatype)
        return message


def read_infer(request: messages.ModelInferRequest) -> InferCall:
    """Read a request.

    Raises: InvalidRequest, MalformedBody, WrongShape, InvalidValue, UnknownTensor (asked for twice).
    """
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        raise MalformedBody(
            f"raw_input_contents: expected one for each of the {len(request.inputs)} inputs, or none; got {len(raw)}"
        )
    if not request.inputs:
        raise MalformedBody("inputs: expected one or more tensors, got none")
    _refuse_shared_memory(request.parameters, "parameters")
    inputs: dict[str, Tensor] = {}
    for index, item in enumerate(request.inputs):
        if item.name in inputs:
            raise InvalidRequest(f"input {item.name!r}: expected once, got again as inputs[{index}]")
        inputs[item.name] = _tensor(item, raw[index] if raw else None, index)
    return InferCall(request.id, inputs, _wanted(request.outputs), bool(raw))


def _tensor(item: messages.ModelInferRequest.InferInputTensor, content: bytes | None, index: int) -> Tensor:
    name = item.name
    if not 0 < len(name) <= 256:
        raise MalformedBody(f"inputs[{index}].name: expected 1 to 256 characters, got {len(name)}")
    _refuse_shared_memory(item.parameters, f"input {name!r}: parameters")
    try:
        found = datatype(item.datatype)
    except InvalidRequest as error:
        raise InvalidRequest(f"input {name!r}: {error.message}") from None
    shape = tuple(item.shape)
    if len(shape) > MOST_DIMENSIONS or any(size < 0 for size in shape):
        raise WrongShape(
            f"input {name!r}: shape: expected up to {MOST_DIMENSIONS} whole numbers, 0 or more; "
            f"got {list(shape[: MOST_DIMENSIONS + 1])}",
            tensor=name,
        )
    if content is None:
        return _typed(item.contents, found, shape, name)
    if item.HasField("contents") and item.contents.ListFields():
        raise MalformedBody(f"input {name!r}: expected contents or raw_input_contents, got both")
    return from_bytes(memoryview(content), found, shape, name)


def _typed(contents: messages.InferTensorContents, found: Datatype, shape: tuple[int, ...], name: str) -> Tensor:
    if (field := FIELDS.get(found.name)) is None:
        raise MalformedBody(f"input {name!r}: contents: has no field for {found.name}; send it in raw_input_contents")
    filled = [descriptor.name for descriptor, _ in contents.ListFields()]
    if other := next((each for each in filled if each != field), None):
        raise MalformedBody(f"input {name!r}: contents: expected {field} for {found.name}, got {other}")
    array = decoded(contents.bytes_contents) if found.name == "BYTES" else numbers(contents, field, found, name)
    return reshaped(array, shape, name)


def _wanted(items: Iterable[messages.ModelInferRequest.InferRequestedOutputTensor]) -> tuple[Wanted, ...]:
    wanted: dict[str, Wanted] = {}
    for item in items:
        name = item.name
        if name in wanted:
            raise UnknownTensor(f"output {name!r}: expected once, got twice", tensor=name)
        where = f"output {name!r}: parameters"
        _refuse_shared_memory(item.parameters, where)
        classes = 0
        if "classification" in item.parameters:
            given = item.parameters["classification"]
            kind = given.WhichOneof("parameter_choice")
            if kind not in ("int64_param", "uint64_param") or (classes := getattr(given, kind)) < 0:
                raise MalformedBody(f"{where}: 'classification': expected a whole number of classes")
        wanted[name] = Wanted(name, classes)
    return tuple(wanted.values())


def _refuse_shared_memory(parameters: MessageMap[str, messages.InferParameter], where: str) -> None:
    for name in parameters:
        if name.startswith("shared_memory_"):
            raise InvalidRequest(f"{where}: {name[:80]!r}: shared memory is not served; send the tensor's bytes")
