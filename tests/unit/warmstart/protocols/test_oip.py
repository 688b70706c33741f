"""The Open Inference Protocol, its examples and its oddities."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.build.calls import model, request
from warmstart.datatypes import from_numpy
from warmstart.errors import InvalidRequest, MalformedBody, UnknownTensor, UnrepresentableOutput, WarmstartError
from warmstart.protocols import oip
from warmstart.tensors import TensorSpec

SPEC_REQUEST = {
    "id": "42",
    "inputs": [
        {"name": "input0", "shape": [2, 2], "datatype": "UINT32", "data": [1, 2, 3, 4]},
        {"name": "input1", "shape": [1], "datatype": "BOOL", "data": [True]},
    ],
    "outputs": [{"name": "output0"}],
}
"""The specification's own example; its `input1` says shape [3] for one value, which contradicts its text."""


def parse(document: object) -> oip.Infer:
    return oip.read_infer(request(document))


def with_input(**changes: object) -> dict[str, Any]:
    return {"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2], **changes}]}


def test_the_specifications_example_is_read() -> None:
    asked = parse(SPEC_REQUEST)
    assert (asked.id, asked.wanted, list(asked.inputs)) == ("42", (oip.Wanted("output0"),), ["input0", "input1"])
    assert asked.inputs["input0"].tolist() == [[1, 2], [3, 4]]
    assert asked.inputs["input0"].dtype == np.uint32
    assert asked.inputs["input1"].tolist() == [True]


def test_the_specifications_example_as_printed_contradicts_its_own_shape() -> None:
    printed = json.loads(json.dumps(SPEC_REQUEST))
    printed["inputs"][1]["shape"] = [3]
    with pytest.raises(WarmstartError, match=r"input 'input1': shape \[3\] holds 3 values, its data has 1"):
        parse(printed)


def test_what_is_optional_may_be_absent_null_or_empty() -> None:
    bare = parse(with_input())
    assert (bare.id, bare.wanted) == (None, ())
    nulls = parse({**with_input(parameters=None), "id": None, "parameters": None, "outputs": None})
    assert (nulls.id, nulls.wanted) == (None, ())
    assert parse({**with_input(), "outputs": []}).wanted == ()


def test_parameters_are_read_and_unknown_ones_ignored() -> None:
    parameters = {"priority": 1, "binary_data": False, "note": "a", "ratio": 0.5}
    assert list(parse({**with_input(parameters=parameters), "parameters": parameters}).inputs) == ["x"]


def test_shared_memory_is_refused_and_not_passed_over() -> None:
    with pytest.raises(InvalidRequest, match="'shared_memory_region': shared memory is not served"):
        parse(with_input(parameters={"shared_memory_region": "a"}))


@pytest.mark.parametrize(
    "document",
    [
        [],
        None,
        "inputs",
        {"inputs": {}},
        {"inputs": [1]},
        {"inputs": [{}]},
        with_input(name=None),
        with_input(name=1),
        with_input(name=""),
        with_input(name="n" * 257),
        with_input(shape=None),
        with_input(shape=2),
        with_input(datatype=None),
        with_input(datatype=1),
        with_input(data=None),
        with_input(data=1),
        with_input(data="ab"),
        with_input(parameters=[]),
        with_input(parameters={"a": None}),
        {**with_input(), "id": 1},
        {**with_input(), "outputs": {}},
        {**with_input(), "outputs": ["y"]},
        {**with_input(), "outputs": [{}]},
        {**with_input(), "parameters": 1},
    ],
)
def test_json_of_another_shape_is_refused(document: object) -> None:
    with pytest.raises(MalformedBody, match="expected"):
        parse(document)


@pytest.mark.parametrize("size", [-1, 1.5, True, "2", None, [2], 2**64])
def test_a_dimension_is_a_whole_number_of_64_bits(size: object) -> None:
    with pytest.raises(WarmstartError, match="input 'x': shape: expected whole numbers, 0 or more"):
        parse(with_input(shape=[size]))


def test_a_shape_has_no_more_dimensions_than_an_array_can() -> None:
    assert parse(with_input(shape=[1] * 63 + [2])).inputs["x"].ndim == 64
    with pytest.raises(WarmstartError, match="expected at most 64 dimensions, got 100000"):
        parse(with_input(shape=[1] * 100_000))


def test_an_output_asked_for_twice_is_refused() -> None:
    with pytest.raises(UnknownTensor, match=r"output 'y': expected once, got again as outputs\[1\]"):
        parse({**with_input(), "outputs": [{"name": "y"}, {"name": "y"}]})


MODEL = model((TensorSpec("x", "FP32", (-1, 4)),), (TensorSpec("label", "INT64", (-1,)),))


def asked(request_id: str | None = None) -> oip.Infer:
    return oip.Infer(request_id, {}, (), False, "")


def render(array: Any, *, datatype: str = "FP32", request_id: str | None = None) -> Any:
    spec = TensorSpec("y", datatype, (-1,))
    return json.loads(asked(request_id).render(MODEL, [(spec, array)]).body)


def test_an_answer_has_all_that_the_schema_requires_and_the_id_that_came() -> None:
    assert render(np.array([[1.5, 2.5]], np.float32), request_id="42") == {
        "model_name": "iris",
        "model_version": "3",
        "id": "42",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [1.5, 2.5]}],
    }
    assert "id" not in render(np.zeros(1, np.float32))


