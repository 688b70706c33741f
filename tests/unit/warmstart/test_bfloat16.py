"""BF16 as its bits, against the package that has the type."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from warmstart.bfloat16 import numbers, rounded, widened
from warmstart.tensors import TensorSpec


def test_every_bit_pattern_widens_to_its_number_and_rounds_back_to_itself() -> None:
    every = np.arange(65_536, dtype=np.uint16)
    own = every.view(ml_dtypes.bfloat16).astype(np.float32)
    np.testing.assert_array_equal(widened(every), own)
    assert np.array_equal(rounded(own)[~np.isnan(own)], every[~np.isnan(own)])
    assert np.isnan(widened(rounded(own)[np.isnan(own)])).all()


def test_numbers_are_rounded_to_the_nearest_ties_to_even() -> None:
    values = np.random.default_rng(7).integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
    values = values[np.isfinite(values)]
    assert np.array_equal(rounded(values), values.astype(ml_dtypes.bfloat16).view(np.uint16))


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 3)])
def test_shapes_and_layouts_are_kept(shape: tuple[int, ...]) -> None:
    values = np.ones(shape, np.float32).T
    assert rounded(values).shape == values.shape
    assert widened(rounded(values)).tolist() == values.tolist()


def test_only_bf16_is_widened() -> None:
    bits = np.array([0x3F80], np.uint16)
    assert numbers(TensorSpec("x", "BF16", (-1,)), bits).tolist() == [1.0]
    assert numbers(TensorSpec("x", "UINT16", (-1,)), bits) is bits
