"""A tensor's bytes as the whole body: what the model leaves open is deduced, what cannot be is refused."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest

from tests.build.calls import model, request
from warmstart.errors import (
    InvalidRequest,
    MalformedBody,
    UnsupportedMediaType,
    WarmstartError,
    WrongShape,
)
from warmstart.protocols import oip
from warmstart.tensors import TensorSpec

OCTETS = "application/octet-stream"
Y = TensorSpec("y", "FP32", (-1, 3))


def read(body: bytes, spec: TensorSpec, output: TensorSpec = Y) -> Any:
    """The tensor that a model of this input and output is given."""
    call = oip.read(request(body, content_type=OCTETS, inference_header_content_length="0"))
    found = call.tensors(model((spec,), (output,)))
    assert list(found) == [spec.name]
    return found[spec.name]


def test_a_model_of_batches_is_given_one_row() -> None:
    found = read(b"\x00\x00\x80\x3f\x00\x00\x00\x40", TensorSpec("x", "FP32", (-1, 2)))
    assert (found.dtype, found.tolist()) == (np.float32, [[1.0, 2.0]])


def test_a_batch_of_more_than_one_row_says_its_shape_in_json() -> None:
    with pytest.raises(WrongShape, match=r"input 'x': FP32 of shape \[1, 2\] has 8 bytes, got 16"):
        read(bytes(16), TensorSpec("x", "FP32", (-1, 2)))


def test_a_free_dimension_beside_the_batch_is_what_the_bytes_fill() -> None:
    spec = TensorSpec("x", "INT16", (-1, -1, 2))
    assert read(b"\x01\x00\x02\x00\x03\x00\xff\xff", spec).tolist() == [[[1, 2], [3, -1]]]
    assert read(b"", spec).shape == (1, 0, 2)


def test_a_first_dimension_is_no_batch_where_an_output_does_not_have_it() -> None:
    found = read(struct.pack("<3d", 1, 2, 3), TensorSpec("x", "FP64", (-1,)), TensorSpec("mean", "FP64", (1,)))
    assert found.tolist() == [1.0, 2.0, 3.0]


def test_a_shape_without_free_dimensions_is_taken_as_it_is() -> None:
    fixed = TensorSpec("y", "FP32", (1,))
    assert read(b"\x01\x02\x03\x04", TensorSpec("x", "UINT8", (2, 2)), fixed).tolist() == [[1, 2], [3, 4]]
    assert read(b"\x07", TensorSpec("x", "INT8", ()), fixed).tolist() == 7


@pytest.mark.parametrize("length", [1, 7, 9])
def test_a_size_that_is_no_multiple_is_refused(length: int) -> None:
    with pytest.raises(WrongShape, match=rf"FP32 of shape \[1, -1, 2\] has a multiple of 8 bytes, got {length}"):
        read(bytes(length), TensorSpec("x", "FP32", (-1, -1, 2)))


def test_a_free_dimension_of_nothing_cannot_be_told() -> None:
    with pytest.raises(WrongShape, match=r"has a multiple of 0 bytes, got 0"):
        read(b"", TensorSpec("x", "FP32", (-1, -1, 0)))


def test_two_free_dimensions_cannot_be_told() -> None:
    with pytest.raises(InvalidRequest, match=r"FP32 \[1, -1, -1\] has more than one free dimension"):
        read(bytes(8), TensorSpec("x", "FP32", (-1, -1, -1)))
    with pytest.raises(InvalidRequest, match=r"FP32 \[-1, -1\] has more than one free dimension"):
        read(bytes(8), TensorSpec("x", "FP32", (-1, -1)), TensorSpec("y", "FP32", ()))


def test_several_inputs_are_not_for_bytes_alone() -> None:
    specs = (TensorSpec("a", "FP32", (-1,)), TensorSpec("b", "FP32", (-1,)))
    call = oip.read(request(bytes(4), content_type=OCTETS, inference_header_content_length="0"))
    with pytest.raises(InvalidRequest, match=r"JSON that names the model's 2 inputs \(a, b\), got bytes alone"):
        call.tensors(model(specs, (Y,)))


def test_a_boolean_is_0_or_1() -> None:
    with pytest.raises(MalformedBody, match="expected BOOL values as one byte each, 0 or 1"):
        read(b"\x02", TensorSpec("x", "BOOL", (-1, 1)))


@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 1, 1)])
def test_a_text_is_the_whole_body_without_a_length_before_it(shape: tuple[int, ...]) -> None:
    found = read(b"\x01\x00\x00\x00a\xc3\xbc", TensorSpec("text", "BYTES", shape))
    assert (found.shape, found.ravel().tolist()) == ((1,) * len(shape), ["\x01\x00\x00\x00aü"])
    assert read(b"", TensorSpec("text", "BYTES", shape)).ravel().tolist() == [""]


def test_a_file_is_the_whole_body_too() -> None:
    assert read(b"\xff\xd8\xff", TensorSpec("image", "BYTES", (-1,))).tolist() == [b"\xff\xd8\xff"]


@pytest.mark.parametrize("shape", [(-1, 2), (-1, -1), (-1, 0)])
def test_several_texts_cannot_be_told(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequest, match="expected JSON with its shape, got bytes alone: they are one text"):
        read(b"ab", TensorSpec("text", "BYTES", shape))


def test_all_outputs_are_answered_as_bytes_for_who_accepts_them() -> None:
    array = np.array([[1, 2, np.nan]], np.float32)
    asked = request(bytes(8), content_type=OCTETS, inference_header_content_length="0")
    found = oip.read(asked).render(model((TensorSpec("x", "FP32", (-1, 2)),), (Y,)), [(Y, array)])
    length = int(dict(found.headers)["inference-header-content-length"])
    assert json.loads(found.body[:length]) == {
        "model_name": "iris",
        "model_version": "3",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 3], "parameters": {"binary_data_size": 12}}],
    }
    assert found.body[length:] == array.tobytes()


def test_who_accepts_json_alone_is_answered_in_it() -> None:
    asked = request(bytes(8), inference_header_content_length="0", accept="application/json")
    found = oip.read(asked).render(model((), (Y,)), [(Y, np.array([[1, 2, 3]], np.float32))])
    assert (found.content_type, json.loads(found.body)["outputs"][0]["data"]) == ("application/json", [1.0, 2.0, 3.0])


def test_bytes_that_say_they_are_something_else_are_refused() -> None:
    with pytest.raises(UnsupportedMediaType, match="expected application/json or application/octet-stream"):
        oip.read(request(bytes(8), content_type="text/csv", inference_header_content_length="0"))


@pytest.mark.parametrize("length", ["00", "-0", "0.0", " 0", ""])
def test_none_of_a_body_is_json_only_where_the_length_is_0(length: str) -> None:
    with pytest.raises(WarmstartError, match="Inference-Header-Content-Length: expected"):
        oip.read(request(bytes(8), content_type=OCTETS, inference_header_content_length=length))
