"""What a caller hands over, told apart without importing numpy or pandas: who has their values has them loaded."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from warmstart.errors import MalformedBody


def holds_arrays(value: object) -> bool:
    """Say whether a value is a numpy array, a pandas DataFrame, or a mapping with one of either's arrays in it."""
    if isinstance(value, Mapping):
        arrays = (*_types("numpy", "ndarray"), *_types("pandas", "Series"))
        return any(isinstance(each, arrays) for each in value.values())
    return isinstance(value, _types("numpy", "ndarray")) or is_frame(value)


def is_frame(value: object) -> bool:
    """Say whether a value is a pandas DataFrame."""
    return isinstance(value, _types("pandas", "DataFrame"))


def json_body(document: object) -> bytes:
    """Write JSON; numpy's numbers and arrays in it are written as Python's. Raises: MalformedBody."""
    try:
        return json.dumps(document, allow_nan=False, default=_plain).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise MalformedBody(f"request: expected what JSON can hold, a missing value being None: {error}") from error


def _plain(value: Any) -> Any:
    is_numpys: bool = isinstance(value, (*_types("numpy", "generic"), *_types("numpy", "ndarray")))
    if not is_numpys:
        raise TypeError(f"got an object of type {type(value).__name__}")
    return value.tolist()


def _types(module: str, name: str) -> tuple[type, ...]:
    """Return a type of a module, if that is loaded."""
    loaded = sys.modules.get(module)
    found = getattr(loaded, name, None)
    return (found,) if isinstance(found, type) else ()
