"""ModelInferRequest to tensors, tensors to ModelInferResponse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.server.grpc.infer_messages import FIELDS, read_infer
from handlers.server.grpc.protos import open_inference_pb2 as oip
from handlers.server.grpc.statuses import status_of
from tests.build import calls
from tests.build.grpc_client import fp32, raw_request, typed_request
from warmstart.datatypes import DATATYPES
from warmstart.errors import InvalidValue, MalformedBody, WarmstartError, WrongShape
from warmstart.tensors import TensorSpec

MODEL = calls.model((), ())

BITS = {
    "BOOL": b"\x00\x01\x01\x00",
    "UINT8": b"\x00\x01\xfe\xff",
    "INT8": b"\x00\x7f\x80\xff",
    "UINT16": b"\x00\x00\x01\x00\x00\x80\xff\xff",
    "INT16": b"\x00\x00\xff\x7f\x00\x80\xff\xff",
    "UINT32": b"\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x80\xff\xff\xff\xff",
    "INT32": b"\x00\x00\x00\x00\xff\xff\xff\x7f\x00\x00\x00\x80\xff\xff\xff\xff",
    "UINT64": b"\x00" * 8 + b"\x01" + b"\x00" * 7 + b"\x00" * 7 + b"\x80" + b"\xff" * 8,
    "INT64": b"\x00" * 8 + b"\xff" * 7 + b"\x7f" + b"\x00" * 7 + b"\x80" + b"\xff" * 8,
    "FP16": b"\x00\x80\x01\x00\xff\x7b\x00\x7c",  # -0, the smallest subnormal, the largest, infinity
    "BF16": b"\x00\x80\x01\x00\x7f\x7f\x80\x7f",
    "FP32": b"\x00\x00\x00\x80\x01\x00\x00\x00\xff\xff\x7f\x7f\x00\x00\x80\x7f",
    "FP64": b"\x00" * 7 + b"\x80" + b"\x01" + b"\x00" * 7 + b"\xff" * 6 + b"\xef\x7f" + b"\x00" * 6 + b"\xf0\x7f",
    "BYTES": b"\x00\x00\x00\x00\x02\x00\x00\x00\xc3\xa9\x01\x00\x00\x00\xff\x03\x00\x00\x00a\x00b",
}
"""Four values of each datatype, edges among them, little-endian."""


def values(datatype: str) -> list[Any]:
    """The same four values as Python has them."""
    if datatype == "BYTES":
        return [b"", b"\xc3\xa9", b"\xff", b"a\x00b"]
    found: list[Any] = np.frombuffer(BITS[datatype], DATATYPES[datatype].numpy).tolist()
    return found


def test_the_bits_are_of_every_datatype() -> None:
    assert set(BITS) == set(DATATYPES)


@pytest.mark.parametrize("datatype", DATATYPES)
def test_bytes_come_back_bit_by_bit(datatype: str) -> None:
    call = read_infer(raw_request(x=(datatype, (2, 2), BITS[datatype])))
    message = call.render(MODEL, [(TensorSpec("y", datatype, (-1, 2)), call.inputs["x"])])

    assert call.inputs["x"].dtype.name == DATATYPES[datatype].numpy
    assert list(message.raw_output_contents) == [BITS[datatype]]
    assert (message.outputs[0].datatype, list(message.outputs[0].shape)) == (datatype, [2, 2])


@pytest.mark.parametrize("datatype", FIELDS)
def test_values_come_back_bit_by_bit(datatype: str) -> None:
    call = read_infer(typed_request(x=(datatype, (4,), {FIELDS[datatype]: values(datatype)})))
    message = call.render(MODEL, [(TensorSpec("y", datatype, (-1,)), call.inputs["x"])])

    assert call.inputs["x"].dtype.name == DATATYPES[datatype].numpy
    assert list(message.raw_output_contents) == []
    assert list(getattr(message.outputs[0].contents, FIELDS[datatype])) == values(datatype)
    raw = read_infer(raw_request(x=(datatype, (4,), BITS[datatype])))
    assert call.inputs["x"].tolist() == raw.inputs["x"].tolist()


@pytest.mark.parametrize("datatype", DATATYPES)
def test_an_empty_tensor_is_a_tensor(datatype: str) -> None:
    raw = read_infer(raw_request(x=(datatype, (0, 3), b"")))

    assert raw.inputs["x"].shape == (0, 3)
    assert list(raw.render(MODEL, [(TensorSpec("y", datatype, (-1, 3)), raw.inputs["x"])]).raw_output_contents) == [b""]


def test_empty_values_are_a_tensor() -> None:
    assert read_infer(typed_request(x=("FP32", (0, 3), {}))).inputs["x"].shape == (0, 3)


def test_fields_of_a_later_release_do_not_disturb_the_values() -> None:
    request = typed_request(x=("FP32", (2,), {"fp32_contents": [1, 2]}))
    request.inputs[0].contents.MergeFromString(b"\x7a\x03abc")  # field 15, bytes

    assert read_infer(request).inputs["x"].tolist() == [1, 2]


def test_a_scalar_has_no_dimension() -> None:
    assert read_infer(typed_request(x=("INT64", (), {"int64_contents": [7]}))).inputs["x"].tolist() == 7


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
def test_with_an_output_that_has_no_field_all_outputs_are_bytes(datatype: str) -> None:
    call = read_infer(typed_request(x=("FP32", (1,), {"fp32_contents": [1]})))
    half = np.frombuffer(BITS[datatype], DATATYPES[datatype].numpy)
    message = call.render(
        MODEL, [(TensorSpec("a", "INT8", (-1,)), np.array([1], np.int8)), (TensorSpec("b", datatype, (-1,)), half)]
    )

    assert list(message.raw_output_contents) == [b"\x01", BITS[datatype]]


def test_bytes_are_not_copied_on_their_way_in() -> None:
    array = read_infer(raw_request(x=fp32([1, 2]))).inputs["x"]

    assert not array.flags.owndata
    assert not array.flags.writeable


def test_an_answer_says_who_gave_it_and_for_which_request() -> None:
    message = read_infer(raw_request(request_id="r-7", x=fp32([1, 2]))).render(MODEL, [])

    assert (message.id, message.model_name, message.model_version) == ("r-7", "iris", "3")


def test_the_best_classes_are_asked_for_by_a_parameter() -> None:
    request = raw_request(x=fp32([1, 2]))
    request.outputs.add(name="scores").parameters["classification"].int64_param = 2
    call = read_infer(request)
    scores = (TensorSpec("scores", "FP32", (-1, 3)), np.array([[0.5, 0.25, 0.75]], np.float32))
    message = call.render(calls.model((), (), labels=("cat", "dog", "owl")), [scores])

    assert call.outputs(MODEL) == ("scores",)
    assert read_infer(raw_request(x=("BYTES", (1, 2), message.raw_output_contents[0]))).inputs["x"].tolist() == [
        ["0.750000:2:owl", "0.500000:0:cat"]
    ]


@pytest.mark.parametrize(
    ("datatype", "field", "value"),
    [("INT8", "int_contents", 128), ("INT16", "int_contents", -32_769), ("UINT8", "uint_contents", 256),
     ("UINT16", "uint_contents", 65_536)],
)  # fmt: skip
def test_a_value_that_its_datatype_cannot_hold_is_refused(datatype: str, field: str, value: int) -> None:
    with pytest.raises(InvalidValue, match=rf"input 'x': expected {datatype} values .* got {value} at index 1"):
        read_infer(typed_request(x=(datatype, (2,), {field: [0, value]})))


@pytest.mark.parametrize("size", [2**62, 2**63 - 1])
def test_a_shape_whose_product_no_memory_holds_is_refused(size: int) -> None:
    with pytest.raises(WrongShape):
        read_infer(raw_request(x=("FP32", (size, size), b"")))
    with pytest.raises(WrongShape, match="a shape that memory can hold"):
        read_infer(typed_request(x=("FP32", (0, size, size), {})))


def test_a_tensor_does_not_come_twice_over() -> None:
    request = raw_request(x=fp32([1, 2]))
    request.inputs[0].contents.fp32_contents.extend([1, 2])

    with pytest.raises(MalformedBody, match="expected contents or raw_input_contents, got both"):
        read_infer(request)


SHAPES = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 4), max_size=70)


@settings(max_examples=300, deadline=None)
@given(
    datatype=st.sampled_from([*DATATYPES, "", "FP8"]),
    shape=SHAPES,
    content=st.none() | st.binary(max_size=24),
    field=st.sampled_from(sorted(set(FIELDS.values()))),
    size=st.integers(0, 4),
    name=st.text(max_size=3),
)
def test_whatever_comes_is_read_or_refused_as_the_clients_mistake(
    datatype: str, shape: list[int], content: bytes | None, field: str, size: int, name: str
) -> None:
    request = oip.ModelInferRequest()
    item = request.inputs.add(name=name, datatype=datatype, shape=shape)
    if content is not None:
        request.raw_input_contents.append(content)
    getattr(item.contents, field).extend([b"\xff" if field == "bytes_contents" else 1] * size)
    try:
        found: object = read_infer(request).inputs[name].shape
    except WarmstartError as error:
        found = status_of(error).name

    assert found in (tuple(shape), "INVALID_ARGUMENT")
