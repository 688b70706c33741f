"""Every way a model is laid out takes and gives the same, and lies in the files that it should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from model_store import keys
from model_store.gate.candidate import Layout, open_session, run
from model_store.gate.layouts import (
    AS_CONVERTED,
    MAPPED,
    OPTIMISED,
    OPTIMISED_FINISHED_AT_LOAD,
    OPTIMISED_MAPPED,
    this_processor,
    write_layouts,
)
from tests.build import layered, models

OWN = "x86_64-some-ort1.28"
X, IMAGE = {"x": layered.ROWS[:1]}, {"x": layered.images(1)}


def answer(layout: Layout, inputs: dict[str, np.ndarray]) -> np.ndarray:
    found: np.ndarray = run(open_session(layout), inputs)["y"]
    return found


def test_weights_lie_in_a_file_of_their_own_that_the_graph_names(tmp_path: Path) -> None:
    written = write_layouts(
        layered.candidate(tmp_path / "in", layered.convolution()), IMAGE, tmp_path / "out", processor=None
    )
    assert list(written.layouts) == [AS_CONVERTED, OPTIMISED_MAPPED, MAPPED, OPTIMISED_FINISHED_AT_LOAD]
    for name in (MAPPED, OPTIMISED_MAPPED, OPTIMISED_FINISHED_AT_LOAD):
        (graph_name, graph), (weights_name, weights) = written.layouts[name].files
        assert (graph_name, weights_name) == ("model.onnx", keys.WEIGHTS)
        assert graph.stat().st_size < 10_000
        assert weights.stat().st_size >= 4 * 176 * 176 * 9
        initializers = onnx.load(graph, load_external_data=False).graph.initializer
        assert {entry.value for one in initializers for entry in one.external_data if entry.key == "location"} == {
            keys.WEIGHTS
        }


def test_how_each_is_to_be_opened_is_said(tmp_path: Path) -> None:
    written = write_layouts(
        layered.candidate(tmp_path / "in", layered.convolution()), IMAGE, tmp_path / "out", processor=None
    )
    assert {name: layout.run.optimise for name, layout in written.layouts.items()} == {
        AS_CONVERTED: True,
        OPTIMISED_MAPPED: False,
        MAPPED: True,
        OPTIMISED_FINISHED_AT_LOAD: True,
    }


def test_weights_of_convolutions_are_mapped_and_not_copied(tmp_path: Path) -> None:
    given = layered.candidate(tmp_path / "in", layered.convolution())
    layout = write_layouts(given, IMAGE, tmp_path / "out", processor=None).layouts[OPTIMISED_MAPPED]
    session = open_session(layout)
    assert str(layout.files[1][1]) in Path("/proc/self/maps").read_text()
    assert session.get_inputs()[0].name == "x"


def test_weights_of_matrix_multiplications_are_mapped_if_they_were_packed_before(tmp_path: Path) -> None:
    written = write_layouts(layered.candidate(tmp_path / "in", layered.dense()), X, tmp_path / "out", processor=OWN)
    layout = written.layouts[f"{OWN}, pre-packed"]
    session = open_session(layout)
    assert str(layout.files[1][1]) in Path("/proc/self/maps").read_text()
    assert session.get_inputs()[0].name == "x"


@pytest.mark.parametrize("rows", [1, 3])
def test_all_answer_alike_for_any_number_of_rows(tmp_path: Path, rows: int) -> None:
    given = layered.candidate(tmp_path / "in", layered.convolution())
    written = write_layouts(given, {"x": layered.images(1)}, tmp_path / "out", processor=OWN)
    expected = answer(given.layout, {"x": layered.images(rows)})
    assert {AS_CONVERTED, MAPPED, OPTIMISED_MAPPED} <= set(written.layouts)
    for layout in written.layouts.values():
        np.testing.assert_allclose(answer(layout, {"x": layered.images(rows)}), expected, rtol=1e-4, atol=1e-5)


def test_those_for_this_processor_are_told_apart(tmp_path: Path) -> None:
    given = layered.candidate(tmp_path / "in", layered.dense())
    written = write_layouts(given, X, tmp_path / "out", processor=OWN)
    assert written.own == {name for name in written.layouts if name.startswith(OWN)}
    assert f"{OWN}, pre-packed" in written.own


def test_a_way_that_writes_what_another_wrote_is_left_out(tmp_path: Path) -> None:
    given = layered.candidate(tmp_path / "in", layered.dense())
    written = write_layouts(given, X, tmp_path / "out", processor=OWN)
    assert written.dropped[OWN] == f"the same as {OPTIMISED_MAPPED}"  # nothing in it depends on the processor


def test_a_small_model_stays_in_one_file(tmp_path: Path) -> None:
    written = write_layouts(layered.candidate(tmp_path / "in", models.scale()), {"x": np.ones((1, 2), np.float32)},
                            tmp_path / "out", processor=OWN)  # fmt: skip
    assert [(name, len(layout.files)) for name, layout in written.layouts.items()] == [
        (AS_CONVERTED, 1),
        (OPTIMISED, 1),
    ]


def test_a_model_whose_external_data_is_many_files_becomes_two(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    given = layered.candidate(folder, layered.dense())
    onnx.save_model(
        onnx.load(given.layout.graph), folder / "model.onnx", save_as_external_data=True, all_tensors_to_one_file=False
    )
    files = tuple((path.name, path) for path in sorted(folder.iterdir(), key=lambda path: path.name != "model.onnx"))
    assert len(files) == 4
    written = write_layouts(layered.candidate_of(given, files), X, tmp_path / "out", processor=None)
    assert [len(layout.files) for layout in written.layouts.values()] == [4, 2, 2]


def test_a_layout_made_here_is_named_for_this_processor_and_runtime() -> None:
    own = this_processor(onnxruntime.__version__)
    assert own is None or own.endswith(f"-ort{'.'.join(onnxruntime.__version__.split('.')[:2])}")
