"""Answers with tensors as bytes, and with the best classes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.build.calls import model, request
from warmstart.errors import InvalidRequest, NotAcceptable, UnrepresentableOutput
from warmstart.protocols import oip
from warmstart.protocols.wire import Rendered
from warmstart.tensors import TensorSpec

SCORES = (TensorSpec("scores", "FP32", (-1, 3)), np.array([[0.25, 0.5, 0.25], [1, 0, 0]], np.float32))
LABEL = (TensorSpec("label", "INT64", (-1,)), np.array([1, 0]))
IRIS = model((TensorSpec("x", "FP32", (-1, 2)),), (SCORES[0], LABEL[0]), labels=("a", "b", "c"))
X = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}


def answer(*outputs: Any, accept: str = "", **fields: object) -> Rendered:
    """What is answered to a request with these fields, of these outputs."""
    return oip.read_infer(request({**X, **fields}, accept=accept)).render(IRIS, outputs or [SCORES, LABEL])


def parts(rendered: Rendered) -> tuple[dict[str, Any], bytes]:
    """An answer's JSON, and the bytes behind it."""
    length = int(dict(rendered.headers)["inference-header-content-length"])
    return json.loads(rendered.body[:length]), rendered.body[length:]


def test_all_outputs_as_bytes() -> None:
    rendered = answer(id="7", parameters={"binary_data_output": True})
    document, tail = parts(rendered)
    assert rendered.content_type == "application/octet-stream"
    assert document == {
        "model_name": "iris",
        "model_version": "3",
        "id": "7",
        "outputs": [
            {"name": "scores", "datatype": "FP32", "shape": [2, 3], "parameters": {"binary_data_size": 24}},
            {"name": "label", "datatype": "INT64", "shape": [2], "parameters": {"binary_data_size": 16}},
        ],
    }
    assert tail == SCORES[1].tobytes() + LABEL[1].tobytes()


def test_one_output_as_bytes_and_another_as_json() -> None:
    asked = [{"name": "scores", "parameters": {"binary_data": True}}, {"name": "label"}]
    document, tail = parts(answer(outputs=asked))
    assert [set(output) - {"name", "datatype", "shape"} for output in document["outputs"]] == [{"parameters"}, {"data"}]
    assert (document["outputs"][1]["data"], tail) == ([1, 0], SCORES[1].tobytes())


def test_an_output_says_otherwise_than_the_request() -> None:
    asked = [{"name": "scores", "parameters": {"binary_data": False}}, {"name": "label"}]
    document, tail = parts(answer(outputs=asked, parameters={"binary_data_output": True}))
    assert ["data" in output for output in document["outputs"]] == [True, False]
    assert tail == LABEL[1].tobytes()


def test_what_json_cannot_hold_goes_as_bytes() -> None:
    array = np.array([np.nan, np.inf], np.float32)
    _, tail = parts(answer((LABEL[0]._replace(datatype="FP32"), array), parameters={"binary_data_output": True}))
    assert tail == array.tobytes()
    with pytest.raises(UnrepresentableOutput):
        answer((LABEL[0]._replace(datatype="FP32"), array))


def test_bytes_are_no_answer_for_who_reads_json_alone() -> None:
    rendered = answer(accept="application/json", parameters={"binary_data_output": True})
    assert (rendered.content_type, rendered.headers) == ("application/json", ())
    assert json.loads(rendered.body)["outputs"][1]["data"] == [1, 0]
    with pytest.raises(NotAcceptable, match="accept: expected application/octet-stream or application/json"):
        answer(accept="text/html", parameters={"binary_data_output": True})


def classified(count: int, *output: Any, labels: tuple[str | int, ...] = ()) -> Any:
    spec, array = output or SCORES
    asked = {**X, "outputs": [{"name": spec.name, "parameters": {"classification": count}}]}
    found = oip.read_infer(request(asked)).render(IRIS._replace(labels=labels), [(spec, array)])
    return json.loads(found.body)["outputs"][0]


def test_the_best_classes_have_score_index_and_label() -> None:
    assert classified(2, labels=("a", "b", "c")) == {
        "name": "scores",
        "datatype": "BYTES",
        "shape": [2, 2],
        "data": ["0.500000:1:b", "0.250000:0:a", "1.000000:0:a", "0.000000:1:b"],
    }


def test_without_labels_they_have_score_and_index() -> None:
    assert classified(1)["data"] == ["0.500000:1", "1.000000:0"]


def test_more_classes_than_there_are_are_all_of_them() -> None:
    assert classified(9)["shape"] == [2, 3]


def test_bf16_scores_are_numbers_too() -> None:
    bits = np.array([[0x3F80, 0x4000]], np.uint16)  # 1.0 and 2.0
    assert classified(1, TensorSpec("scores", "BF16", (-1, 2)), bits)["data"] == ["2.000000:1"]


NAN, INF = float("nan"), float("inf")


def scores(*values: float, dtype: str = "float32", datatype: str = "FP32", count: int = 9) -> list[str]:
    """The classes of one row."""
    array = np.array([values], dtype)
    data: list[str] = classified(count, TensorSpec("scores", datatype, (-1, len(values))), array)["data"]
    return data


def test_nan_comes_after_every_number_in_the_order_of_its_indices() -> None:
    assert scores(NAN, -INF, 0.5, NAN, INF) == ["inf:4", "0.500000:2", "-inf:1", "nan:0", "nan:3"]
    assert scores(NAN, 0.25, 0.5, count=1) == ["0.500000:2"]


def test_equal_scores_are_in_the_order_of_their_indices() -> None:
    assert scores(0.5, 1.0, 0.5, 1.0) == ["1.000000:1", "1.000000:3", "0.500000:0", "0.500000:2"]


@pytest.mark.parametrize("fields", [{}, {"parameters": {"binary_data_output": True}}], ids=["as JSON", "as bytes"])
def test_a_row_of_nan_alone_has_no_best_class(fields: dict[str, Any]) -> None:
    spec, array = SCORES[0], np.array([[0, NAN, 1], [NAN, NAN, NAN]], np.float32)
    asked = [{"name": "scores", "parameters": {"classification": 1}}]
    with pytest.raises(UnrepresentableOutput, match=r"'scores': classification: expected .*, got nan alone in row 1"):
        answer((spec, array), outputs=asked, **fields)


def test_no_rows_have_no_classes() -> None:
    assert classified(2, SCORES[0], np.empty((0, 3), np.float32))["shape"] == [0, 2]
    assert classified(2, TensorSpec("scores", "FP32", (-1, 0)), np.empty((2, 0), np.float32))["shape"] == [2, 0]


def test_whole_numbers_are_compared_and_written_in_full() -> None:
    assert scores(0, 255, 7, dtype="uint8", datatype="UINT8") == ["255:1", "7:2", "0:0"]
    large = (2**63 - 2, 2**63 - 1, -(2**63))
    assert scores(*large, dtype="int64", datatype="INT64") == [
        "9223372036854775807:1",
        "9223372036854775806:0",
        "-9223372036854775808:2",
    ]


def test_text_has_no_best_classes() -> None:
    with pytest.raises(InvalidRequest, match=r"output 'label': classification: expected scores in a last dimension"):
        classified(1, TensorSpec("label", "BYTES", (-1,)), np.array(["a"], object))
