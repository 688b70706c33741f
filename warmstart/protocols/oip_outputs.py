"""Answers of the Open Inference Protocol that hold more than all outputs as JSON: bytes, and the best classes.

Source: triton-inference-server/server, src/classification.cc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from warmstart.bfloat16 import numbers
from warmstart.errors import InvalidRequest, UnrepresentableOutput
from warmstart.protocols import media
from warmstart.protocols.binary_tensors import to_bytes
from warmstart.protocols.json_tensors import dump_outputs, json_data
from warmstart.protocols.oip import HEADER_LENGTH, Infer, Wanted
from warmstart.protocols.wire import JSON, OCTETS, Rendered
from warmstart.tensors import ANY, TensorSpec

if TYPE_CHECKING:
    from warmstart.protocols.wire import Outputs
    from warmstart.tensors import Tensor


def render(asked: Infer, document: dict[str, Any], labels: tuple[str | int, ...], outputs: Outputs) -> Rendered:
    """Write the outputs into the document, each as it is wanted.

    Raises: UnrepresentableOutput, NotAcceptable; InvalidRequest for classes of an output that has no scores.
    """
    wanted = asked.wanted or tuple(Wanted(spec.name) for spec, _ in outputs)
    binary = [asked.binary if each.binary is None else each.binary for each in wanted]
    offered = (OCTETS, JSON) if any(binary) else (JSON,)
    as_bytes = media.accepted(asked.accept, offered) == OCTETS
    described, tails, told = [], [], []
    for each, apart, (given, computed) in zip(wanted, binary, outputs, strict=True):
        spec, array = (given, computed) if not each.classes else classify(given, computed, each.classes, labels)
        item: dict[str, Any] = {"name": spec.name, "datatype": spec.datatype, "shape": array.shape}
        if apart and as_bytes:
            tails.append(to_bytes(array))
            item["parameters"] = {"binary_data_size": len(tails[-1])}
        else:
            item["data"] = json_data(spec.datatype, array)
            told.append((spec, array))
        described.append(item)
    document["outputs"] = described
    header = dump_outputs(document, told)
    if not as_bytes:
        return Rendered(header)
    return Rendered(b"".join([header, *tails]), OCTETS, ((HEADER_LENGTH, str(len(header))),))


def classify(spec: TensorSpec, array: Tensor, count: int, labels: tuple[str | int, ...]) -> tuple[TensorSpec, Tensor]:
    """Return the best `count` scores of each row as `score:index` or `score:index:label`, BYTES (..., count).

    Equal scores are in the order of their indices; NaN comes after all others, where Triton's own order is undefined.
    Raises: InvalidRequest if the output has no numbers in a last dimension; UnrepresentableOutput if a row is NaN
    throughout: it has no best class, and whoever reads the first one's label would take it for the answer.
    """
    array = numbers(spec, array)
    if array.ndim == 0 or array.dtype.kind not in "fiu":
        raise InvalidRequest(
            f"output {spec.name!r}: classification: expected scores in a last dimension, the model gives "
            f"{spec.datatype} {list(spec.shape)}"
        )
    count = min(count, array.shape[-1])
    descending = -array if array.dtype.kind == "f" else ~array  # neither rounds, and -0 would be the best of UINT8
    order = np.argsort(descending, axis=-1, kind="stable")[..., :count]
    scores = np.take_along_axis(array, order, axis=-1)
    if array.dtype.kind == "f" and (without := np.isnan(scores[..., :1]).ravel()).any():
        raise UnrepresentableOutput(
            f"output {spec.name!r}: classification: expected a score that is a number in every row, got nan alone "
            f"in row {int(without.argmax())}"
        )
    named = labels if len(labels) == array.shape[-1] else ()
    texts = [
        f"{_score(score)}:{index}:{named[index]}" if named else f"{_score(score)}:{index}"
        for score, index in zip(scores.ravel().tolist(), order.ravel().tolist(), strict=True)
    ]
    return TensorSpec(spec.name, "BYTES", (*spec.shape[:-1], ANY)), np.array(texts, object).reshape(scores.shape)


def _score(score: float) -> str:
    """Write a score as Triton does, by C++'s `std::to_string`: a whole number stays one, others have six digits."""
    return str(score) if type(score) is int else f"{score:f}"
