"""What a caller's array becomes in a model's datatype, and what is refused because it would not be the same."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from warmstart.bfloat16 import widened
from warmstart.client.cast import cast
from warmstart.datatypes import DATATYPES
from warmstart.errors import InvalidValue, TensorError, WrongDatatype

NAN, INFINITY = float("nan"), float("inf")
WHOLE = ("UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64")


def of(values: Any, dtype: Any, datatype: str) -> Any:
    found = cast(np.array(values, dtype), DATATYPES[datatype], "x")
    assert found.dtype == np.dtype(DATATYPES[datatype].numpy)
    return found.tolist()


@pytest.mark.parametrize(
    ("values", "dtype", "datatype", "expected"),
    [
        ([1, 2], "int64", "FP32", [1.0, 2.0]),
        ([0.1], "float64", "FP32", [0.10000000149011612]),
        ([0.1], "float64", "FP16", [0.0999755859375]),
        ([True, False], "bool", "FP32", [1.0, 0.0]),
        ([1.0, -3.0], "float64", "INT64", [1, -3]),
        ([200.0], "float32", "UINT8", [200]),
        ([0, 1], "int64", "BOOL", [False, True]),
        ([1.0], "float64", "BOOL", [True]),
        ([2**63 - 1, -(2**63)], "int64", "INT64", [2**63 - 1, -(2**63)]),
        ([2**64 - 1], "uint64", "UINT64", [2**64 - 1]),
        ([16_777_216, 2**62, -(2**63)], "int64", "FP32", [16_777_216.0, 2.0**62, -(2.0**63)]),
        ([-INFINITY], "float64", "FP16", [-INFINITY]),
        ([1.5], ">f8", "FP64", [1.5]),
        ([258], ">i4", "INT32", [258]),
        ([1, 2.5, None], object, "FP32", None),
        ([1, True], object, "INT64", [1, 1]),
        ([2**53 + 1, 1.0], object, "INT64", [2**53 + 1, 1]),
        ([[1.5, 2], [True, 0.5]], object, "FP32", [[1.5, 2.0], [1.0, 0.5]]),
        ([np.True_, True], object, "BOOL", [True, True]),
        ([], object, "INT64", []),
        (["a", "größe"], "str", "BYTES", ["a", "größe"]),
        ([b"a\xff"], "S2", "BYTES", [b"a\xff"]),
        (["a", b"b"], object, "BYTES", ["a", b"b"]),
        ([[["a"]]], object, "BYTES", [[["a"]]]),
    ],
)
def test_a_value_that_the_datatype_has_is_kept(values: Any, dtype: Any, datatype: str, expected: Any) -> None:
    found = of(values, dtype, datatype)

    assert found == expected if expected is not None else (found[:2] == [1.0, 2.5] and found[2] != found[2])


@pytest.mark.parametrize(
    ("values", "dtype", "datatype", "message"),
    [
        ([1.0, 1.5], "float64", "INT64", r"got 1\.5 \(float64\) at index 1; round it, or fill what is missing"),
        ([NAN], "float32", "INT32", r"whole numbers from -2147483648 to 2147483647; got nan"),
        ([2.0**63], "float64", "INT64", r"got 9\.2233720368547\d+e\+18"),
        ([-(2.0**63) - 2048], "float64", "INT64", "expected INT64"),
        ([256], "int64", "UINT8", r"whole numbers from 0 to 255; got 256 \(int64\) at index 0"),
        ([-1], "int8", "UINT64", "got -1"),
        ([2**63], "uint64", "INT64", "got 9223372036854775808"),
        ([2], "int64", "BOOL", "expected BOOL, 0 and 1; got 2"),
        ([0.5], "float64", "BOOL", "got 0.5"),
        ([16_777_217], "int64", "FP32", r"expected FP32 to hold it; got 16777217 .* scale it, or round it yourself"),
        ([2**53 + 1], "int64", "FP64", "got 9007199254740993"),
        ([0.5, 2**53 + 1], object, "FP64", "got 9007199254740993 .* at index 1"),
        ([3, 0.5], object, "INT64", "got 0.5 .* at index 1"),
        ([2**64 - 1], "uint64", "FP64", "got 18446744073709551615"),
        ([1e39], "float64", "FP32", r"got 1e\+39"),
        ([65_520.0], "float32", "FP16", "got 65520.0"),
        ([70_000], "int32", "FP16", "got 70000"),
        ([257], "int64", "BF16", "got 257"),
        ([[0, 0], [0, 300]], "int64", "INT8", "got 300 .* at index 3"),
    ],
)
def test_a_value_that_the_datatype_lacks_is_refused(values: Any, dtype: Any, datatype: str, message: str) -> None:
    with pytest.raises(InvalidValue, match=message) as caught:
        of(values, dtype, datatype)

    assert caught.value.tensor == "x"
    assert caught.value.message.startswith("input 'x': expected ")


@pytest.mark.parametrize(
    ("values", "dtype", "datatype", "message"),
    [
        (["1"], "str", "FP32", "expected FP32, got an array of <U1; convert it first"),
        ([1j], "complex64", "FP32", "got an array of complex64"),
        (["2026-01-31"], "datetime64[D]", "INT64", r"got an array of datetime64\[D\]"),
        ([1], "int64", "BYTES", r"expected BYTES \(str, or bytes\), got 1 \(int\) at index 0"),
        (["a", None], object, "BYTES", r"got None \(NoneType\) at index 1; .* fill what is missing"),
        ([1, None], object, "INT64", "got an array of object"),
        ([1, "a"], object, "FP32", "got an array of object"),
        ([{"a": 1}], object, "FP32", "got an array of object"),
    ],
)
def test_another_kind_of_value_is_refused(values: Any, dtype: Any, datatype: str, message: str) -> None:
    with pytest.raises(WrongDatatype, match=message):
        of(values, dtype, datatype)


@pytest.mark.parametrize("datatype", WHOLE)
def test_the_ends_of_each_range_are_kept_and_what_is_beyond_is_refused(datatype: str) -> None:
    info = np.iinfo(DATATYPES[datatype].numpy)
    ends = [int(info.min), int(info.max)]

    assert of(ends, object, datatype) == ends
    for beyond in (ends[0] - 1, ends[1] + 1):
        with pytest.raises(TensorError):
            of([beyond], object, datatype)


def test_bfloat16_is_rounded_as_its_own_package_does() -> None:
    rng = np.random.default_rng(1)
    numbers = rng.integers(0, 2**32, 20_000, np.uint32).view(np.float32)
    numbers = numbers[np.isfinite(numbers) & (np.abs(numbers) < 3e38)]

    bits = cast(numbers, DATATYPES["BF16"], "x")

    assert bits.tolist() == numbers.astype(ml_dtypes.bfloat16).view(np.uint16).tolist()
    assert widened(bits).tolist() == numbers.astype(ml_dtypes.bfloat16).astype(np.float32).tolist()


@pytest.mark.parametrize(
    ("number", "bits"),
    [(1.0, 0x3F80), (1.00390625, 0x3F80), (1.01171875, 0x3F82), (-INFINITY, 0xFF80), (NAN, 0x7FC0)],
)
def test_bfloat16_ties_go_to_even(number: float, bits: int) -> None:
    assert of([number], "float64", "BF16") == [bits]


def test_bfloat16_that_overflows_is_refused() -> None:
    with pytest.raises(InvalidValue, match="expected BF16 to hold it"):
        of([3.4e38], "float32", "BF16")


def test_arrays_of_the_package_ml_dtypes_are_read() -> None:
    array: Any = np.array([1.5, 257.0], ml_dtypes.bfloat16)

    assert cast(array, DATATYPES["BF16"], "x").tolist() == [0x3FC0, 0x4380]
    assert cast(array, DATATYPES["FP32"], "x").tolist() == [1.5, 256.0]


def test_a_shape_is_kept() -> None:
    assert cast(np.zeros((2, 0, 3)), DATATYPES["FP32"], "x").shape == (2, 0, 3)
    assert cast(np.array(1.0), DATATYPES["INT64"], "x").shape == ()
