"""What step 7 puts beside a version, and that the data plane answers the golden requests as they say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from model_store.convert.source import Batch, Sample
from model_store.gate.baseline import baseline
from model_store.gate.candidate import Candidate, Layout, open_session
from model_store.gate.candidate import run as compute
from model_store.gate.golden import GoldenExample, parse_golden
from model_store.gate.sample import cast, generate
from model_store.manifest import RunOptions
from tests.build import manifests, models
from tests.build.inference import ADD, DIVIDE, RESHAPE, World, signature
from warmstart.tensors import Signature

BFLOAT16 = signature({"x": ("BF16", (-1, 2))}, {"y": ("BF16", (-1, 2)), "total": ("FP32", (-1, 1))})


def candidate(tmp_path: Path, body: bytes, described: Signature) -> Candidate:
    path = tmp_path / "model.onnx"
    path.write_bytes(body)
    return Candidate(signature=described, layout=Layout(((path.name, path),), RunOptions()))


def documents(model: Candidate, inputs: Batch, columns: Batch | None = None) -> Mapping[str, bytes]:
    outputs = compute(open_session(model.layout), cast(inputs, model.signature.inputs))
    return baseline(model, Sample(columns or inputs, "rows.csv"), inputs, outputs).value


def golden(model: Candidate, inputs: Batch) -> tuple[GoldenExample, ...]:
    body = documents(model, inputs)["golden.json"]
    assert len(body) <= 101_000
    return parse_golden(body, where="golden.json")


def rows(count: int, columns: int = 2) -> Batch:
    return {"x": np.random.default_rng(5).normal(size=(count, columns))}


MODELS = [
    (models.scale(2.0), manifests.IDENTITY, rows(50)),
    (models.identity(TensorProto.STRING), signature({"x": ("BYTES", (-1, 2))}, {"y": ("BYTES", (-1, 2))}),
     {"x": np.array([["Zürich", ""], ["a", "b"]], dtype=object)}),
    (models.add(), ADD, {"a": np.array([[1], [2]]), "b": np.array([[0.5], [1e6]])}),
    (models.divide(), DIVIDE, {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([2.0, 0.0, 4.0])}),
    (models.reshape(), RESHAPE, {"x": np.arange(6.0), "shape": np.array([2, 3])}),
    (models.bfloat16_scale(3.0), BFLOAT16, rows(50)),
    *(
        (models.identity(code), signature({"x": (name, (-1, 2))}, {"y": (name, (-1, 2))}), {"x": np.array([[1, 0]])})
        for code, name in [
            (TensorProto.INT64, "INT64"), (TensorProto.UINT8, "UINT8"), (TensorProto.BOOL, "BOOL"),
            (TensorProto.FLOAT16, "FP16"), (TensorProto.BFLOAT16, "BF16"), (TensorProto.DOUBLE, "FP64"),
        ]
    ),
    (models.identity(shape=("batch", 3, 20, 20)),
     signature({"x": ("FP32", (-1, 3, 20, 20))}, {"y": ("FP32", (-1, 3, 20, 20))}),
     {"x": np.random.default_rng(5).normal(size=(4, 3, 20, 20))}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "described", "inputs"), MODELS)
def test_the_data_plane_answers_every_golden_request_as_it_says(
    tmp_path: Path, body: bytes, described: Signature, inputs: Batch
) -> None:
    examples = golden(candidate(tmp_path, body, described), inputs)
    world = World(tmp_path)
    world.publish("m", body, described)

    assert examples
    for known in examples:
        answered = world.ask("POST", "/v2/models/m/infer", known.request().decode())
        assert answered.status == 200, answered.text
        assert known.check(answered.text.encode()) == ()


def test_a_model_that_answers_otherwise_is_found_out(tmp_path: Path) -> None:
    examples = golden(candidate(tmp_path, models.scale(2.0), manifests.IDENTITY), rows(3))
    world = World(tmp_path)
    world.publish("m", models.scale(2.01), manifests.IDENTITY)
    answered = world.ask("POST", "/v2/models/m/infer", examples[0].request().decode())

    assert "± 0.001 at index 0" in examples[0].check(answered.text.encode())[0]


def inputs_of(examples: tuple[GoldenExample, ...]) -> list[list[Any]]:
    return [list(known.inputs[0].values) for known in examples]


def test_at_most_ten_rows_are_kept_each_once(tmp_path: Path) -> None:
    kept = inputs_of(golden(candidate(tmp_path, models.scale(), manifests.IDENTITY), rows(1000)))

    assert len(kept) == len({tuple(row) for row in kept}) == 10


def test_the_first_row_and_the_extremes_are_among_them(tmp_path: Path) -> None:
    inputs = rows(1000)
    kept = inputs_of(golden(candidate(tmp_path, models.scale(), manifests.IDENTITY), inputs))
    expected = inputs["x"].astype(np.float32)

    assert kept[0] == expected[0].tolist()
    for index in (0, 1):
        assert expected[expected[:, index].argmin()].tolist() in kept
        assert expected[expected[:, index].argmax()].tolist() in kept


def test_a_row_of_each_label_is_among_them(tmp_path: Path) -> None:
    described = signature({"x": ("INT64", (-1, 1))}, {"y": ("INT64", (-1, 1))})
    model = candidate(tmp_path, models.identity(TensorProto.INT64, ("batch", 1)), described)
    kept = inputs_of(golden(model, {"x": np.array([[5]] * 200 + [[7]] + [[5]] * 200)}))

    assert [7] in kept


def test_rows_that_json_cannot_hold_are_left_out_on_either_side(tmp_path: Path) -> None:
    model = candidate(tmp_path, models.divide(), DIVIDE)
    kept = golden(model, {"a": np.array([1.0, np.nan, 3.0, 4.0]), "b": np.array([0.0, 1.0, 2.0, 4.0])})

    assert sorted(known.outputs[0].values[0] for known in kept) == [1.0, 1.5]


def test_all_rows_nan_give_no_example_and_statistics_all_the_same(tmp_path: Path) -> None:
    inputs = {"x": np.full((3, 2), np.nan)}
    found = documents(candidate(tmp_path, models.scale(), manifests.IDENTITY), inputs)

    assert parse_golden(found["golden.json"], where="") == ()
    assert {feature["inferred_type"] for feature in json.loads(found["statistics.json"])["features"]} == {"Unknown"}


def test_rows_that_are_too_long_are_left_out(tmp_path: Path) -> None:
    text = signature({"x": ("BYTES", (-1, 1))}, {"y": ("BYTES", (-1, 1))})
    model = candidate(tmp_path, models.identity(TensorProto.STRING, ("batch", 1)), text)
    kept = inputs_of(golden(model, {"x": np.array([["long " * 20_000], ["short"]], dtype=object)}))

    assert kept == [["short"]]


def test_a_graph_of_a_fixed_batch_is_asked_for_whole_batches(tmp_path: Path) -> None:
    fixed = signature({"x": ("FP32", (2, 2))}, {"y": ("FP32", (2, 2))})
    model = candidate(tmp_path, models.identity(shape=(2, 2)), fixed)
    kept = golden(model, {"x": np.array([[1.0, 2.0], [3.0, 4.0]])})

    assert inputs_of(kept) == [[1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 1.0, 2.0]]


def test_the_samples_columns_are_described_and_then_the_outputs(tmp_path: Path) -> None:
    columns: Batch = {"age": np.array([1, 2, 3]), "y": np.array([4.0, 5.0, 6.0])}
    inputs = {"x": np.array([[1, 4.0], [2, 5.0], [3, 6.0]])}
    found = documents(candidate(tmp_path, models.scale(), manifests.IDENTITY), inputs, columns)
    expected = ["age", "y", "output.y[0]", "output.y[1]"]

    assert [feature["name"] for feature in json.loads(found["statistics.json"])["features"]] == expected
    assert [feature["name"] for feature in json.loads(found["constraints.json"])["features"]] == expected
    assert json.loads(found["statistics.json"])["dataset"] == {"item_count": 3}


def test_of_rows_that_were_made_up_there_are_golden_examples_alone(tmp_path: Path) -> None:
    model = candidate(tmp_path, models.scale(), manifests.IDENTITY)
    made = generate(model.signature.inputs, None)
    outcome = baseline(model, made, made.columns, {"y": made.columns["x"] * 2})

    assert list(outcome.value) == ["golden.json"]
    assert outcome.summary == "no rows of yours, so no statistics to find drift by (--sample FILE); golden examples: 10"


def test_a_large_sample_of_which_fewer_rows_were_tried_is_described_whole(tmp_path: Path) -> None:
    model = candidate(tmp_path, models.scale(), manifests.IDENTITY)
    few = {"x": np.array([[1.0, 2.0], [3.0, 4.0]])}
    outcome = baseline(model, Sample(rows(500), "rows.csv"), few, {"y": few["x"] * 2})
    first, *_, last = json.loads(outcome.value["statistics.json"])["features"]

    assert first["numerical_statistics"]["common"]["num_present"] == 500
    assert last["numerical_statistics"]["common"]["num_present"] == 2


def test_the_step_says_what_it_wrote(tmp_path: Path) -> None:
    model = candidate(tmp_path, models.scale(), manifests.IDENTITY)
    inputs = {"x": np.array([[1.0, 2.0], [np.nan, 4.0]])}
    outcome = baseline(model, Sample(inputs, "rows.csv"), inputs, {"y": np.array([[2.0, 4.0], [np.nan, 8.0]])})

    assert outcome.summary == "4 columns of 2 rows described; golden examples: 1"
    assert outcome.figures["incomplete_columns"] == ["x[0]", "y[0]"]
    assert list(outcome.value) == ["statistics.json", "constraints.json", "golden.json"]
