"""Each datatype at its edges; expected values are literal, or made by numpy from another source than JSON."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from warmstart.bfloat16 import widened
from warmstart.datatypes import DATATYPES
from warmstart.errors import InvalidValue, MalformedBody, WarmstartError, WrongShape
from warmstart.protocols.json_constants import load_python_json
from warmstart.protocols.json_tensors import check_finite, dump, load_json, tensor

INTEGERS = {
    "UINT8": (0, 255),
    "UINT16": (0, 65535),
    "UINT32": (0, 4294967295),
    "UINT64": (0, 18446744073709551615),
    "INT8": (-128, 127),
    "INT16": (-32768, 32767),
    "INT32": (-2147483648, 2147483647),
    "INT64": (-9223372036854775808, 9223372036854775807),
}
LARGEST = {"FP16": 65504.0, "FP32": 3.4028234663852886e38, "FP64": 1.7976931348623157e308}


def read(data: list[Any], name: str, shape: tuple[int, ...] | None = None) -> Any:
    return tensor(data, DATATYPES[name], (len(data),) if shape is None else shape, "x")


@pytest.mark.parametrize(("name", "bounds"), INTEGERS.items())
def test_an_integer_type_holds_its_whole_range_and_nothing_outside(name: str, bounds: tuple[int, int]) -> None:
    low, high = bounds
    array = read([low, high], name)
    assert (array.dtype.name, array.tolist()) == (DATATYPES[name].numpy, [low, high])
    for outside in (low - 1, high + 1):
        with pytest.raises(InvalidValue):
            read([outside], name)


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("value", [1.0, 0.5, True, "1", None, {}])
def test_an_integer_type_holds_nothing_but_whole_numbers(name: str, value: object) -> None:
    with pytest.raises(InvalidValue, match="at index 1"):
        read([1, value], name)


@pytest.mark.parametrize(("name", "largest"), LARGEST.items())
def test_a_float_type_holds_numbers_up_to_its_largest(name: str, largest: float) -> None:
    array = read([largest, -largest, 1], name)
    assert (array.dtype.name, array.tolist()) == (DATATYPES[name].numpy, [largest, -largest, 1.0])
    if name != "FP64":
        with pytest.raises(InvalidValue, match=f"expected {name} values"):
            read([0.0, largest * 1.01], name)


@pytest.mark.parametrize("name", LARGEST)
@pytest.mark.parametrize("value", [True, "1", {}])
def test_a_float_type_holds_nothing_but_numbers(name: str, value: object) -> None:
    with pytest.raises(InvalidValue, match="at index 0"):
        read([value, 1.0], name)


@pytest.mark.parametrize("name", LARGEST)
def test_null_is_a_missing_value_of_a_float_type(name: str) -> None:
    array = read([1, None, -0.5, None], name)
    assert array.dtype.name == DATATYPES[name].numpy
    assert np.array_equal(array, [1, np.nan, -0.5, np.nan], equal_nan=True)
    assert np.isnan(read([None], name)).all()


@pytest.mark.parametrize("name", ["FP32", "FP16", "BF16", "INT64", "UINT8"])
@pytest.mark.parametrize("others", [[2, 3], [0, 1]], ids=["few of 0 and 1", "all of 0 and 1"])
@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_among_many_numbers_is_found(name: str, others: list[int], value: bool) -> None:
    values: list[Any] = others * 1000
    assert read(values, name).shape == (2000,)
    values[1234] = value
    with pytest.raises(InvalidValue, match=r"got (true|false) \(a boolean\) at index 1234"):
        read(values, name)


def test_what_is_wrong_beside_a_missing_value_is_named_by_its_own_place() -> None:
    with pytest.raises(InvalidValue, match=r'got "1" \(a string\) at index 2'):
        read([None, 1, "1"], "FP32")
    with pytest.raises(InvalidValue, match=r"got true \(a boolean\) at index 1"):
        read([None, True], "FP32")


@pytest.mark.parametrize("name", ["INT64", "BOOL", "BYTES"])
def test_other_types_have_no_missing_value(name: str) -> None:
    with pytest.raises(InvalidValue, match=r"got null \(a missing value: only FP16, BF16, FP32 and FP64 have one\)"):
        read([None], name)


def test_fp16_is_rounded_to_the_nearest() -> None:
    assert read([0.1, 2049], "FP16").tolist() == [0.0999755859375, 2048.0]


def test_bool_holds_booleans_only() -> None:
    assert read([True, False], "BOOL").tolist() == [True, False]
    for value in (1, 0, "true", None):
        with pytest.raises(InvalidValue, match="expected BOOL values"):
            read([value], "BOOL")


def test_bytes_holds_strings_only() -> None:
    array = read(["a", "", "ü\0"], "BYTES")
    assert (array.dtype.name, array.tolist()) == ("object", ["a", "", "ü\0"])
    with pytest.raises(InvalidValue, match="expected BYTES values"):
        read(["a", 1], "BYTES")


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        (1.0, 0x3F80),
        (-2.0, 0xC000),
        (1.00390625, 0x3F80),  # half way between two: to the even one below
        (1.01171875, 0x3F82),  # half way: to the even one above
        (3.3895313892515355e38, 0x7F7F),  # the largest
        (None, 0x7FC0),
    ],
)
def test_bf16_is_rounded_to_the_nearest_and_kept_as_its_bits(value: float | None, bits: int) -> None:
    found = read([value], "BF16")
    assert (found.dtype.name, found.tolist()) == ("uint16", [bits])


@pytest.mark.parametrize("value", [3.4e38, -3.4e38, 1e39, "1", True])
def test_bf16_is_named_where_it_cannot_hold_a_value(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"expected BF16 values \(up to 3.39e\+38\), got .* at index 1"):
        read([1, value], "BF16")


def test_bf16_agrees_with_an_independent_conversion() -> None:
    import ml_dtypes

    values = np.random.default_rng(7).normal(size=1000).astype(np.float32)
    assert read(values.tolist(), "BF16", (1000,)).tolist() == (
        values.astype(ml_dtypes.bfloat16).view(np.uint16).tolist()
    )
    assert widened(np.array([0x3F80, 0xC000], np.uint16)).tolist() == [1.0, -2.0]


@pytest.mark.parametrize("name", DATATYPES)
def test_a_tensor_may_be_empty(name: str) -> None:
    assert read([], name, (0, 3)).shape == (0, 3)
    assert read([[], []], name, (2, 0)).shape == (2, 0)


@pytest.mark.parametrize(
    "data",
    [[1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]]],
    ids=["flat", "nested"],
)
def test_data_is_row_major_flat_or_nested(data: list[Any]) -> None:
    assert read(data, "INT8", (2, 3)).tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_scalar_has_one_value() -> None:
    assert read([7], "INT8", ()).shape == ()
    with pytest.raises(WrongShape):
        read([[7]], "INT8", ())


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ([1, 2, 3], (2, 2)),
        ([[1, 2], [3, 4], [5, 6]], (2, 3)),
        ([[1, 2], [3]], (2, 2)),
        ([[1], [2], [3], [4]], (2, 2)),
        ([[1, 2], 3], (2, 2)),
        ([1, [2]], (2,)),
        ([[[1]], [[2]]], (2, 1)),
        ([[1, 2]], (2,)),
        ([1], (0,)),
        ([], (1,)),
        ([], (0, 2**63)),
        ([], (0, 2**62, 2**62)),
    ],
)
def test_data_of_another_shape_is_refused(data: list[Any], shape: tuple[int, ...]) -> None:
    with pytest.raises(WrongShape):
        read(data, "INT8", shape)


@pytest.mark.parametrize(
    "body",
    [b"", b"nan", b"NaN", b"[Infinity]", b"[-Infinity]", b"1e400", b"[1,]", b"{'a':1}", b"\xff", b"[" * 100_000,
     b"\xef\xbb\xbf1"],
    ids=lambda body: body[:12].decode("latin-1"),
)  # fmt: skip
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody, match="body: expected JSON, got "):
        load_json(body)


@given(
    hnp.arrays(
        st.sampled_from([row.numpy for row in DATATYPES.values() if row.name not in ("BYTES", "BF16")]),
        hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
        elements={"allow_nan": False, "allow_infinity": False},
    )
)
def test_what_is_written_is_read_back_bit_by_bit(array: Any) -> None:
    """Written as an answer is, read as a request is; numpy made the array."""
    name = next(row.name for row in DATATYPES.values() if row.numpy == array.dtype.name and row.name != "BF16")
    back = tensor(load_json(dump(array.ravel())), DATATYPES[name], array.shape, "x")
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_fp32_is_what_numpy_makes_of_the_same_numbers(values: list[float]) -> None:
    assert read(values, "FP32").tobytes() == np.array(values, np.float32).tobytes()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**65) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(
    st.lists(JSON_VALUES, max_size=5), st.sampled_from(sorted(DATATYPES)), st.lists(st.integers(0, 2**70), max_size=4)
)
def test_any_data_makes_a_tensor_of_its_shape_or_is_refused(data: list[Any], name: str, shape: list[int]) -> None:
    try:
        array = tensor(data, DATATYPES[name], tuple(shape), "x")
    except WarmstartError as error:
        found: object = "'x'" in error.message
    else:
        found = (array.shape, array.dtype.name) == (tuple(shape), DATATYPES[name].numpy)
    assert found is True


def test_the_first_value_that_is_not_finite_is_found() -> None:
    assert check_finite(np.array([[1.0, 2.0], [math.inf, math.nan]], np.float32)) == 2
    assert check_finite(np.array([1.0, -0.0])) is None
    assert check_finite(np.zeros(0, np.float32)) is None
    assert check_finite(np.array([1, 2])) is None
    assert check_finite(np.array(["nan"], object)) is None


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"a": 1, "a": 2}', "a"),
        (b'{"a": {"b": 1}, "a": 2}', "a"),
        (b'{"a" :1,"a" : 2}', "a"),
        (b'{"a"\n:1,"a"\t:2,"a"\r:3}', "a"),
        (b'{"a":1,"\\u0061":2}', "a"),
        (b'[[1, {"x": 1, "x": 1}]]', "x"),
        (b'[{"t": "12:30", "b": [{"c": 1, "c": 1}]}]', "c"),
        (b'{"": 1, "": 2}', ""),
    ],
)
def test_a_name_that_comes_again_in_an_object_is_refused(body: bytes, name: str) -> None:
    for load in (load_json, load_python_json):
        with pytest.raises(MalformedBody, match=f"expected each name once in an object, got {name!r} again"):
            load(body)
    with pytest.raises(MalformedBody, match=f"expected each name once in an object, got {name!r} again"):
        load_python_json(b"[NaN, " + body + b"]")


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet='a":\\ \n', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='a":\\ \t', max_size=3), inner, max_size=4)
    ),
)


@given(document=DOCUMENTS, colon=st.sampled_from([":", ": ", " : ", "\n:\t"]))
def test_what_has_each_name_once_is_read_whatever_its_texts_and_spaces_are(document: object, colon: str) -> None:
    assert load_json(json.dumps(document, separators=(",", colon)).encode()) == document


@given(document=DOCUMENTS, colon=st.sampled_from([":", " : ", "\n:\t"]), data=st.data())
def test_one_name_too_many_is_found_wherever_it_is(document: object, colon: str, data: st.DataObject) -> None:
    wrapped = json.dumps({"first": document, "last": [document]}, separators=(",", colon))
    # No text has a brace: each one that a quote follows opens an object that has a name.
    place = data.draw(st.sampled_from([found.end() for found in re.finditer(r'\{(?=")', wrapped)]))
    name = json.dumps(json.JSONDecoder().raw_decode(wrapped, place)[0])
    with pytest.raises(MalformedBody, match="expected each name once"):
        load_json(f"{wrapped[:place]}{name}{colon}0,{wrapped[place:]}".encode())
