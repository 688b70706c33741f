"""The plain protocol's other bodies: tables as CSV or Arrow, one text, one image file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from warmstart.errors import MalformedBody, UnsupportedMediaType
from warmstart.protocols import media
from warmstart.protocols.csv_table import read_csv, write_csv
from warmstart.protocols.plain import ARROW, CSV, JPEG, PNG, TEXT, WRITTEN, render_json
from warmstart.protocols.wire import JSON, Rendered

if TYPE_CHECKING:
    from warmstart.protocols.wire import Call, Model, Outputs
    from warmstart.tensors import Signature, Tensor, TensorSpec

_INPUTS: Final[Mapping[str, str]] = {TEXT: "text", JPEG: "image", PNG: "image"}
"""What the one input is called that a body of this type is for (as `model_store.preprocessing` names them)."""


def read(kind: str, body: bytes, accept: str) -> Call:
    """Read a body of a media type other than JSON. Raises: MalformedBody."""
    if kind in (CSV, ARROW):
        return Table(kind, body, accept)
    if not body:
        raise MalformedBody(f"body: expected {kind}, got nothing")
    if kind != TEXT:
        return File(kind, body, accept)
    try:
        return File(kind, body.decode(), accept)
    except UnicodeDecodeError as error:
        raise MalformedBody(f"body: expected text in UTF-8, got another byte at {error.start}") from None


class Table:
    """Rows of CSV with a header, or an Arrow stream."""

    def __init__(self, kind: str, body: bytes, accept: str) -> None:
        self._kind, self._body, self._accept = kind, body, accept
        self._rows = 0

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Ask for all outputs."""
        return ()

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Read the columns. Raises: InvalidRequest and what is below it."""
        inputs = model.signature.inputs
        if self._kind == CSV:
            found = read_csv(self._body, inputs, header=True)
        else:
            from warmstart.protocols.arrow_reader import read_arrow

            found = read_arrow(self._body, inputs)
        self._rows = len(found[inputs[0].name])
        return found

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write the predictions, of as many rows as were read. Raises: UnrepresentableOutput, NotAcceptable."""
        offered = (self._kind, *(kind for kind in WRITTEN if kind != self._kind))
        return render(media.accepted(self._accept, offered), model, outputs, self._rows)


class File(NamedTuple):
    """One text, or the bytes of one image file."""

    kind: str
    element: str | bytes
    accept: str

    def outputs(self, _: Model) -> tuple[str, ...]:
        """Ask for all outputs."""
        return ()

    def tensors(self, model: Model) -> Mapping[str, Tensor]:
        """Make it the model's one input. Raises: UnsupportedMediaType if the model takes something else."""
        spec = file_input(model.signature)
        if spec is None or spec.name != _INPUTS[self.kind]:
            others = {"text": (TEXT,), "image": (JPEG, PNG)}.get(spec.name, ()) if spec else ()
            raise UnsupportedMediaType(
                f"content-type: expected {' or '.join((JSON, CSV, ARROW, *others))} for the model {model.name}, "
                f"got {self.kind}: it has no input {_INPUTS[self.kind]!r} alone"
            )
        array = np.empty((1,) * len(spec.shape), object)
        array.fill(self.element)
        return {spec.name: array}

    def render(self, model: Model, outputs: Outputs) -> Rendered:
        """Write the prediction. Raises: UnrepresentableOutput, NotAcceptable."""
        return render(media.accepted(self.accept, WRITTEN), model, outputs, 1)


def file_input(signature: Signature) -> TensorSpec | None:
    """Return the input that a text or an image body is for: the only one, `text` or `image`, BYTES, one per row."""
    if len(signature.inputs) != 1:
        return None
    spec = signature.inputs[0]
    return spec if spec.datatype == "BYTES" and spec.name in _INPUTS.values() and _is_one_per_row(spec) else None


def _is_one_per_row(spec: TensorSpec) -> bool:
    return len(spec.shape) > 0 and spec.shape[1:] in ((), (1,))


def render(kind: str, model: Model, outputs: Outputs, count: int) -> Rendered:
    """Write predictions in a media type. Raises: UnrepresentableOutput."""
    if kind == JSON:
        return render_json(model, outputs, count)
    if kind == CSV:
        body = write_csv(outputs, count=count, labels=model.labels, header=True)
        return Rendered(body, f"{CSV}; charset=utf-8; header=present")
    from warmstart.protocols.arrow_writer import write_arrow

    return Rendered(write_arrow(outputs, count=count, labels=model.labels), ARROW)
