"""Whether a converted model answers as its source does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from model_store.convert.source import Batch, Converted, Origin, Sample
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.onnx_source import read_onnx
from model_store.gate.parity import ROWS_AT_ONCE, Answers, ask, in_parts, parity
from model_store.gate.steps import GateOptions, Outcome, Rejected
from model_store.manifest import RunOptions
from tests.build import models
from warmstart.errors import UnsupportedModel
from warmstart.tensors import TensorSpec

X = {"x": np.array([[1.0, 2.0], [3.0, 4.0]])}
NO_OPTIONS = GateOptions()


def candidate(folder: Path, body: bytes, *, labels: tuple[str | int, ...] = ()) -> Candidate:
    path = folder / "model.onnx"
    path.write_bytes(body)
    source = read_onnx(path)
    return Candidate(signature=source.signature, layout=Layout(source.files, RunOptions()), labels=labels)


def compared(folder: Path, expected: Batch, *, options: GateOptions = NO_OPTIONS, **more: Any) -> Outcome[Answers]:
    """Compare with y = 2x."""
    return parity(expected, candidate(folder, models.scale()), X, options, **more)


def test_equal_answers_pass_and_come_back(tmp_path: Path) -> None:
    outcome = compared(tmp_path, {"y": 2 * X["x"]})

    assert outcome.summary == "2 rows: y equal"
    assert outcome.value.got["y"].tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert outcome.value.got["y"].dtype == np.float32


def test_a_small_difference_passes_and_is_told(tmp_path: Path) -> None:
    outcome = compared(tmp_path, {"y": 2 * X["x"] + 1e-5})

    assert outcome.summary == "2 rows: y within 1e-05 (0.0001 + 0.001·|expected| is tolerated)"


def test_a_large_difference_is_rejected_with_the_worst_row(tmp_path: Path) -> None:
    with pytest.raises(Rejected) as caught:
        compared(tmp_path, {"y": 2 * X["x"] + np.array([[0, 0], [0, 0.5]])})

    assert caught.value.message == (
        "the converted model answers differently: y: 1 of 2 rows differ by more than 0.0001 + 0.001·|expected|; the "
        "worst is row 1, at [1]: expected 8.5, got 8; it would pass with a tolerance of 0.053 (inputs: x=[3, 4]); "
        "convert the model in higher precision, or, if that much may differ, say so: --tolerance"
    )
    outputs: Any = caught.value.figures["outputs"]
    assert outputs["y"]["worst"] == [{"row": 1, "index": [1], "expected": 8.5, "got": 8.0}]


def test_the_tolerance_that_is_named_is_enough(tmp_path: Path) -> None:
    options = GateOptions(tolerance=0.053)

    outcome = compared(tmp_path, {"y": 2 * X["x"] + np.array([[0, 0], [0, 0.5]])}, options=options)

    assert outcome.figures["decided_by"] == "tolerance"


def test_a_tolerance_of_zero_wants_equality(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="differ by more than 0 "):
        compared(tmp_path, {"y": 2 * X["x"] + 1e-9}, options=GateOptions(tolerance=0.0))


def test_of_a_quantized_model_the_drop_decides(tmp_path: Path) -> None:
    outcome = compared(tmp_path, {"y": 2 * X["x"] + 1}, quantized=True)

    assert outcome.figures["decided_by"] == "max_drop"
    assert outcome.summary.endswith("(quantized: --max-drop decides)")


def test_a_quantized_model_may_not_answer_nan(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="expected nan, got 2"):
        compared(tmp_path, {"y": np.array([[np.nan, 4], [6, 8]])}, quantized=True)


def test_another_shape_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"output 'y': the source answers with the shape \[2, 3\], .* with \[2, 2\]"):
        compared(tmp_path, {"y": np.zeros((2, 3))})


def test_one_column_is_the_same_as_none(tmp_path: Path) -> None:
    inputs = {"a": np.array([[1.0], [2.0]]), "b": np.array([[1.0], [1.0]])}

    outcome = parity({"sum": np.array([2.0, 3.0])}, candidate(tmp_path, models.add()), inputs, NO_OPTIONS)

    assert outcome.value.got["sum"].shape == (2, 1)


def test_nothing_in_common_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"nothing could be compared: the source answers with 'z', .* with 'y'"):
        compared(tmp_path, {"z": np.zeros((2, 2))})


def test_outputs_of_one_side_alone_are_listed(tmp_path: Path) -> None:
    outcome = compared(tmp_path, {"y": 2 * X["x"], "z": np.zeros(2)})

    assert (outcome.figures["not_compared"], outcome.figures["only_of_the_source"]) == ([], ["z"])


def test_nan_in_a_sample_agrees_with_itself(tmp_path: Path) -> None:
    inputs = {"x": np.array([[np.nan, 1.0]])}

    assert parity({"y": 2 * inputs["x"]}, candidate(tmp_path, models.scale()), inputs, NO_OPTIONS).summary == (
        "1 row: y equal"
    )


def argmax(folder: Path) -> Candidate:
    """Give label = the number of the highest score, and the scores: INT64 (batch,), FP32 (batch, 3)."""
    nodes = [
        helper.make_node("ArgMax", ["x"], ["label"], axis=1, keepdims=0),
        helper.make_node("Identity", ["x"], ["scores"]),
    ]
    scores, label = (
        models.tensor("scores", TensorProto.FLOAT, ["batch", 3]),
        models.tensor("label", TensorProto.INT64, ["batch"]),
    )
    x = models.tensor("x", TensorProto.FLOAT, ["batch", 3])
    return candidate(folder, models.model(nodes, [x], [label, scores]))


def test_labels_are_compared_by_agreement_but_for_ties(tmp_path: Path) -> None:
    rows = np.array([[0.5, 0.5, 0], [0, 1, 0]])
    expected = {"label": np.array([1, 1]), "scores": rows}

    outcome = parity(expected, argmax(tmp_path), {"x": rows}, NO_OPTIONS)

    assert outcome.summary == "2 rows: label agrees in every row, 1 ties; scores equal"


def test_a_wrong_label_is_rejected_with_its_row(tmp_path: Path) -> None:
    rows = np.array([[0, 1, 0], [1, 0, 0]])
    expected = {"label": np.array([1, 2]), "scores": rows.astype(float)}

    with pytest.raises(
        Rejected, match=r"label: 1 of 2 rows disagree; the first is row 1: expected 2, got 0 \(inputs: x=\[1, 0, 0\]\)"
    ):
        parity(expected, argmax(tmp_path), {"x": rows}, NO_OPTIONS)


def test_a_variant_for_another_processor_is_not_opened(tmp_path: Path) -> None:
    mine = candidate(tmp_path, models.scale())
    other = Candidate(
        signature=mine.signature,
        layout=mine.layout,
        variants={"s390x-z16-ort1.28": Layout((("model.onnx", tmp_path / "missing"),), RunOptions())},
    )

    assert parity({"y": 2 * X["x"]}, other, X, NO_OPTIONS).figures["variants"] == {}


class Picky:
    """A source that refuses zeros."""

    origin = Origin("test", "1", "Picky")
    example: Batch | None = None

    def convert(self, folder: Path, sample: Sample | None) -> Converted:  # noqa: ARG002 - a source's signature
        raise AssertionError

    def predict(self, inputs: Batch) -> Batch:
        if (inputs["x"] == 0).any():
            raise UnsupportedModel("cannot divide by 0")
        return {"y": 1 / inputs["x"]}


SPECS = (TensorSpec("x", "FP32", (-1,)),)


def test_a_source_that_refuses_made_rows_asks_for_real_ones() -> None:
    with pytest.raises(UnsupportedModel) as caught:
        ask(Picky(), {"x": np.array([1.0, 0.0])}, SPECS, generated=True)

    assert caught.value.message == (
        "the model itself fails on rows that were made from its signature (row 1: x=0): cannot divide by 0; "
        "give rows that it was made for: --sample FILE"
    )


def test_a_source_that_refuses_given_rows_says_why() -> None:
    with pytest.raises(
        UnsupportedModel,
        match=r"^the model itself fails on the sample's rows \(row 1: x=0\): cannot divide by 0; take ",
    ):
        ask(Picky(), {"x": np.array([1.0, 0.0])}, SPECS, generated=False)


def test_many_rows_are_asked_in_parts() -> None:
    sizes = list[int]()

    def double(inputs: Batch) -> Batch:
        sizes.append(len(inputs["x"]))
        return {"y": 2 * inputs["x"]}

    answers = in_parts(double, {"x": np.arange(600)}, SPECS)

    assert sizes == [ROWS_AT_ONCE] * 9 + [24]
    assert answers["y"].tolist() == list(range(0, 1200, 2))


def test_answers_that_do_not_count_rows_are_asked_at_once() -> None:
    answers = in_parts(lambda inputs: {"sum": inputs["x"].sum()}, {"x": np.arange(600)}, SPECS)

    assert answers["sum"] == 179700
