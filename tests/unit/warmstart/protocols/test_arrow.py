"""Arrow streams against pyarrow: what it writes is read, what we write it reads and finds valid."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from warmstart.errors import InvalidRequest
from warmstart.protocols.arrow_reader import read_arrow
from warmstart.protocols.arrow_writer import write_arrow
from warmstart.tensors import TensorSpec


def stream(table: pa.Table, *, rows: int | None = None, **options: Any) -> bytes:
    sink = BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue()


def read(column: pa.Array, datatype: str, shape: tuple[int, ...] = (-1,), *, rows: int | None = None) -> Any:
    return read_arrow(stream(pa.table({"x": column}), rows=rows), (TensorSpec("x", datatype, shape),))["x"].tolist()


@pytest.mark.parametrize("rows", [None, 1, 2])
@pytest.mark.parametrize(
    ("column", "datatype", "shape", "expected"),
    [
        (pa.array([1, 2, 3], pa.int8()), "INT64", (-1,), [1, 2, 3]),
        (pa.array([1, 2, 3], pa.uint64()), "UINT8", (-1, 1), [[1], [2], [3]]),
        (pa.array([1, 2, 3], pa.int64()), "FP32", (-1,), [1.0, 2.0, 3.0]),
        (pa.array([0.5, 2, 3], pa.float16()), "FP64", (-1,), [0.5, 2.0, 3.0]),
        (pa.array([0.5, 257, None]), "BF16", (-1,), [0x3F00, 0x4380, 0x7FC0]),
        (pa.array([1, 2, 3]), "BF16", (-1,), [0x3F80, 0x4000, 0x4040]),
        (pa.array([True, False, True]), "BOOL", (-1,), [True, False, True]),
        (pa.array(["a", "", "é"]), "BYTES", (-1,), ["a", "", "é"]),
        (pa.array(["a", "", "é"], pa.large_string()), "BYTES", (-1,), ["a", "", "é"]),
        (pa.array([b"\xff\xd8", b"", b"a"]), "BYTES", (-1,), [b"\xff\xd8", "", "a"]),
        (pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.float32(), 2)), "FP32", (-1, 2), [[1, 2], [3, 4], [5, 6]]),
        (pa.array([[1, 2], [3, 4], [5, 6]]), "FP32", (-1, -1), [[1, 2], [3, 4], [5, 6]]),
        (pa.array([[[1], [2]], [[3], [4]], [[5], [6]]]), "INT32", (-1, 2, 1), [[[1], [2]], [[3], [4]], [[5], [6]]]),
        (pa.array([[1, 2], [3, 4], [5, 6]]), "INT32", (-1, 2, 1), [[[1], [2]], [[3], [4]], [[5], [6]]]),
    ],
)
def test_a_column_is_an_input(
    column: pa.Array, datatype: str, shape: tuple[int, ...], expected: object, rows: int | None
) -> None:
    assert read(column, datatype, shape, rows=rows) == expected


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["n" * 1025], "a name of 1025 bytes, where 1024 may be"),
        ([str(number) for number in range(65_537)], "65537 columns, where 65536 may be"),
    ],
)
def test_a_schema_cannot_take_more_memory_than_a_table_needs(names: list[str], message: str) -> None:
    sink = BytesIO()
    pa.ipc.new_stream(sink, pa.schema([(name, pa.int8()) for name in names])).close()
    with pytest.raises(InvalidRequest, match=message):
        read_arrow(sink.getvalue(), (TensorSpec("x", "FP32", (-1, 2)),))


def test_a_null_is_nan() -> None:
    assert np.isnan(read(pa.array([1.0, None]), "FP32")).tolist() == [False, True]
    assert np.isnan(read(pa.array([1, None]), "FP32")).tolist() == [False, True]


def test_columns_of_other_names_are_the_values_of_a_single_input() -> None:
    table = pa.table({"length": [1.0, 2.0], "width": [3, 4]})
    found = read_arrow(stream(table), (TensorSpec("X", "FP32", (-1, 2)),))
    assert found["X"].tolist() == [[1.0, 3.0], [2.0, 4.0]]


@pytest.mark.parametrize(
    ("column", "datatype", "message"),
    [
        (pa.array([1, 300]), "INT8", "column 'x': expected INT8 values, got 300 in record 1"),
        (pa.array([1.0]), "INT8", "column 'x': expected INT8 values, got floating point"),
        (pa.array([1.0, 1e39]), "FP32", "column 'x': expected FP32 values, got 1e+39 in record 1"),
        (pa.array([1, 3.4e38]), "BF16", "column 'x': expected BF16 values, got 3.4e+38 in record 1"),
        (pa.array([1, None]), "INT64", "got a missing value: only FP16, BF16, FP32 and FP64 have one in record 1"),
        (pa.array(["1"]), "FP32", "column 'x': expected FP32 values, got text"),
        (pa.array([True]), "FP32", "column 'x': expected FP32 values, got booleans"),
        (pa.array(["a"]).dictionary_encode(), "BYTES", "got a dictionary; send its values, not their numbers"),
        (pa.array([[1], [1, 2]]), "FP32", "expected lists of one length in all rows, got several"),
        (pa.array([{"a": 1}]), "FP32", "expected numbers, booleans, text, or lists of them, got struct"),
        (pa.array([1], pa.timestamp("s")), "FP32", "got timestamp"),
        (pa.array([[]], pa.list_(pa.float32())), "FP32", "expected lists of at least one value, got empty ones"),
        (pa.array([], pa.float32()), "FP32", "expected at least one row and one column of Arrow, got none"),
    ],
)
def test_what_an_input_cannot_hold_is_refused(column: pa.Array, datatype: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(column, datatype)
    assert message in caught.value.message


def test_a_compressed_stream_is_refused_with_the_remedy() -> None:
    body = stream(pa.table({"x": [1.0] * 100}), compression="zstd")
    with pytest.raises(InvalidRequest, match="write it without compression"):
        read_arrow(body, (TensorSpec("x", "FP32", (-1,)),))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ARROW1",
        b"\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\x00\x00\x00\x00",
        struct.pack("<Ii", 0xFFFFFFFF, 0x7FFFFFFF),
        struct.pack("<Ii", 0xFFFFFFFF, -1),
        struct.pack("<IiI", 0xFFFFFFFF, 8, 0xFFFFFFF0) + bytes(4),
        stream(pa.table({"x": [1.0]}))[:-100],
    ],
)
def test_what_is_no_stream_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_arrow(body, (TensorSpec("x", "FP32", (-1,)),))


def test_a_length_that_lies_is_refused() -> None:
    good = stream(pa.table({"x": pa.array([1.0, 2.0, 3.0])}))
    assert good.count(struct.pack("<q", 3)) == 2
    with pytest.raises(InvalidRequest, match="expected an Arrow IPC stream, got"):
        read_arrow(good.replace(struct.pack("<q", 3), struct.pack("<q", 2**62)), (TensorSpec("x", "FP64", (-1,)),))


def test_pyarrow_reads_what_was_computed() -> None:
    outputs = [
        (TensorSpec("label", "INT64", (-1,)), np.array([0, 1])),
        (TensorSpec("scores", "FP32", (-1, 2)), np.array([[0.75, 0.25], [0.5, np.nan]], np.float32)),
        (TensorSpec("grid", "FP64", (-1, 2, 2)), np.arange(8.0).reshape(2, 2, 2)),
        (TensorSpec("ok", "BOOL", (-1, 1)), np.array([[True], [False]])),
        (TensorSpec("words", "BYTES", (-1, 2)), np.array([["a", "é"], ["", "bc"]], object)),
        (TensorSpec("half", "FP16", (-1,)), np.array([0.5, 2], np.float16)),
        (TensorSpec("byte", "UINT8", (-1, 2)), np.array([[0, 1], [254, 255]], np.uint8)),
    ]
    table = pa.ipc.open_stream(write_arrow(outputs, count=2, labels=("no", "yes"))).read_all()
    table.validate(full=True)
    assert table.drop_columns(["scores.yes"]).to_pylist() == [
        {
            "label": "no",
            "scores.no": 0.75,
            "grid": [[0.0, 1.0], [2.0, 3.0]],
            "ok": True,
            "words": ["a", "é"],
            "half": 0.5,
            "byte": [0, 1],
        },
        {
            "label": "yes",
            "scores.no": 0.5,
            "grid": [[4.0, 5.0], [6.0, 7.0]],
            "ok": False,
            "words": ["", "bc"],
            "half": 2.0,
            "byte": [254, 255],
        },
    ]
    assert [str(field.type) for field in table.schema][:3] == ["string", "float", "float"]
    assert np.isnan(table["scores.yes"].to_pylist()).tolist() == [False, True]
