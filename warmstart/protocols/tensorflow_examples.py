"""TensorFlow Serving's classify and regress: examples with named features in, labels with scores or numbers out.

Source: as `warmstart.protocols.tensorflow_serving`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from warmstart.datatypes import FLOATS
from warmstart.errors import InvalidRequest, MalformedBody
from warmstart.protocols import json_constants, media
from warmstart.protocols.json_tensors import kind_of, shown
from warmstart.protocols.tensorflow_serving import check_signature, read_document, rows_to_tensors
from warmstart.protocols.wire import JSON, Rendered

if TYPE_CHECKING:
    from warmstart.protocols.wire import Model, Outputs, Request
    from warmstart.tensors import Tensor, TensorSpec


class Examples(NamedTuple):
    """Features by name, of several examples; what all have in common (`context`) is in each already."""

    rows: list[dict[str, Any]]
    regress: bool
    accept: str

    def outputs(self, model: Model) -> tuple[str, ...]:
        """Ask for the numbers that are wanted. Raises: InvalidRequest if the model has none."""
        return (_wanted(model, regress=self.regress).name,)

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Gather the features. Raises: InvalidRequest, WrongShape, InvalidValue."""
        single = {spec.name for spec in model.signature.inputs if spec.shape[1:] in ((), (1,))}
        rows = [
            {name: _unwrapped(value) if name in single else value for name, value in row.items()} for row in self.rows
        ]
        return rows_to_tensors(rows, model.signature.inputs)

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write `results`. Raises: NotAcceptable, UnrepresentableOutput."""
        media.accepted(self.accept, (JSON,))
        [(spec, array)] = outputs
        values = json_constants.values(spec, array.reshape(-1) if self.regress else array)
        rows = values if type(values) is list else values.tolist()
        tokens = type(values) is list
        if self.regress:
            return Rendered(json_constants.write({"results": values}, tokens=tokens))
        labels = [str(label) for label in model.labels] if len(model.labels) == array.shape[1] else None
        names = labels or [str(index) for index in range(array.shape[1])]
        cells = values if tokens else [list(row) for row in array]
        results = [[[name, score] for name, score in zip(names, row, strict=True)] for row in cells]
        return Rendered(json_constants.write({"results": results if rows else []}, tokens=tokens))


def read_classify(request: Request) -> Examples:
    """Read a classify request. Raises: UnsupportedMediaType, MalformedBody, InvalidRequest."""
    return _read(request, regress=False)


def read_regress(request: Request) -> Examples:
    """Read a regress request. Raises: as `read_classify`."""
    return _read(request, regress=True)


def _read(request: Request, *, regress: bool) -> Examples:
    document = read_document(request)
    check_signature(document)
    context, examples = document.get("context", {}), document.get("examples")
    if type(context) is not dict:
        raise MalformedBody(f"context: expected an object of features, got {kind_of(context)}")
    if type(examples) is not list or not examples:
        found = "an empty array" if examples == [] else kind_of(examples) if "examples" in document else "no such field"
        raise MalformedBody(f"examples: expected a non-empty array of objects, got {found}")
    for index, example in enumerate(examples):
        if type(example) is not dict:
            raise MalformedBody(f"examples[{index}]: expected an object of features, got {shown(example)}")
    return Examples([{**context, **example} for example in examples], regress, request.headers.get("accept", ""))


def _unwrapped(value: Any) -> Any:
    return value[0] if type(value) is list and len(value) == 1 else value


def _wanted(model: Model, *, regress: bool) -> TensorSpec:
    """Return the output that holds scores, (rows, classes), or one number per row."""
    for spec in model.signature.outputs:
        is_number, is_row = spec.shape[1:] in ((), (1,)), len(spec.shape) == 2
        if spec.shape and spec.datatype in FLOATS and (is_number if regress else is_row and not is_number):
            return spec
    what = "one number per row" if regress else "a score per class, in two dimensions"
    raise InvalidRequest(
        f"model {model.name}:{model.version}: expected an output of floating point with {what}, it has none; "
        "ask it by :predict"
    )
