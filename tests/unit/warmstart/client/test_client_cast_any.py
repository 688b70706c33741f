"""Any number to any datatype, against Python's own exact arithmetic and `struct`'s rounding."""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import from_dtype

from warmstart.client.cast import cast
from warmstart.datatypes import DATATYPES
from warmstart.errors import InvalidValue

SOURCES: Final = (
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
)
FORMATS: Final = {
    "BOOL": "", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q", "INT8": "b", "INT16": "h", "INT32": "i",
    "INT64": "q", "FP16": "e", "FP32": "f", "FP64": "d",
}  # fmt: skip


def expected(value: Any, datatype: str) -> Any:
    """The value in the datatype, None if it does not have it."""
    code = FORMATS[datatype]
    if code in "efd" and code:
        try:
            (found,) = struct.unpack(f"<{code}", struct.pack(f"<{code}", value))
        except (OverflowError, struct.error):
            return None
        return found if isinstance(value, float) or found == value else None
    if value != value or value in (float("inf"), float("-inf")) or value != int(value):
        return None
    if not code:
        return bool(value) if value in (0, 1) else None
    try:
        return struct.unpack(f"<{code}", struct.pack(f"<{code}", int(value)))[0]
    except struct.error:
        return None


@st.composite
def numbers(draw: st.DrawFn) -> Any:
    """A numpy number of any type, small ones and the ends of ranges often."""
    dtype = np.dtype(draw(st.sampled_from([*SOURCES, "float64"])))
    if draw(st.booleans()):
        return draw(from_dtype(dtype))
    near = draw(st.sampled_from([0, 1, 2**8, 2**11, 2**16, 2**24, 2**31, 2**32, 2**53, 2**63, 2**64, 65_504, 65_520]))
    value = draw(st.sampled_from([1, -1])) * (near + draw(st.sampled_from([-1, 0, 1])))
    largest = float(np.finfo(np.float16).max) if dtype == np.float16 else float("inf")
    if dtype.kind == "f":
        return dtype.type(min(value, largest) if value > 0 else max(value, -largest))
    lowest, highest = (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype.name).min), int(np.iinfo(dtype.name).max))
    return dtype.type(min(max(value, lowest), highest))


@settings(max_examples=2000, deadline=None)
@given(numbers(), st.sampled_from(sorted(FORMATS)))
def test_a_number_is_kept_exactly_or_rounded_as_json_would_or_refused(number: Any, datatype: str) -> None:
    wanted = expected(number.item(), datatype)

    try:
        [found] = cast(np.array([number]), DATATYPES[datatype], "x").tolist()
    except InvalidValue:
        assert wanted is None
    else:
        assert found == wanted or (found != found and wanted != wanted)
        assert type(found) is type(wanted)
