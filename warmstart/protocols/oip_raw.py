"""A tensor's bytes as the whole body of a request: what Triton calls a raw binary request.

Nothing names the input, its datatype or its shape: they are the model's, which must leave nothing to choose.
Source: triton-inference-server/server, docs/protocol/extension_binary_data.md, "Raw Binary Request";
triton-inference-server/core, src/infer_request.cc (`InferenceRequest::Normalize`): the text of a BYTES tensor comes
without a length before it. Which models batch is Triton's rule too: onnxruntime_backend, src/onnxruntime.cc.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from warmstart.errors import InvalidRequest, WrongShape
from warmstart.protocols.binary_tensors import from_bytes, text
from warmstart.protocols.oip import Infer
from warmstart.tensors import ANY, Signature, TensorSpec, listed

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model, Outputs, Rendered
    from warmstart.tensors import Tensor


class RawInfer(NamedTuple):
    """The bytes of a model's only input. All outputs are answered, as bytes."""

    body: bytes
    accept: str

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Ask for all outputs."""
        return ()

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Deduce the input. Raises: InvalidRequest for a model that leaves a choice, MalformedBody, WrongShape."""
        inputs = model.signature.inputs
        if len(inputs) != 1:
            names = listed({spec.name: spec for spec in inputs})
            raise InvalidRequest(
                f"body: expected JSON that names the model's {len(inputs)} inputs ({names}), "
                f"got bytes alone (Inference-Header-Content-Length: 0)"
            )
        spec = inputs[0]
        shape = _of_one_row(spec, model.signature)
        read = _text if spec.datatype == "BYTES" else _numbers
        return {spec.name: read(self.body, spec, shape)}

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write the answer, its tensors as bytes for who accepts them. Raises: UnrepresentableOutput, NotAcceptable."""
        return Infer(None, {}, (), True, self.accept).render(model, outputs)


def _of_one_row(spec: TensorSpec, signature: Signature) -> tuple[int, ...]:
    """Return the input's shape, with a batch of 1 if the model batches: if each tensor's first dimension is free."""
    batches = all(each.shape[:1] == (ANY,) for each in (*signature.inputs, *signature.outputs))
    return (1, *spec.shape[1:]) if batches else spec.shape


def _numbers(body: bytes, spec: TensorSpec, shape: tuple[int, ...]) -> Tensor:
    if shape.count(ANY) > 1:
        raise InvalidRequest(
            f"input {spec.name!r}: expected JSON with its shape, got bytes alone: {spec.datatype} {list(shape)} has "
            f"more than one free dimension"
        )
    if ANY in shape:
        shape = _filled(body, spec, shape)
    return from_bytes(memoryview(body), spec.type, shape, spec.name)


def _filled(body: bytes, spec: TensorSpec, shape: tuple[int, ...]) -> tuple[int, ...]:
    unit = prod(size for size in shape if size != ANY) * spec.type.item_bytes
    if unit == 0 or len(body) % unit:
        raise WrongShape(
            f"input {spec.name!r}: {spec.datatype} of shape {list(shape)} has a multiple of {unit} bytes, "
            f"got {len(body)}",
            tensor=spec.name,
        )
    return tuple(len(body) // unit if size == ANY else size for size in shape)


def _text(body: bytes, spec: TensorSpec, shape: tuple[int, ...]) -> Tensor:
    if ANY in shape or prod(shape) != 1:
        raise InvalidRequest(
            f"input {spec.name!r}: expected JSON with its shape, got bytes alone: they are one text, and the model "
            f"takes BYTES of shape {list(shape)}"
        )
    array = np.empty(shape, object)
    array.fill(text(body))
    return array
