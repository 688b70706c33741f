"""TensorProto to tensors and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.server.grpc.protos.tensorflow_serving_pb2 import TensorProto, TensorShapeProto
from handlers.server.grpc.statuses import status_of
from handlers.server.grpc.tensor_protos import ROWS, from_proto, shape_of, to_proto
from warmstart.datatypes import DATATYPES
from warmstart.errors import BodyTooLarge, InvalidRequest, InvalidValue, MalformedBody, WarmstartError, WrongShape
from warmstart.tensors import TensorSpec

EDGES: dict[str, list[Any]] = {
    "BOOL": [False, True],
    "UINT8": [0, 255],
    "INT8": [-128, 127],
    "UINT16": [0, 65_535],
    "INT16": [-32_768, 32_767],
    "UINT32": [0, 2**32 - 1],
    "INT32": [-(2**31), 2**31 - 1],
    "UINT64": [0, 2**64 - 1],
    "INT64": [-(2**63), 2**63 - 1],
    "FP16": [0x8000, 0x7BFF],  # bits: -0 and the largest
    "BF16": [0x0001, 0x7F80],  # bits: the smallest subnormal and infinity
    "FP32": [-0.0, 1.401298464324817e-45],
    "FP64": [5e-324, 1.7976931348623157e308],
    "BYTES": [b"\xc3\xa9", b"\xff"],
}
"""Two values of each datatype, as its field has them."""


def proto(datatype: str, shape: Iterable[int], values: Iterable[Any] = (), *, content: bytes = b"") -> TensorProto:
    """A tensor of values in the datatype's own field, or of bytes."""
    row = ROWS[datatype]
    message = TensorProto(dtype=row.code, tensor_shape=shape_of(tuple(shape)), tensor_content=content)
    getattr(message, row.field).extend(values)
    return message


def read(message: TensorProto) -> Any:
    return from_proto(message, "x", most_bytes=1000)


def test_the_table_has_every_datatype_once() -> None:
    assert set(ROWS) == set(DATATYPES) == set(EDGES)
    assert len({row.code for row in ROWS.values()}) == len(ROWS)


@pytest.mark.parametrize("datatype", DATATYPES)
def test_values_come_back_bit_by_bit(datatype: str) -> None:
    array = read(proto(datatype, (2, 1), EDGES[datatype]))
    written = to_proto(TensorSpec("y", datatype, (-1, 1)), array)

    assert (array.shape, array.dtype.name) == ((2, 1), DATATYPES[datatype].numpy)
    assert list(getattr(written, ROWS[datatype].field)) == EDGES[datatype]
    assert (written.dtype, [dim.size for dim in written.tensor_shape.dim]) == (ROWS[datatype].code, [2, 1])


@pytest.mark.parametrize("datatype", [name for name in DATATYPES if name != "BYTES"])
def test_content_is_the_same_tensor_as_values(datatype: str) -> None:
    by_values = read(proto(datatype, (2,), EDGES[datatype]))
    by_content = read(proto(datatype, (2,), content=by_values.astype(by_values.dtype.newbyteorder("<")).tobytes()))

    assert by_content.tobytes() == by_values.tobytes()
    assert by_content.dtype == by_values.dtype


@pytest.mark.parametrize("datatype", DATATYPES)
def test_one_value_fills_the_shape(datatype: str) -> None:
    first = EDGES[datatype][:1]

    filled = to_proto(TensorSpec("y", datatype, (-1, 2)), read(proto(datatype, (3, 2), first)))

    assert list(getattr(filled, ROWS[datatype].field)) == first * 6


def test_the_last_value_fills_what_is_left() -> None:
    assert read(proto("INT32", (2, 2), [7, 8])).tolist() == [[7, 8], [8, 8]]


@pytest.mark.parametrize(("datatype", "blank"), [("FP32", 0.0), ("BOOL", False), ("BYTES", "")])
def test_no_value_at_all_is_zeros(datatype: str, blank: object) -> None:
    assert read(proto(datatype, (2,))).tolist() == [blank, blank]


@pytest.mark.parametrize("datatype", DATATYPES)
def test_an_empty_tensor_is_a_tensor(datatype: str) -> None:
    assert read(proto(datatype, (0, 3))).shape == (0, 3)


