"""Tensors on the wire, against a server that answers them: as JSON, and as bytes by the binary extension."""

from __future__ import annotations

import json
import struct
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from tests.build.http_answers import Endpoint, Given, answering
from tests.build.oip_echo import echoing, split, written
from warmstart.client import Answer, Client
from warmstart.errors import InvalidValue, Unreachable

NAN, INFINITY = float("nan"), float("inf")
MANY = 5_000
"""Elements enough that those of one byte, too, are sent as bytes."""
EXAMPLES: dict[str, Any] = {
    "BOOL": np.arange(MANY) % 3 == 0,
    "UINT8": np.arange(MANY).astype(np.uint8),
    "UINT16": np.arange(MANY).astype(np.uint16) * 13,
    "UINT32": np.arange(MANY).astype(np.uint32) * 800_000,
    "UINT64": np.arange(MANY).astype(np.uint64) * 3_000_000_000_000_000,
    "INT8": np.arange(MANY).astype(np.int8),
    "INT16": np.arange(MANY).astype(np.int16) * -6,
    "INT32": np.arange(MANY).astype(np.int32) * -400_000,
    "INT64": np.arange(MANY).astype(np.int64) * -1_800_000_000_000_000,
    "FP16": (np.arange(MANY) / 7).astype(np.float16),
    "FP32": (np.arange(MANY) / 7).astype(np.float32),
    "FP64": np.arange(MANY) / 7,
    "BF16": (np.arange(MANY) / 7).astype(ml_dtypes.bfloat16).astype(np.float32),
    "BYTES": np.array([f"größe {number}" for number in range(MANY)], object),
}


def predicted(endpoint: Endpoint, values: Any) -> Answer:
    with Client(endpoint.url) as client:
        return client.predict("echo", values)


def sent_headers(endpoint: Endpoint) -> tuple[str | None, ...]:
    names = ("content-type", "inference-header-content-length", "accept")
    return tuple(endpoint.sent[-1].headers.get(name) for name in names)


@pytest.mark.parametrize("datatype", EXAMPLES)
@pytest.mark.parametrize("count", [3, MANY], ids=["as JSON", "as bytes"])
def test_each_datatype_comes_back_as_it_went(datatype: str, count: int) -> None:
    array = EXAMPLES[datatype][:count]
    with echoing({"x": (datatype, [-1])}) as endpoint:
        answer = predicted(endpoint, array)

    found = answer.outputs["x"]
    assert ("inference-header-content-length" in endpoint.sent[-1].headers) == (count == MANY)
    assert (found.dtype, found.shape) == (array.dtype, (count,))
    assert found.tolist() == array.tolist()
    assert (answer.model_version, answer.request_id) == (7, "r-7")


def test_a_small_request_is_json_and_asks_for_no_extensions() -> None:
    with echoing({"x": ("FP32", [-1, 2])}) as endpoint:
        predicted(endpoint, np.array([[1, 0.5]]))

    assert [sent.path for sent in endpoint.sent] == ["/prod/v2/models/echo", "/prod/v2/models/echo/infer"]
    assert sent_headers(endpoint) == ("application/json", None, "application/octet-stream, application/json")
    assert json.loads(endpoint.sent[-1].body) == {
        "inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1.0, 0.5]}],
        "parameters": {"binary_data_output": True},
    }


def test_a_large_request_is_a_json_header_with_the_bytes_behind_it() -> None:
    with echoing({"x": ("INT16", [-1, 3]), "text": ("BYTES", [-1])}) as endpoint:
        predicted(endpoint, {"x": np.full((1000, 3), -2), "text": np.array(["ab", "ü"] * 500)})

    [server, _, sent] = sorted(endpoint.sent, key=lambda sent: sent.path)
    document, tail = split(sent.body, sent.headers)
    assert server.path == "/prod/v2"
    assert sent_headers(endpoint)[::2] == ("application/octet-stream", "application/octet-stream, application/json")
    assert document == {
        "inputs": [
            {"name": "x", "shape": [1000, 3], "datatype": "INT16", "parameters": {"binary_data_size": 6000}},
            {"name": "text", "shape": [1000], "datatype": "BYTES", "parameters": {"binary_data_size": 6000}},
        ],
        "parameters": {"binary_data_output": True},
    }
    assert tail == b"\xfe\xff" * 3000 + b"\x02\x00\x00\x00ab\x02\x00\x00\x00\xc3\xbc" * 500


