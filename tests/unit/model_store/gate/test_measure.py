"""What a fresh process tells of a model; no time is asserted, only that it was taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from model_store.convert.source import Batch
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.forecast import forecast
from model_store.gate.measure import measure, one_request
from model_store.gate.packed import pack, unpack
from model_store.gate.steps import GateOptions, Rejected
from model_store.manifest import RunOptions
from tests.build import manifests, models
from tests.build.forecasts import ROWS
from warmstart.tensors import TensorSpec


def layout(tmp_path: Path, body: bytes, *, optimise: bool = True) -> Layout:
    path = tmp_path / "model.onnx"
    path.write_bytes(body)
    return Layout(((path.name, path),), RunOptions(optimise=optimise))


def test_a_model_is_loaded_and_run_in_a_process_of_its_own(tmp_path: Path) -> None:
    found = measure(layout(tmp_path, models.identity()), ROWS, (1, 2))

    assert found.init.wall_s > 0
    assert found.session.wall_s > 0
    assert found.warm[1].wall_s > 0
    assert set(found.warm) <= {1, 2}
    assert (found.values_in, found.values_out) == (4, 4)
    assert found.resident_bytes is not None
    assert found.peak_bytes is not None
    assert 0 < found.resident_bytes <= found.peak_bytes < 2**30
    assert found.hash_bytes_per_s > 0


def test_weights_beside_the_graph_are_found_and_text_arrives_as_text(tmp_path: Path) -> None:
    external = models.with_external_data(tmp_path)
    rows = {"x": np.ones((1, 64), np.float32)}
    assert measure(Layout((("model.onnx", external),), RunOptions()), rows, (1,)).values_out == 64

    text: Batch = {"x": np.array([["Zürich", ""]], dtype=object)}
    words = layout(tmp_path, models.identity(TensorProto.STRING))
    assert measure(words, text, (1,)).values_out == 2


def test_rows_arrive_as_they_were_sent_whatever_their_inputs_are_called() -> None:
    sent: Batch = {"file": np.array([["Zürich", ""]], object), "allow_pickle": np.ones((1, 2), np.int8)}

    arrived = unpack(pack(sent))

    assert {name: array.tolist() for name, array in arrived.items()} == {
        "file": [["Zürich", ""]],
        "allow_pickle": [[1, 1]],
    }
    assert [array.dtype for array in arrived.values()] == [np.dtype(object), np.dtype(np.int8)]


def test_a_model_that_fails_there_is_rejected_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"does not load and run in a process of its own: .*UnsupportedModel"):
        measure(layout(tmp_path, b"no model"), ROWS, (1,))


def test_the_whole_step_runs_on_a_real_model(tmp_path: Path) -> None:
    model = Candidate(signature=manifests.IDENTITY, layout=layout(tmp_path, models.identity()))
    outcome = forecast(model, {"x": np.array([[1, 2], [3, 4]])}, GateOptions())

    assert outcome.summary.startswith("needs ")


@pytest.mark.parametrize(
    ("shape", "rows"),
    [((-1, 2), 1), ((3, 2), 3), ((8, 2), 4)],
)
def test_a_request_holds_one_row_or_as_many_as_the_graph_wants(shape: tuple[int, ...], rows: int) -> None:
    chosen = one_request({"x": np.zeros((4, 2), np.float32)}, (TensorSpec("x", "FP32", shape),))

    assert chosen["x"].shape == (rows, 2)


def test_inputs_without_rows_are_taken_whole() -> None:
    inputs: Batch = {"x": np.zeros((4,), np.float32), "shape": np.array([2, 2])}
    specs = (TensorSpec("x", "FP32", (-1,)), TensorSpec("shape", "INT64", (2,)))

    assert one_request(inputs, specs) is inputs