def test_a_tensor_without_a_shape_is_a_scalar() -> None:
    assert read(TensorProto(dtype=1, float_val=[1.5])).shape == ()


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "INT64"])
def test_fields_of_a_later_release_do_not_disturb_the_values(datatype: str) -> None:
    later = b"\x92\x01\x03abc"  # field 18, bytes
    message = TensorProto.FromString(later + proto(datatype, (2,), [1, 2]).SerializeToString() + later)

    assert read(message).tolist() == [1, 2]
    assert read(message).flags.aligned


@pytest.mark.parametrize("count", [1, 31, 32, 4095, 4096, 600_000])
def test_values_of_any_number_are_written_and_read(count: int) -> None:
    array = np.arange(count, dtype=np.float32)
    written = TensorProto.FromString(to_proto(TensorSpec("y", "FP32", (-1,)), array).SerializeToString())

    assert list(written.float_val[-3:]) == array[-3:].tolist()
    assert from_proto(written, "x", most_bytes=0).tobytes() == array.tobytes()


def test_half_values_are_bits() -> None:
    assert read(proto("FP16", (2,), [0x3C00, 0xC000])).tolist() == [1.0, -2.0]


def test_text_is_text_and_a_file_stays_bytes() -> None:
    assert read(proto("BYTES", (2,), [b"caf\xc3\xa9", b"\xff\xd8"])).tolist() == ["café", b"\xff\xd8"]


def test_a_small_message_cannot_ask_for_much_memory() -> None:
    with pytest.raises(BodyTooLarge, match=r"input 'x': expected up to 1000 bytes, got 1 values .* takes 4000000"):
        read(proto("FP32", (1000, 1000), [1.0]))


def test_more_values_than_the_shape_holds_are_refused() -> None:
    with pytest.raises(WrongShape, match=r"input 'x': shape \[1\] holds 1 values, its data has 2"):
        read(proto("FP32", (1,), [1.0, 2.0]))


@pytest.mark.parametrize("length", [1, 7, 9])
def test_content_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(WrongShape, match=rf"input 'x': FP32 of shape \[2\] has 8 bytes, got {length}"):
        read(proto("FP32", (2,), content=b"\x00" * length))


@pytest.mark.parametrize(
    ("message", "error", "text"),
    [
        (TensorProto(dtype=8), InvalidRequest, "input 'x': dtype: expected one of 1 .FP32."),
        (TensorProto(dtype=1, int_val=[1]), MalformedBody, "expected float_val for FP32, got int_val"),
        (TensorProto(dtype=4, int_val=[256]), InvalidValue, "expected UINT8 values .* got 256 at index 0"),
        (TensorProto(dtype=19, half_val=[65_536]), InvalidValue, "got 65536 at index 0"),
        (TensorProto(dtype=7, tensor_content=b"a"), MalformedBody, "expected texts in string_val"),
        (TensorProto(dtype=10, tensor_content=b"\x02"), MalformedBody, "expected BOOL values as one byte each"),
        (proto("FP32", (-1,)), WrongShape, "tensor_shape: expected up to 64 sizes, 0 or more; got .-1."),
        (TensorProto(dtype=1, tensor_shape=TensorShapeProto(unknown_rank=True)), WrongShape, "got none"),
        (proto("FP32", (1,) * 65), WrongShape, "expected up to 64 sizes"),
        (proto("FP32", (0, 2**62, 2**62)), WrongShape, "a shape that memory can hold"),
    ],
)
def test_what_is_no_tensor_is_refused(message: TensorProto, error: type[WarmstartError], text: str) -> None:
    with pytest.raises(error, match=text):
        read(message)


@settings(max_examples=300, deadline=None)
@given(
    dtype=st.integers(-1, 30) | st.sampled_from([row.code for row in ROWS.values()]),
    shape=st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 4), max_size=70),
    content=st.binary(max_size=24),
    field=st.sampled_from(sorted({row.field for row in ROWS.values()})),
    size=st.integers(0, 4),
)
def test_whatever_comes_is_read_or_refused_as_the_clients_mistake(
    dtype: int, shape: list[int], content: bytes, field: str, size: int
) -> None:
    message = TensorProto(dtype=dtype, tensor_shape=shape_of(tuple(shape)), tensor_content=content)
    getattr(message, field).extend([b"\xff" if field == "string_val" else 1] * size)
    try:
        array = read(message)
        found: object = array.shape if array.nbytes <= 1000 else array.nbytes
    except WarmstartError as error:
        found = status_of(error).name

    assert found in (tuple(shape), "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")
