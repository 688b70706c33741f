"""BF16 through ONNX Runtime, against the package that has the type."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import onnxruntime
import pytest

from model_store.bfloat16_session import Bfloat16Session
from tests.build import models


def opened(body: bytes) -> Bfloat16Session:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return Bfloat16Session(onnxruntime.InferenceSession(body, options), onnxruntime.OrtValue)


def bits(*rows: list[float]) -> Any:
    return np.array(rows, ml_dtypes.bfloat16).view(np.uint16)


def test_bits_go_in_and_bits_come_out() -> None:
    y, total = opened(models.bfloat16_scale(3.0)).run(["y", "total"], {"x": bits([1.0, 2.5], [-0.5, 2.0**100])})

    assert (y.dtype.name, y.shape) == ("uint16", (2, 2))
    assert y.tolist() == bits([3.0, 7.5], [-1.5, 3 * 2.0**100]).tolist()
    assert (total.dtype.name, total[0].tolist()) == ("float32", [10.5])


def test_outputs_come_in_the_order_asked_for_and_alone() -> None:
    session = opened(models.bfloat16_scale())

    total, y = session.run(["total", "y"], {"x": bits([1.0, 2.0])})
    assert (total.tolist(), y.tolist()) == ([[6.0]], bits([2.0, 4.0]).tolist())
    assert [array.tolist() for array in session.run(["total"], {"x": bits([1.0, 2.0])})] == [[[6.0]]]


def test_numbers_are_rounded_on_their_way_in() -> None:
    (y,) = opened(models.bfloat16_scale(1.0)).run(["y"], {"x": np.array([[1.001, 257.0]], np.float32)})

    assert y.tolist() == bits([1.0, 256.0]).tolist()


def test_rows_in_any_layout_are_read_as_they_are_meant() -> None:
    (y,) = opened(models.bfloat16_scale(1.0)).run(["y"], {"x": bits([1.0, 2.0], [3.0, 4.0]).T})

    assert y.tolist() == bits([1.0, 3.0], [2.0, 4.0]).tolist()


def test_no_rows_are_answered_with_none() -> None:
    (y,) = opened(models.bfloat16_scale()).run(["y"], {"x": np.empty((0, 2), np.uint16)})

    assert (y.dtype.name, y.shape) == ("uint16", (0, 2))


def test_an_answer_outlives_the_session() -> None:
    session = opened(models.bfloat16_scale(1.0))
    given = np.arange(20_000, dtype=np.uint16).reshape(-1, 2)
    (first,) = session.run(["y"], {"x": given})
    session.run(["y"], {"x": np.zeros_like(given)})
    del session

    assert np.array_equal(first, given)


def test_text_beside_bf16_outputs_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot take text and give BF16: cast the outputs to FP32"):
        opened(models.text_to_bfloat16())
