"""JSON as Python's `json` writes it: with `NaN`, `Infinity` and `-Infinity`, which JSON does not have.

MLflow's and SageMaker's clients send a data frame's missing values so. What JSON does have is read as strictly as ever.
"""

from __future__ import annotations

import json
from math import isinf
from typing import Any

from warmstart.errors import MalformedBody
from warmstart.protocols.json_tensors import load_json


def load_python_json(body: bytes) -> Any:
    """Read a document; only one that has such a constant is read by the slower parser. Raises: MalformedBody."""
    try:
        return load_json(body)
    except MalformedBody:
        if b"NaN" not in body and b"Infinity" not in body:
            raise
        try:
            return json.loads(body.decode(), parse_float=_float)
        except (ValueError, RecursionError):  # what it says of a place may be another than ours: ours is kept
            pass
        raise


def _float(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError(text)
    return value
