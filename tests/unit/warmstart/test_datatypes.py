"""The one table of datatypes, against numpy and ONNX themselves."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto

from warmstart.datatypes import DATATYPES, datatype, from_numpy, from_onnx, from_onnx_code
from warmstart.errors import InvalidRequest


def test_the_table_has_all_datatypes_of_the_protocol_and_bf16() -> None:
    assert set(DATATYPES) == {
        "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64",
        "BF16", "BYTES",
    }  # fmt: skip


@pytest.mark.parametrize("row", DATATYPES.values(), ids=list(DATATYPES))
def test_numpy_has_elements_of_the_size_that_the_table_says(row: object) -> None:
    found = DATATYPES[str(getattr(row, "name", ""))]
    if found.name != "BYTES":
        assert np.dtype(found.numpy).itemsize == found.item_bytes
    assert np.dtype(found.numpy).name == found.numpy


@pytest.mark.parametrize(
    ("name", "code"),
    [("BOOL", TensorProto.BOOL), ("FP32", TensorProto.FLOAT), ("FP64", TensorProto.DOUBLE),
     ("FP16", TensorProto.FLOAT16), ("BF16", TensorProto.BFLOAT16), ("INT64", TensorProto.INT64),
     ("INT32", TensorProto.INT32),
     ("INT16", TensorProto.INT16), ("INT8", TensorProto.INT8), ("UINT64", TensorProto.UINT64),
     ("UINT32", TensorProto.UINT32), ("UINT16", TensorProto.UINT16), ("UINT8", TensorProto.UINT8),
     ("BYTES", TensorProto.STRING)],
)  # fmt: skip
def test_onnx_numbers_its_element_types_so(name: str, code: int) -> None:
    assert DATATYPES[name].onnx_code == code
    assert from_onnx_code(code) == DATATYPES[name]


def test_a_datatype_is_found_by_each_vocabulary() -> None:
    assert datatype("FP32") == from_onnx("tensor(float)") == from_numpy("float32") == DATATYPES["FP32"]
    assert from_numpy("uint16") == DATATYPES["UINT16"]
    assert (from_onnx("seq(map(int64,tensor(float)))"), from_numpy("complex64"), from_onnx_code(14)) == (
        None,
        None,
        None,
    )


def test_an_unknown_datatype_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidRequest, match=r"expected one of BOOL, .*BYTES; got 'FLOAT'"):
        datatype("FLOAT")
