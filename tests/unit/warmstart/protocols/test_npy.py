# ruff: noqa: E501 - one refused body per line
"""One array in numpy's format."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.build.calls import computed
from warmstart.errors import InvalidRequest, InvalidValue, MalformedBody, UnrepresentableOutput, WrongDatatype
from warmstart.protocols.npy import read_array, read_npy, write_npy
from warmstart.tensors import TensorSpec

X = TensorSpec("x", "FP32", (-1, 2))


def saved(array: Any, version: tuple[int, int] = (1, 0)) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asanyarray(array), version=version)
    return buffer.getvalue()


def header(text: str, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + content


def read(array: Any, spec: TensorSpec) -> tuple[str, Any]:
    found = read_npy(saved(array), (spec,))[spec.name]
    return found.dtype.name, found.tolist()


@pytest.mark.parametrize("dtype", ["?", "<i8", ">i4", "u2", "|u1", "<f2", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 3)])
def test_what_numpy_saves_is_read(dtype: str, order: Any, shape: tuple[int, ...]) -> None:
    array = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape), dtype, order=order)
    found = read_array(saved(array))
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format_is_read(version: tuple[int, int]) -> None:
    assert read_array(saved([1.5], version)).tolist() == [1.5]


@pytest.mark.parametrize(
    ("array", "spec", "expected"),
    [
        (np.array([[1.0, 2.5]]), X, ("float32", [[1, 2.5]])),
        (np.array([1, 2]), X, ("float32", [[1, 2]])),
        (np.array([1, 2]), TensorSpec("x", "FP64", (-1, 1)), ("float64", [[1], [2]])),
        (np.array([[1], [2]]), TensorSpec("x", "FP64", (-1,)), ("float64", [1, 2])),
        (np.array([3], np.uint8), TensorSpec("x", "INT64", (-1,)), ("int64", [3])),
        (np.array([True]), TensorSpec("x", "BOOL", (-1,)), ("bool", [True])),
        (np.array([1.0]), TensorSpec("x", "BF16", (-1,)), ("uint16", [0x3F80])),
        (np.array([[0.1]]), TensorSpec("x", "FP16", (-1,)), ("float16", [0.0999755859375])),
    ],
)
def test_an_array_becomes_what_the_model_declares(array: Any, spec: TensorSpec, expected: tuple[str, Any]) -> None:
    assert read(array, spec) == expected


def test_a_missing_value_stays_one() -> None:
    assert np.array_equal(read_npy(saved([[1, np.nan]]), (X,))["x"], [[1, np.nan]], equal_nan=True)


@pytest.mark.parametrize(
    ("array", "spec", "error", "message"),
    [
        (np.array([1.5]), TensorSpec("x", "INT8", (-1,)), WrongDatatype, "input 'x': expected INT8, got float64"),
        (np.array([1]), TensorSpec("x", "BOOL", (-1,)), WrongDatatype, "input 'x': expected BOOL, got int64"),
        (np.array([1]), TensorSpec("x", "BYTES", (-1,)), WrongDatatype, "input 'x': expected BYTES, got int64"),
        (np.array([True]), X, WrongDatatype, "input 'x': expected FP32, got bool"),
        (np.array([3, 128]), TensorSpec("x", "INT8", (-1,)), InvalidValue, "input 'x': expected INT8 values from -128 to 127, got some from 3 to 128"),
        (np.array([2], np.uint8).view(np.bool_), TensorSpec("x", "BOOL", (-1,)), InvalidValue, "input 'x': expected BOOL values from 0 to 1, got some from 2 to 2"),
        (np.array([1, 3.4e38]), TensorSpec("x", "BF16", (-1,)), InvalidValue, "input 'x': expected BF16 values (up to 3.39e+38), got some up to 3.4e+38"),
        (np.array([[1, -1e39]]), X, InvalidValue, "input 'x': expected FP32 values (up to 3.403e+38), got some up to 1e+39"),
    ],
)  # fmt: skip
def test_an_array_of_other_values_is_refused(
    array: Any, spec: TensorSpec, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as refused:
        read_npy(saved(array), (spec,))
    assert str(refused.value) == message


def test_one_array_is_no_answer_to_several_inputs() -> None:
    with pytest.raises(InvalidRequest, match="expected a tensor for each of 2 inputs, got one array; send JSON or CSV"):
        read_npy(saved([1]), (X, X))


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("it was run",))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "body: expected an array in npy's format, version 1 to 3; got b''"),
        (pickle.dumps(Hostile()), "body: expected an array in npy's format, version 1 to 3; got"),
        (saved([Hostile()]), "body: expected an npy header of numbers or booleans, got another; text and pickle are none"),
        (saved(["a"]), "body: expected an npy header of numbers or booleans, got another; text and pickle are none"),
        (saved([1.5])[:-1], "body: expected 8 bytes of float64 [1], got 7"),
        (saved([1.5]) + b"x", "body: expected 8 bytes of float64 [1], got 9"),
        (saved(np.zeros((0, 2))), "body: expected 0 bytes of float64 [0, 2], got 0"),
        (b"\x93NUMPY\x09\x00" + bytes(9), "body: expected an array in npy's format, version 1 to 3; got"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(9), "body: expected an npy header of numbers or booleans"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999999), }\n"), "body: expected 79999999998400000000008 bytes of float64 [99999999999, 99999999999], got 0"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }\n"), "body: expected an npy header"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1," * 33 + "), }\n", bytes(8)), "body: expected 8 bytes of float64 [1, 1"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1," * 5000 + "), }\n", bytes(8)), "body: expected an npy header"),
        (header("__import__('os')"), "body: expected an npy header"),
    ],
)  # fmt: skip
def test_what_is_no_array_is_refused_before_it_is_read(body: bytes, message: str) -> None:
    with pytest.raises(MalformedBody) as refused:
        read_array(body)
    assert refused.value.message.startswith(message)


def test_the_only_output_is_written() -> None:
    array = np.array([[1, 2], [3, 4]], np.float32)
    assert np.load(io.BytesIO(write_npy(computed(y=array))), allow_pickle=False).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("outputs", [{"a": np.zeros(1), "b": np.zeros(1)}, {"a": np.array(["x"], object)}])
def test_what_is_no_array_of_numbers_is_not_written(outputs: dict[str, Any]) -> None:
    with pytest.raises(UnrepresentableOutput, match=r"outputs: expected one of numbers, got a: .*; accept JSON or CSV"):
        write_npy(computed(**outputs))


GOOD = saved(np.arange(6, dtype=np.float32).reshape(3, 2))


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4))
def test_any_change_is_read_or_refused(at: int, change: bytes) -> None:
    body = GOOD[:at] + change + GOOD[at + len(change) :]
    try:
        read_npy(body, (X,))
    except InvalidRequest as error:
        assert error.message  # noqa: PT017 - either outcome is right, any other error is not