@pytest.mark.parametrize(
    ("datatype", "expected"),
    [
        ("FP16", struct.pack("<e", 1.5)),
        ("BF16", b"\xc0\x3f"),
        ("FP32", struct.pack("<f", 1.5)),
        ("FP64", struct.pack("<d", 1.5)),
    ],
)
def test_bytes_are_little_endian(datatype: str, expected: bytes) -> None:
    with echoing({"x": (datatype, [-1])}) as endpoint:
        predicted(endpoint, np.full(4000, 1.5, ">f8"))

    assert split(endpoint.sent[-1].body, endpoint.sent[-1].headers)[1] == expected * 4000


def test_rows_follow_one_another_whatever_the_arrays_order() -> None:
    with echoing({"x": ("UINT8", [-1, 2])}) as endpoint:
        predicted(endpoint, np.asfortranarray(np.array([[1, 2], [3, 4]] * 3000, np.uint8)))

    assert split(endpoint.sent[-1].body, endpoint.sent[-1].headers)[1] == b"\x01\x02\x03\x04" * 3000


def test_text_that_is_half_a_character_is_refused() -> None:
    with (
        echoing({"x": ("BYTES", [-1])}) as endpoint,
        pytest.raises(InvalidValue, match="input 'x': expected text of Unicode, got half a character"),
    ):
        predicted(endpoint, np.array(["\ud800"] * MANY))


def test_the_server_is_asked_for_its_extensions_once() -> None:
    with echoing({"x": ("FP32", [-1])}) as endpoint, Client(endpoint.url) as client:
        for _ in range(3):
            client.predict("echo", np.zeros(MANY))

    assert [sent.path for sent in endpoint.sent].count("/prod/v2") == 1
    assert [sent.path for sent in endpoint.sent].count("/prod/v2/models/echo") == 1


def test_a_server_without_the_extension_gets_json() -> None:
    with echoing({"x": ("FP32", [-1])}, extensions=["statistics"]) as endpoint:
        answer = predicted(endpoint, np.ones(MANY))

    assert sent_headers(endpoint)[:2] == ("application/json", None)
    assert answer.outputs["x"].tolist() == [1.0] * MANY


