"""Smaller numbers, kept only where labelled rows say that little is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from model_store.gate.candidate import open_session, run
from model_store.gate.optimise import optimise
from model_store.gate.quantize import expect_truth
from model_store.gate.quantized_graph import dynamic_int8, static_int8
from model_store.gate.side_by_side import Patience
from model_store.gate.steps import GateOptions, Outcome, Rejected
from tests.build import layered, models
from warmstart.errors import InvalidSample, UnsupportedModel

QUICK = Patience(loading_s=0.0, warm_s=0.0, min_pairs=3, in_doubt_s=0.0)
X = {"x": layered.ROWS}


def quantized(folder: Path, graph: bytes, options: GateOptions, truth: Any = None) -> Outcome[Any]:
    given = layered.candidate(folder / "in", graph, labels=layered.CLASSES)
    if truth is None:
        truth = np.array(layered.CLASSES)[run(open_session(given.layout), X)["y"].argmax(axis=1)]
    return optimise(given, X, truth, options, folder / "out", patience=QUICK)


def table(outcome: Outcome[Any]) -> dict[str, Any]:
    figures: Any = outcome.figures["quantized"]
    return {row["precision"]: row for row in figures["precisions"]}


def test_int8_is_tried_both_ways_and_what_is_kept_is_smaller_and_takes_and_gives_the_same(tmp_path: Path) -> None:
    outcome = quantized(tmp_path, layered.dense(), GateOptions(quantize="int8", max_drop={"accuracy": 0.1}))
    rows = table(outcome)
    assert list(rows) == ["as converted", "int8, dynamic", "int8, static"]
    assert rows["as converted"]["accuracy"] == 1.0
    for name in ("int8, dynamic", "int8, static"):
        assert rows[name]["size_bytes"] < 0.4 * rows["as converted"]["size_bytes"]
        assert rows[name]["accuracy_drop"] <= 0.1
        assert {"load_ms", "first_answer_ms", "warm_ms", "memory_mb"} <= set(rows[name])
    kept = outcome.value.layout
    assert kept.size_bytes < 0.4 * rows["as converted"]["size_bytes"]
    [x], [y] = (open_session(kept).get_inputs(), open_session(kept).get_outputs())
    assert (x.name, x.type, x.shape[1:], y.name, y.type) == ("x", "tensor(float)", [16], "y", "tensor(float)")
    assert run(open_session(kept), {"x": layered.ROWS[:3]})["y"].shape == (3, 2)


def test_convolutions_are_quantized_by_calibration_alone(tmp_path: Path) -> None:
    given = layered.candidate(tmp_path / "in", layered.convolution(32))
    folder = tmp_path / "out"
    folder.mkdir()
    batches = [{"x": layered.images()}]
    with pytest.raises(UnsupportedModel, match="nothing to quantize: the graph has no matrix multiplications"):
        dynamic_int8(given.layout, folder / "dynamic.onnx", reduced=True)
    static_int8(given.layout, folder / "static.onnx", batches, reduced=True)
    assert (folder / "static.onnx").stat().st_size < 0.5 * given.layout.size_bytes


def test_a_metric_that_the_outputs_do_not_give_is_refused(tmp_path: Path) -> None:
    given = layered.candidate(tmp_path / "in", layered.convolution(4))
    options = GateOptions(quantize="int8", max_drop={"accuracy": 1.0})
    with pytest.raises(InvalidSample, match="accuracy needs an output of labels"):
        optimise(given, {"x": layered.images()}, np.zeros(3), options, tmp_path / "out", patience=QUICK)


def test_a_model_that_loses_more_than_is_allowed_is_rejected_with_the_figures(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"expected to lose at most accuracy=-0\.5; int8, dynamic: accuracy 1\.0000 → "
                                       r".*; int8, static: .*; allow more by --max-drop") as caught:  # fmt: skip
        quantized(tmp_path, layered.dense(), GateOptions(quantize="int8", max_drop={"accuracy": -0.5}))
    assert "precisions" in caught.value.figures


def test_half_precision_keeps_the_datatypes_of_inputs_and_outputs(tmp_path: Path) -> None:
    outcome = quantized(tmp_path, layered.dense(), GateOptions(quantize="fp16", max_drop={"accuracy": 0.01}))
    assert list(table(outcome)) == ["as converted", "fp16"]
    assert table(outcome)["fp16"]["size_bytes"] < 0.6 * table(outcome)["as converted"]["size_bytes"]
    session = open_session(outcome.value.layout)
    assert [meta.type for meta in (*session.get_inputs(), *session.get_outputs())] == ["tensor(float)"] * 2


def test_several_metrics_are_all_kept_to(tmp_path: Path) -> None:
    outcome = quantized(tmp_path, layered.dense(), GateOptions(quantize="int8", max_drop={"accuracy": 0.1, "f1": 0.1}))
    assert {"accuracy", "f1", "accuracy_drop", "f1_drop"} <= set(table(outcome)["int8, static"])


@pytest.mark.parametrize("max_drop", [{}, {"accuracy": 0.1}], ids=["no drop", "no truth"])
def test_what_may_be_lost_has_to_be_said(tmp_path: Path, max_drop: dict[str, float]) -> None:
    given = layered.candidate(tmp_path / "in", layered.dense())
    truth = np.zeros(200) if not max_drop else None
    options = GateOptions(quantize="int8", max_drop=max_drop)
    with pytest.raises(InvalidSample, match="expected labelled rows and what may be lost on them; name the file by"):
        optimise(given, X, truth, options, tmp_path / "out", patience=QUICK)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (GateOptions(truth="y"), "--truth y: expected the rows that it is a column of: --sample FILE"),
        (GateOptions(max_drop={"f1": 0.1}), "--max-drop: nothing is lost but by --quantize int8 or fp16"),
        (GateOptions(quantize="int8", max_drop={"f2": 0.1}), "--max-drop: expected one of accuracy, f1, r2, rmse, mae"),
    ],
    ids=["truth of no rows", "a drop of nothing", "no metric"],
)
def test_a_wish_that_would_be_passed_over_is_refused(options: GateOptions, message: str) -> None:
    with pytest.raises(InvalidSample, match=message):
        expect_truth(np.zeros(2) if options.quantize else None, options)


@pytest.mark.parametrize("how", ["int8", "fp16"])
def test_a_model_with_nothing_to_quantize_is_refused(tmp_path: Path, how: Any) -> None:
    graph = models.identity(TensorProto.FLOAT, ["batch", 2])
    given = layered.candidate(tmp_path / "in", graph)
    options = GateOptions(quantize=how, max_drop={"accuracy": 0.1})
    inputs = {"x": np.eye(2, dtype=np.float32)}
    with pytest.raises(Rejected, match=rf"--quantize {how}: .*there is nothing to quantize: .*publish it without"):
        optimise(given, inputs, np.array([0, 1]), options, tmp_path / "out", patience=QUICK)


def test_a_forest_has_nothing_to_quantize(tmp_path: Path) -> None:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.ensemble import RandomForestClassifier

    labels = (layered.ROWS[:, 0] > 0).astype(np.int64)
    forest = RandomForestClassifier(3, random_state=0).fit(layered.ROWS, labels)
    named = [("x", FloatTensorType([None, 16]))]
    graph: onnx.ModelProto = to_onnx(forest, initial_types=named, options={"zipmap": False}, target_opset=17)
    with pytest.raises(Rejected, match="nothing to quantize"):
        quantized(tmp_path, graph.SerializeToString(), GateOptions(quantize="int8", max_drop={"f1": 0.1}), labels)