def test_fp32_is_written_with_its_own_digits() -> None:
    spec = TensorSpec("y", "FP32", (-1,))
    assert b'"data":[0.1,16777216.0]' in asked().render(MODEL, [(spec, np.array([0.1, 2**24], np.float32))]).body


@pytest.mark.parametrize(
    ("array", "data"),
    [
        (np.array([True, False]), [True, False]),
        (np.array([2**64 - 1], np.uint64), [2**64 - 1]),
        (np.array([-(2**63)], np.int64), [-(2**63)]),
        (np.array(["a", "ü", '"'], object), ["a", "ü", '"']),
        (np.array([0.5, 65504], np.float16), [0.5, 65504.0]),
        (np.array(7, np.int8), [7]),
        (np.zeros((0, 3), np.float32), []),
        (np.arange(6, dtype=np.int16).reshape(2, 3), [0, 1, 2, 3, 4, 5]),
        (np.arange(6, dtype=np.int16).reshape(2, 3).T, [0, 3, 1, 4, 2, 5]),
    ],
)
def test_every_kind_of_array_is_written_flat_and_row_major(array: Any, data: list[object]) -> None:
    found = from_numpy(array.dtype.name)
    assert found is not None
    output = render(array, datatype=found.name)["outputs"][0]
    assert (output["data"], output["shape"]) == (data, list(array.shape))


@pytest.mark.parametrize(("value", "text"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_nan_and_infinity_are_never_written_as_null(value: float, text: str) -> None:
    with pytest.raises(UnrepresentableOutput, match=f"output 'y': expected finite FP32 values, got {text} at index 3"):
        render(np.array([[0, 0], [0, value]], np.float32))


@pytest.mark.parametrize(
    "member", ['"id": "1"', '"data": [1]', '"of input": 1', '"name": "y"', '"of output": 1', '"a": 1']
)
def test_a_name_that_comes_again_is_refused_wherever_it_stands(member: str) -> None:
    given = {"name": "x", "shape": [1], "datatype": "FP32", "data": [1], "parameters": {"of input": 1, "text": "a: b"}}
    wanted = {"name": "y", "parameters": {"of output": 1}}
    document = json.dumps({"id": "1", "inputs": [given], "outputs": [wanted], "unknown": {"a": 1}})
    assert oip.read_infer(request(document.encode())).id == "1"
    twice = document.replace(member, f"{member}, {member}")
    with pytest.raises(MalformedBody, match=r"expected each name once in an object, got '.*' again"):
        oip.read_infer(request(twice.encode()))


@pytest.mark.parametrize("binary", [False, True])
def test_text_may_say_null_and_numbers_beside_it_are_checked_all_the_same(binary: bool) -> None:
    texts = (TensorSpec("t", "BYTES", (-1,)), np.array(["null"], object))
    for value in (1.0, np.nan):
        outputs = [texts, (TensorSpec("y", "FP32", (-1,)), np.array([value], np.float32))]
        wanted = [{"name": "t"}, {"name": "y", "parameters": {"binary_data": binary}}]
        asking = parse({**with_input(), "outputs": wanted})
        if np.isnan(value) and not binary:
            with pytest.raises(UnrepresentableOutput, match="output 'y'"):
                asking.render(MODEL, outputs)
            with pytest.raises(UnrepresentableOutput, match="output 'y'"):
                parse(with_input()).render(MODEL, outputs)
        else:
            assert b'"data":["null"]' in asking.render(MODEL, outputs).body


def test_nan_is_found_among_many_numbers() -> None:
    many = np.zeros(5000, np.float32)
    assert render(many)["outputs"][0]["data"] == [0.0] * 5000
    many[4321] = np.nan
    with pytest.raises(UnrepresentableOutput, match="got nan at index 4321"):
        render(many)


def test_text_that_is_not_unicode_is_never_written() -> None:
    with pytest.raises(UnrepresentableOutput):
        render(np.array(["\ud800"], object), datatype="BYTES")


def test_an_error_has_the_protocols_shape() -> None:
    assert json.loads(oip.render_error(400, "invalid_request", 'no "x"').body) == {"error": 'no "x"'}
