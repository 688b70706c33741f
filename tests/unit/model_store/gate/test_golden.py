"""Golden examples: kept small, read back, and compared with what a deploy answers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from model_store.gate.golden import (
    GoldenExample,
    GoldenTensor,
    example,
    is_representable,
    is_tied,
    parse_golden,
    reduced,
    render_golden,
)
from tests.build.inference import signature
from warmstart.errors import IntegrityError

SIGNATURE = signature(
    {"x": ("FP32", (-1, 2)), "city": ("BYTES", (-1, 1))}, {"label": ("BYTES", (-1,)), "score": ("FP32", (-1, 2))}
)
INPUTS = {"x": np.array([[0.5, 2.0]], np.float32), "city": np.array([["Zürich"]], dtype=object)}
OUTPUTS = {"label": np.array(["stays"], dtype=object), "score": np.array([[0.25, 0.75]], np.float32)}
GOLDEN = example(SIGNATURE, INPUTS, OUTPUTS)


def answer(label: Any = "stays", score: Any = (0.25, 0.75), **changes: Any) -> bytes:
    outputs = [
        {"name": "label", "datatype": "BYTES", "shape": [1], "data": [label]},
        {"name": "score", "datatype": "FP32", "shape": [1, 2], "data": list(score), **changes},
    ]
    return json.dumps({"model_name": "m", "outputs": outputs}).encode()


def test_a_request_is_one_of_the_protocol() -> None:
    assert json.loads(GOLDEN.request()) == {
        "inputs": [
            {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [0.5, 2.0]},
            {"name": "city", "datatype": "BYTES", "shape": [1, 1], "data": ["Zürich"]},
        ]
    }


def test_what_is_written_is_read_again() -> None:
    assert parse_golden(render_golden([GOLDEN, GOLDEN]), where="golden.json") == (GOLDEN, GOLDEN)


def test_small_inputs_are_written_as_a_request_has_them() -> None:
    [document] = json.loads(render_golden([GOLDEN]))["examples"]

    assert document["inputs"] == json.loads(GOLDEN.request())["inputs"]
    assert document["outputs"][1] == {
        "name": "score",
        "datatype": "FP32",
        "shape": [1, 2],
        "data": [0.25, 0.75],
        "tolerance": 0.001,
    }


@pytest.mark.parametrize("score", [(0.25, 0.75), (0.2509, 0.7491)])
def test_an_answer_within_the_tolerance_is_as_it_was(score: tuple[float, float]) -> None:
    assert GOLDEN.check(answer(score=score)) == ()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (answer(score=(0.252, 0.748)), "output 'score': expected 0.25 ± 0.001 at index 0, got 0.252"),
        (answer(score=(None, 0.75)), "output 'score': expected 0.25 ± 0.001 at index 0, got None"),
        (answer(score=(0.25,)), "output 'score': expected 2 values, got 1"),
        (answer(label="moves"), "output 'label': expected 'stays' at index 0, got 'moves'"),
        (answer(shape=[2]), "output 'score': expected FP32 [1, 2], got FP32 [2]"),
        (answer(datatype="FP64"), "output 'score': expected FP32 [1, 2], got FP64 [1, 2]"),
        (answer(name="scores"), "output 'score': expected it, got none of this name"),
        (b'{"error": "no"}', 'expected an infer response, got b\'{"error": "no"}\''),
        (b"<html>", "expected an infer response, got b'<html>'"),
    ],
)
def test_a_difference_is_said_in_words(body: bytes, said: str) -> None:
    assert GOLDEN.check(body) == (said,)


def test_every_difference_is_said() -> None:
    assert len(GOLDEN.check(answer("moves", (1, 0)))) == 2


def test_above_one_the_tolerance_is_relative() -> None:
    large = GoldenExample((), (GoldenTensor("y", "FP64", (1,), (10_000.0,), 0.001),))

    def said(value: float) -> tuple[str, ...]:
        outputs = [{"name": "y", "datatype": "FP64", "shape": [1], "data": [value]}]
        return large.check(json.dumps({"outputs": outputs}).encode())

    assert said(10_009.0) == ()
    assert said(10_011.0) == ("output 'y': expected 10000.0 ± 0.001 at index 0, got 10011.0",)


def test_a_large_input_repeats_its_first_values_and_is_kept_short() -> None:
    image = {"x": np.arange(3 * 32 * 32, dtype=np.float32).reshape(1, 3, 32, 32)}
    small = reduced(image)["x"]
    kept = example(signature({"x": ("FP32", (-1, 3, 32, 32))}, {}), {"x": small}, {})
    [read] = parse_golden(render_golden([kept]), where="golden.json")

    assert small.shape == (1, 3, 32, 32)
    assert small.reshape(-1)[[0, 511, 512, 1024]].tolist() == [0, 511, 0, 0]
    assert len(read.inputs[0].values) == 512
    assert read.inputs[0].array().tolist() == small.tolist()
    assert json.loads(read.request())["inputs"][0]["data"] == small.reshape(-1).tolist()


def test_of_a_large_output_the_first_values_are_compared() -> None:
    kept = example(signature({}, {"y": ("INT64", (-1,))}), {}, {"y": np.arange(1000)})
    outputs = {"name": "y", "datatype": "INT64", "shape": [1000]}

    def said(data: list[int]) -> tuple[str, ...]:
        return kept.check(json.dumps({"outputs": [{**outputs, "data": data}]}).encode())

    assert said([*range(512), *[0] * 488]) == ()
    assert said([*range(511), *[0] * 489]) == ("output 'y': expected 511 at index 511, got 0",)


def test_a_quantized_models_answer_may_differ_by_more() -> None:
    quantized = example(SIGNATURE, INPUTS, OUTPUTS, quantized=True)

    assert [known.tolerance for known in quantized.outputs] == [0.0, 0.05]
    assert quantized.check(answer(score=(0.29, 0.71))) == ()
    assert quantized.check(answer(score=(0.31, 0.69))) == ("output 'score': expected 0.25 ± 0.05 at index 0, got 0.31",)


@pytest.mark.parametrize(
    ("scores", "tied", "tied_quantized"),
    [([0.4995, 0.5005], True, True), ([0.47, 0.53], False, True), ([0.1, 0.9], False, False), ([1.0], False, False)],
)
def test_a_label_that_hangs_on_a_rounding_is_a_tie(scores: list[float], tied: bool, tied_quantized: bool) -> None:
    outputs = {"label": np.array(["stays"], dtype=object), "score": np.array([scores])}

    assert is_tied(SIGNATURE, outputs, quantized=False) is tied
    assert is_tied(SIGNATURE, outputs, quantized=True) is tied_quantized


def test_scores_without_a_label_are_no_tie() -> None:
    alone = signature({}, {"score": ("FP32", (-1, 2))})

    assert not is_tied(alone, {"score": np.array([[0.5, 0.5]])}, quantized=True)


@pytest.mark.parametrize(
    ("value", "can"),
    [
        (np.array([1.0, 2.0]), True),
        (np.array([1.0, np.nan]), False),
        (np.array([np.inf], np.float16), False),
        (np.array(["Zürich"], dtype=object), True),
        (np.array(["\ud800"], dtype=object), False),
        (np.array([None], dtype=object), False),
        (np.array([2**63], np.uint64), True),
    ],
)
def test_json_holds_no_nan_and_no_half_characters(value: Any, can: bool) -> None:
    assert is_representable({"x": value}) is can


def test_a_missing_value_of_a_request_is_null() -> None:
    given = {**INPUTS, "x": np.array([[np.nan, 2.0]], np.float32)}
    made = example(SIGNATURE, given, OUTPUTS)

    assert is_representable(given, missing=True)
    assert json.loads(made.request())["inputs"][0]["data"] == [None, 2.0]
    assert parse_golden(render_golden([made]), where="golden.json") == (made,)
    assert np.array_equal(made.inputs[0].array(), given["x"], equal_nan=True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"version": "2.0", "examples": []}',
        b'{"version": "1.0", "examples": [{"inputs": []}]}',
        b'{"version": "1.0", "examples": [{"inputs": [{"name": "x", "datatype": "FP31", "shape": [0], "data": []}]}]}',
        b'{"version": "1.0", "examples": [{"inputs": [{"name": "x", "datatype": "FP32", "shape": [2], "data": [1]}]}]}',
    ],
)
def test_what_is_no_golden_examples_is_refused_by_its_key(body: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"^models/iris/golden\.json: no golden examples: .*publish it again$"):
        parse_golden(body, where="models/iris/golden.json")