def test_nan_is_null_in_json_and_itself_in_bytes() -> None:
    for count in (2, MANY):
        with echoing({"x": ("FP32", [-1])}) as endpoint:
            found = predicted(endpoint, np.array([1.0, NAN] * (count // 2))).outputs["x"]
        assert [value for value in found.tolist() if value == value] == [1.0] * (count // 2)
        assert len(found) == count


def test_infinity_is_sent_as_bytes_however_small() -> None:
    with echoing({"x": ("FP32", [-1])}) as endpoint:
        assert predicted(endpoint, np.array([INFINITY])).outputs["x"].tolist() == [INFINITY]


def test_bytes_that_are_no_text_are_sent_as_bytes_however_few() -> None:
    with echoing({"x": ("BYTES", [-1])}) as endpoint:
        assert predicted(endpoint, np.array([b"\xff\xd8", b"a"])).outputs["x"].tolist() == [b"\xff\xd8", "a"]


@pytest.mark.parametrize(
    ("datatype", "value", "message"),
    [
        ("FP32", INFINITY, "got infinity at index 1; this endpoint reads no binary tensors, so send a finite number"),
        ("BYTES", b"\xff", "got bytes that are not UTF-8; this endpoint reads no binary tensors, so send what"),
    ],
)
def test_what_json_cannot_hold_is_refused_where_the_server_reads_no_bytes(
    datatype: str, value: Any, message: str
) -> None:
    first = 1.0 if datatype == "FP32" else b"a"
    with (
        echoing({"x": (datatype, [-1])}, extensions=[]) as endpoint,
        pytest.raises(InvalidValue, match=f"input 'x': expected .*{message}"),
    ):
        predicted(endpoint, np.array([first, value]))

    assert "/prod/v2/models/echo/infer" not in [sent.path for sent in endpoint.sent]


def test_an_answer_may_hold_json_and_bytes_side_by_side() -> None:
    outputs = [
        {"name": "a", "datatype": "INT32", "shape": [2, 1], "parameters": {"binary_data_size": 8}},
        {"name": "b", "datatype": "FP64", "shape": [2], "data": [0.5, None]},
        {"name": "c", "datatype": "BYTES", "shape": [1, 2], "parameters": {"binary_data_size": 10}},
        {"name": "d", "datatype": "FP32", "shape": [0, 3], "parameters": {"binary_data_size": 0}},
        {"name": "e", "datatype": "BYTES", "shape": [1], "data": ["x"]},
    ]
    tail = struct.pack("<ii", 1, -1) + b"\x02\x00\x00\x00hi\x00\x00\x00\x00"
    metadata = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1]}]}
    with answering(written(metadata), written({"outputs": outputs}, tail)) as endpoint:
        found = predicted(endpoint, np.array([1.0])).outputs

    assert (found["a"].dtype, found["a"].tolist()) == ("int32", [[1], [-1]])
    assert str(found["b"].tolist()) == "[0.5, nan]"
    assert found["c"].tolist() == [["hi", ""]]
    assert found["d"].shape == (0, 3)
    assert found["e"].tolist() == ["x"]


def test_the_answers_arrays_are_the_callers_own() -> None:
    with echoing({"x": ("FP32", [-1])}) as endpoint:
        found = predicted(endpoint, np.zeros(MANY)).outputs["x"]

    found += 1
    assert found.tolist() == [1.0] * MANY


@pytest.mark.parametrize(
    "answer",
    [
        Given(body=b"[1]"),
        Given(body=b'{"outputs": [{"name": "y", "datatype": "FP32", "shape": [2], "data": [1]}]}'),
        Given(body=b'{"outputs": [{"name": "y", "datatype": "FP128", "shape": [1], "data": [1]}]}'),
        Given(body=b'{"outputs": [{"name": "y", "datatype": "INT8", "shape": [1], "data": [300]}]}'),
        written(
            {"outputs": [{"name": "y", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 8}}]},
            b"1234",
        ),
        written(
            {"outputs": [{"name": "y", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 2}}]},
            b"12",
        ),
        written(
            {"outputs": [{"name": "y", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 6}}]},
            b"\x03\x00\x00\x00ab",
        ),
        written(
            {"outputs": [{"name": "y", "datatype": "UINT8", "shape": [3], "parameters": {"binary_data_size": -1}}]},
            b"1234",
        ),
        written(
            {"outputs": [{"name": "y", "datatype": "UINT8", "shape": [3], "parameters": {"binary_data_size": 3}}]},
            b"1234",
        ),
        Given(body=b'{"outputs": [{"name": "y", "datatype": "INT8", "shape": [1], "parameters": null}]}'),
        Given(body=b'{"outputs": []}', headers={"Inference-Header-Content-Length": "3"}),
    ],
)
def test_an_answer_that_is_not_the_protocols_is_from_no_endpoint_of_ours(answer: Given) -> None:
    metadata = written({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1]}]})
    with answering(metadata, answer) as endpoint, pytest.raises(Unreachable, match="is it a Warmstart endpoint"):
        predicted(endpoint, np.array([1.0]))
