"""JSON with the tokens NaN, Infinity and -Infinity: RFC 8259 does not have them, TensorFlow Serving does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from warmstart.errors import MalformedBody
from warmstart.protocols.json_tensors import dump, load_json, numbers

if TYPE_CHECKING:
    from warmstart.tensors import Tensor, TensorSpec

_TOKENS: Final = (b"NaN", b"Infinity")


def load(body: bytes) -> Any:
    """Read a JSON document that may hold the tokens. Raises: MalformedBody."""
    try:
        return load_json(body)
    except MalformedBody:
        if not any(token in body for token in _TOKENS):
            raise
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:  # too deep, or broken beside the tokens
        reason = "arrays nested too deep" if isinstance(error, RecursionError) else str(error)
        raise MalformedBody(f"body: expected JSON, got {reason[:200]}") from None


def values(spec: TensorSpec, array: Tensor) -> Any:
    """Return an output for `write`: a numpy array where all of it is finite, else lists with the shortest digits."""
    array = numbers(spec, array)
    if array.dtype.kind != "f":
        return array.tolist() if array.dtype.kind == "O" or not array.ndim else array
    finite = np.isfinite(array)
    if finite.all():
        return array if array.ndim else orjson.loads(dump(array.reshape(1)))[0]
    flat = orjson.loads(dump(np.where(finite, array, array.dtype.type(0)).ravel()))
    for index in np.flatnonzero(~finite.ravel()).tolist():
        flat[index] = float(array.ravel()[index])
    return np.array(flat, object).reshape(array.shape).tolist()


def write(document: dict[str, Any], *, tokens: bool) -> bytes:
    """Write JSON; `tokens` if a list in it holds NaN or infinity. Raises: UnrepresentableOutput."""
    if not tokens:
        return dump(document)
    return json.dumps(document, default=_listed, ensure_ascii=False, separators=(",", ":")).encode()


def _listed(value: Any) -> Any:
    return orjson.loads(dump(value))
