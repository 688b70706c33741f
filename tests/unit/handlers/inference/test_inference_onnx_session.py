"""ONNX Runtime behind the seam: what works, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from handlers.inference.onnx_session import OnnxSession, session_options
from model_store.manifest import RunOptions
from tests.build import manifests, models
from tests.build.inference import RESHAPE, signature
from warmstart.bfloat16 import rounded, widened
from warmstart.datatypes import DATATYPES
from warmstart.errors import InferenceFailed, ModelNotLoadable
from warmstart.tensors import Signature


def opened(tmp_path: Path, body: bytes, described: Signature = manifests.IDENTITY) -> OnnxSession:
    path = tmp_path / "model.onnx"
    path.write_bytes(body)
    return OnnxSession(path, manifests.manifest(body=body, signature=described), threads=1)


def one(datatype: str, output: str | None = None) -> Signature:
    return signature({"x": (datatype, (-1, 2))}, {"y": (output or datatype, (-1, 2))})


def test_a_model_computes_the_outputs_asked_for(tmp_path: Path) -> None:
    session = opened(tmp_path, models.scale(2.0))
    (y,) = session.run(["y"], {"x": np.array([[1, 2.5]], np.float32)})
    (every,) = session.run((), {"x": np.array([[1, 2.5]], np.float32)})
    assert every.tolist() == y.tolist()
    assert (y.dtype.name, y.tolist()) == ("float32", [[2.0, 5.0]])


@pytest.mark.parametrize("row", DATATYPES.values(), ids=lambda row: row.name)
def test_every_datatype_goes_through(tmp_path: Path, row: Any) -> None:
    values = np.array([["a", "ü"]], object) if row.name == "BYTES" else np.array([[0, 1]], row.numpy)
    values.setflags(write=False)  # as a tensor that was read from a request is
    (y,) = opened(tmp_path, models.identity(row.onnx_code), one(row.name)).run(["y"], {"x": values})
    assert (y.dtype.name, y.tolist()) == (row.numpy, values.tolist())


def test_bf16_beside_text_is_refused_with_the_remedy(tmp_path: Path) -> None:
    described = signature({"x": ("BYTES", (-1,))}, {"y": ("BF16", (-1,))})
    with pytest.raises(ModelNotLoadable, match=r"model iris:1: .* cast the outputs to FP32 inside the model"):
        opened(tmp_path, models.text_to_bfloat16(), described)


def test_weights_beside_the_graph_are_found(tmp_path: Path) -> None:
    path = models.with_external_data(tmp_path, rows=8, columns=3)
    described = signature({"x": ("FP32", (-1, 8))}, {"y": ("FP32", (-1, 3))})
    session = OnnxSession(path, manifests.manifest(signature=described), threads=1)
    x = np.ones((1, 8), np.float32)
    np.testing.assert_allclose(session.run(["y"], {"x": x})[0], x @ models.weights(8, 3), rtol=1e-6)


def test_a_file_that_is_no_model_is_refused_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(ModelNotLoadable, match=r"model iris:1: ONNX Runtime .* refuses it: ") as caught:
        opened(tmp_path, b"not a model")
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize(
    ("described", "message"),
    [
        (one("INT64", "FP32"), "input 'x': expected INT64, the graph has tensor\\(float\\)"),
        (one("FP32", "FP64"), "output 'y': expected FP64, the graph has tensor\\(float\\)"),
        (signature({"z": ("FP32", (-1, 2))}, {"y": ("FP32", (-1, 2))}), "inputs: expected z, the graph has x"),
        (signature({"x": ("FP32", (-1, 2))}, {}), "outputs: expected , the graph has y"),
    ],
)
def test_a_graph_that_is_not_what_the_manifest_says_is_refused(
    tmp_path: Path, described: Signature, message: str
) -> None:
    with pytest.raises(ModelNotLoadable, match=message):
        opened(tmp_path, models.scale(), described)


def test_an_output_that_is_no_tensor_is_refused(tmp_path: Path) -> None:
    described = signature({"x": ("FP32", (-1, 2))}, {"probabilities": ("FP32", (-1, 2))})
    with pytest.raises(ModelNotLoadable, match=r"output 'probabilities': expected FP32, the graph has seq\(map"):
        opened(tmp_path, models.zipmap(), described)


def test_values_that_the_model_refuses_are_an_error_of_ours_and_not_logged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    session = opened(tmp_path, models.reshape(), RESHAPE)
    with pytest.raises(InferenceFailed, match=r"model iris:1: cannot compute these values: .*Input shape:{1}"):
        session.run(["y"], {"x": np.zeros(1, np.float32), "shape": np.array([2, 2])})
    assert capfd.readouterr() == ("", "")


def test_a_shape_that_the_graph_does_not_take_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(InferenceFailed, match="Got invalid dimensions for input: x"):
        opened(tmp_path, models.scale()).run(["y"], {"x": np.zeros((1, 3), np.float32)})


def test_one_thread_per_processor_no_arena_and_no_spinning() -> None:
    options = session_options(3, RunOptions())
    assert (options.intra_op_num_threads, options.inter_op_num_threads, options.enable_cpu_mem_arena) == (3, 1, False)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_few_rows_are_computed_by_one_thread_and_many_by_a_session_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_with: list[int] = []

    def opening(path: Path, options: onnxruntime.SessionOptions, **others: Any) -> onnxruntime.InferenceSession:
        opened_with.append(options.intra_op_num_threads)
        return session_of(path, options, **others)

    session_of = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", opening)
    path = tmp_path / "model.onnx"
    path.write_bytes(models.trees(100))
    column = signature({"x": ("FP32", (-1, 1))}, {"y": ("FP32", (-1, 1))})
    described = manifests.manifest(signature=column)._replace(run=RunOptions(single_thread_rows=4))
    session = OnnxSession(path, described, threads=3)
    assert opened_with == [1]
    for rows in (4, 5, 4, 6):
        x = np.linspace(0.001, 1.001, rows, dtype=np.float32)[:, None]
        (y,) = session.run(["y"], {"x": x})
        np.testing.assert_allclose(y, np.ceil(x * 100).clip(0, 100) / 100, atol=1e-5)
    assert opened_with == [1, 3]


@pytest.mark.parametrize("rows", [1, 2])
def test_few_and_many_rows_of_bf16_go_through(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(models.bfloat16_scale(2.0))
    described = signature({"x": ("BF16", (-1, 2))}, {"y": ("BF16", (-1, 2)), "total": ("FP32", (-1, 1))})
    manifest = manifests.manifest(signature=described)._replace(run=RunOptions(single_thread_rows=1))
    x = np.full((rows, 2), 1.5, np.float32)
    y, total = OnnxSession(path, manifest, threads=2).run(["y", "total"], {"x": rounded(x)})
    assert (widened(y).tolist(), total.tolist()) == ([[3.0, 3.0]] * rows, [[6.0]] * rows)


def test_a_graph_that_was_optimised_before_is_opened_as_it_is() -> None:
    levels = [session_options(1, RunOptions(optimise=optimise)).graph_optimization_level for optimise in (True, False)]
    assert levels == [
        onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    ]
