"""Golden examples: requests whose answers are known, to warm an environment up and to try a deploy with.

`golden.json` holds requests of the Open Inference Protocol, and beside each the answer, with a tolerance per output. Of
a tensor with more than `MAX_VALUES` values only so many are kept: an input repeats them until its shape is full, of an
output they are the first that are compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from math import isnan, prod
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch
from warmstart.datatypes import DATATYPES
from warmstart.errors import IntegrityError
from warmstart.tensors import Signature, TensorSpec

VERSION: Final = "1.0"
MAX_VALUES: Final = 512
TOLERANCES: Final[Mapping[str, float]] = {"BF16": 3e-2, "FP16": 1e-2, "FP32": 1e-3, "FP64": 1e-3}
"""By how much an answer may differ, absolutely, or relatively above 1: another processor adds up in another order.
All other datatypes are equal or wrong."""
QUANTIZED_TOLERANCE: Final = 5e-2
"""Of floating-point outputs of a model with smaller numbers: processors round these in different places."""


class GoldenTensor(NamedTuple):
    """A tensor of an example: its shape, and its first values in row-major order, all of them if it is small.

    None is a missing value: NaN.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: tuple[Any, ...]
    tolerance: float = 0.0

    def full(self) -> list[Any]:
        """Return all values, row-major: those that are kept, repeated."""
        size = prod(self.shape)
        times = -(-size // len(self.values)) if self.values else 0
        return list((self.values * times)[:size])

    def array(self) -> NDArray[Any]:
        """Return the tensor, BF16 as FP32."""
        return np.array(self.full(), DATATYPES[self.datatype].numbers).reshape(self.shape)


class GoldenExample(NamedTuple):
    """A request, and what it was answered with when it was published."""

    inputs: tuple[GoldenTensor, ...]
    outputs: tuple[GoldenTensor, ...]

    def request(self) -> bytes:
        """Write the body of an infer request (Open Inference Protocol, `$inference_request`)."""
        items = [
            {"name": given.name, "datatype": given.datatype, "shape": given.shape, "data": given.full()}
            for given in self.inputs
        ]
        return json.dumps({"inputs": items}, allow_nan=False).encode()

    def check(self, answer: bytes) -> tuple[str, ...]:
        """Compare an infer response with what is expected: every difference in words, none if it is as it was."""
        try:
            found = {item["name"]: item for item in json.loads(answer)["outputs"]}
        except (ValueError, KeyError, TypeError):
            return (f"expected an infer response, got {answer!r:.200}",)
        return tuple(said for expected in self.outputs if (said := _compare(expected, found.get(expected.name))))


def tolerance_of(spec: TensorSpec, *, quantized: bool) -> float:
    """Say by how much an output may differ."""
    tolerance = TOLERANCES.get(spec.datatype, 0.0)
    return QUANTIZED_TOLERANCE if tolerance and quantized else tolerance


def example(signature: Signature, inputs: Batch, outputs: Batch, *, quantized: bool = False) -> GoldenExample:
    """Make an example of a request and its answer. `inputs` are as `reduced` gives them."""
    return GoldenExample(
        tuple(_keep(spec, inputs[spec.name]) for spec in signature.inputs),
        tuple(
            _keep(spec, outputs[spec.name])._replace(tolerance=tolerance_of(spec, quantized=quantized))
            for spec in signature.outputs
        ),
    )


def is_tied(signature: Signature, outputs: Batch, *, quantized: bool) -> bool:
    """Say whether a label hangs on scores so close that another processor may choose another one.

    A label is an output of no floating-point datatype; scores are floating point, at least two in each row (n, k).
    """
    scores = [spec for spec in signature.outputs if spec.datatype in TOLERANCES and outputs[spec.name].ndim == 2]
    if all(spec.datatype in TOLERANCES for spec in signature.outputs):
        return False
    for spec in scores:
        ordered = np.sort(outputs[spec.name], axis=1)
        margin = 2 * tolerance_of(spec, quantized=quantized)
        if ordered.shape[1] > 1 and (ordered[:, -1] - ordered[:, -2] <= margin).any():
            return True
    return False


def reduced(inputs: Batch) -> Batch:
    """Make large inputs repeat their first values, so that an example of them is small."""
    return {
        name: array if array.size <= MAX_VALUES else np.resize(array.reshape(-1)[:MAX_VALUES], array.shape)
        for name, array in inputs.items()
    }


def is_representable(batch: Batch, *, missing: bool = False) -> bool:
    """Say whether JSON can hold the values: no infinity, text that is Unicode, and NaN only as a missing value."""
    for array in batch.values():
        if array.dtype.kind == "f" and (np.isinf(array).any() or (not missing and np.isnan(array).any())):
            return False
        if array.dtype.kind == "O" and not all(_is_text(value) for value in array.reshape(-1)):
            return False
    return True


def render_golden(examples: Iterable[GoldenExample]) -> bytes:
    """Write `golden.json`."""
    documents = [
        {
            "inputs": [_document(given) for given in inputs],
            "outputs": [{**_document(expected), "tolerance": expected.tolerance} for expected in outputs],
        }
        for inputs, outputs in examples
    ]
    return json.dumps({"version": VERSION, "examples": documents}, allow_nan=False, separators=(",", ":")).encode()


def parse_golden(body: bytes, *, where: str) -> tuple[GoldenExample, ...]:
    """Read `golden.json`. `where` is its key, for the message.

    Raises: IntegrityError if it is not what `render_golden` writes, or of an unknown major version.
    """
    try:
        document = json.loads(body)
        if document["version"].partition(".")[0] != VERSION.partition(".")[0]:
            raise ValueError(f"version {document['version']}, this release reads {VERSION}")
        return tuple(
            GoldenExample(
                tuple(_parse(item) for item in found["inputs"]), tuple(_parse(item) for item in found["outputs"])
            )
            for found in document["examples"]
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IntegrityError(
            f"{where}: no golden examples: {type(error).__name__} {error}; publish it again"
        ) from error


def _keep(spec: TensorSpec, array: NDArray[Any]) -> GoldenTensor:
    values = array.reshape(-1)[:MAX_VALUES].tolist()
    if array.dtype.kind == "f":
        values = [None if isnan(value) else value for value in values]
    return GoldenTensor(spec.name, spec.datatype, array.shape, tuple(values))


def _document(kept: GoldenTensor) -> dict[str, Any]:
    return {"name": kept.name, "datatype": kept.datatype, "shape": kept.shape, "data": kept.values}


def _parse(item: Mapping[str, Any]) -> GoldenTensor:
    name, datatype, shape, data = item["name"], item["datatype"], tuple(item["shape"]), item["data"]
    if type(name) is not str or datatype not in DATATYPES or type(data) is not list:
        raise ValueError(f"a tensor {name!r:.80} of {datatype!r:.40}")
    if not all(type(size) is int and size >= 0 for size in shape) or len(data) != min(prod(shape), MAX_VALUES):
        raise ValueError(f"{name!r:.80}: {len(data)} values of shape {list(shape)!r:.80}")
    return GoldenTensor(name, datatype, shape, tuple(data), float(item.get("tolerance", 0.0)))


def _compare(expected: GoldenTensor, found: Mapping[str, Any] | None) -> str:
    """Say how an output differs, "" if it does not."""
    where = f"output {expected.name!r}"
    if found is None:
        return f"{where}: expected it, got none of this name"
    form = (found.get("datatype"), found.get("shape"))
    if form != (expected.datatype, list(expected.shape)):
        return f"{where}: expected {expected.datatype} {list(expected.shape)}, got {form[0]} {form[1]}"
    values = list(found.get("data", ()))
    if len(values) != prod(expected.shape):
        return f"{where}: expected {prod(expected.shape)} values, got {len(values)}"
    for index, (wanted, got) in enumerate(zip(expected.values, values, strict=False)):
        if not _is_close(wanted, got, expected.tolerance):
            margin = f" ± {expected.tolerance:g}" if expected.tolerance else ""
            return f"{where}: expected {wanted!r}{margin} at index {index}, got {got!r}"
    return ""


def _is_close(wanted: Any, got: Any, tolerance: float) -> bool:
    if not tolerance:
        return bool(wanted == got)
    return isinstance(got, int | float) and abs(wanted - got) <= tolerance * max(1.0, abs(wanted))


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
