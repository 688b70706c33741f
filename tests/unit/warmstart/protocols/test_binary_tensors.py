"""Tensors as bytes: each datatype as it is, and nothing that its size, shape or lengths lie about."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from warmstart.datatypes import DATATYPES
from warmstart.errors import MalformedBody, WrongShape
from warmstart.protocols.binary_tensors import from_bytes, split, to_bytes

VALUES: dict[str, tuple[Any, bytes]] = {
    "BOOL": (np.array([True, False]), b"\x01\x00"),
    "UINT8": (np.array([1, 255], np.uint8), b"\x01\xff"),
    "UINT16": (np.array([1, 65535], np.uint16), b"\x01\x00\xff\xff"),
    "UINT32": (np.array([1], np.uint32), b"\x01\x00\x00\x00"),
    "UINT64": (np.array([2**64 - 1], np.uint64), b"\xff" * 8),
    "INT8": (np.array([-1], np.int8), b"\xff"),
    "INT16": (np.array([-2], np.int16), b"\xfe\xff"),
    "INT32": (np.array([-2], np.int32), b"\xfe\xff\xff\xff"),
    "INT64": (np.array([1], np.int64), b"\x01" + bytes(7)),
    "FP16": (np.array([1.0], np.float16), b"\x00\x3c"),
    "FP32": (np.array([1.0, np.nan], np.float32), b"\x00\x00\x80\x3f\x00\x00\xc0\x7f"),
    "FP64": (np.array([-np.inf]), struct.pack("<d", float("-inf"))),
    "BF16": (np.array([0x3F80], np.uint16), b"\x80\x3f"),
    "BYTES": (np.array(["a", "", "ü"], object), b"\x01\x00\x00\x00a" + bytes(4) + b"\x02\x00\x00\x00\xc3\xbc"),
}
"""Each datatype's values, and their bytes by the extension's own words: little-endian, text with its length before."""


def read(content: bytes, datatype: str, shape: tuple[int, ...]) -> Any:
    return from_bytes(memoryview(content), DATATYPES[datatype], shape, "x")


def test_no_datatype_is_left_out() -> None:
    assert set(VALUES) == set(DATATYPES)


@pytest.mark.parametrize("name", VALUES)
def test_every_datatype_is_read_and_written_bit_by_bit(name: str) -> None:
    array, content = VALUES[name]
    assert to_bytes(array) == content
    found = read(content, name, array.shape)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert to_bytes(found) == content


def test_numbers_are_a_view_of_what_came_and_not_a_copy() -> None:
    content = np.arange(6, dtype=np.float32).tobytes()
    found = read(content, "FP32", (2, 3))
    assert np.shares_memory(found, np.frombuffer(content, np.float32))


def test_what_is_not_in_row_major_order_is_written_so() -> None:
    assert to_bytes(np.array([[1, 2], [3, 4]], np.uint8).T) == b"\x01\x03\x02\x04"
    assert to_bytes(np.array([1], ">u2")) == b"\x01\x00"


def test_text_that_is_not_unicode_stays_bytes() -> None:
    assert read(b"\x02\x00\x00\x00\xff\xd8", "BYTES", (1,)).tolist() == [b"\xff\xd8"]
    assert to_bytes(np.array([b"\xff\xd8"], object)) == b"\x02\x00\x00\x00\xff\xd8"


def test_a_tensor_may_be_empty() -> None:
    assert read(b"", "FP32", (0, 3)).shape == (0, 3)
    assert read(b"", "BYTES", (0,)).shape == (0,)


@pytest.mark.parametrize(
    ("content", "datatype", "shape"),
    [(bytes(7), "FP32", (2,)), (bytes(8), "FP32", (3,)), (bytes(8), "FP32", (2**62, 2**62)), (bytes(5), "BYTES", (2,))],
)
def test_a_size_that_is_not_the_shapes_is_refused(content: bytes, datatype: str, shape: tuple[int, ...]) -> None:
    with pytest.raises((WrongShape, MalformedBody), match="input 'x'"):
        read(content, datatype, shape)


@pytest.mark.parametrize("content", [b"\x05\x00\x00\x00ab", b"\xff\xff\xff\xff", b"\x01\x00", b"\x00\x00\x00\x00\x01"])
def test_a_length_of_text_that_lies_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedBody, match="input 'x': expected a length and as many bytes"):
        read(content, "BYTES", (1,))


def test_a_boolean_is_0_or_1() -> None:
    with pytest.raises(MalformedBody, match="expected BOOL values as one byte each, 0 or 1"):
        read(b"\x02", "BOOL", (1,))


def test_a_body_is_split_after_its_json() -> None:
    header, tail = split(b"{}\x01\x02\x03", "2")
    assert header == b"{}"
    assert tail.take("a", DATATYPES["UINT8"], (1,), 1).tolist() == [1]
    with pytest.raises(MalformedBody, match="binary_data_size: expected at most the 2 bytes that are left, got 3"):
        tail.take("b", DATATYPES["UINT8"], (3,), 3)
    with pytest.raises(MalformedBody, match="expected 1 bytes behind the JSON header, got 2 more"):
        tail.end()


@pytest.mark.parametrize("length", ["", "-1", "6", "1.0", "9" * 30, "²"])
def test_a_length_of_the_json_is_a_number_within_the_body(length: str) -> None:
    with pytest.raises(MalformedBody, match="Inference-Header-Content-Length: expected"):
        split(b"{}\x01\x02\x03", length)
