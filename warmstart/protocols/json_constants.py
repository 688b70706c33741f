"""JSON as Python's `json` writes it: with `NaN`, `Infinity` and `-Infinity`, which JSON does not have.

MLflow's and SageMaker's clients send a data frame's missing values so, and TensorFlow Serving writes them too. What
JSON does have is read as strictly as ever.
"""

from __future__ import annotations

import json
from math import isinf
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from warmstart.bfloat16 import numbers
from warmstart.errors import MalformedBody
from warmstart.protocols.json_tensors import dump, load_json, once

if TYPE_CHECKING:
    from warmstart.tensors import Tensor, TensorSpec


def load_python_json(body: bytes) -> Any:
    """Read a document; only one that has such a constant is read by the slower parser. Raises: MalformedBody."""
    try:
        return load_json(body)
    except MalformedBody:
        if b"NaN" not in body and b"Infinity" not in body:
            raise
        try:
            document = json.loads(body.decode(), parse_float=_float, object_pairs_hook=once)
            if b"\\u" in body:  # half of a surrogate pair is no text, and no answer could quote it
                json.dumps(document, ensure_ascii=False).encode()
            return document
        except (ValueError, RecursionError):  # what it says of a place may be another than ours: ours is kept
            pass
        raise


def _float(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError(text)
    return value


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
