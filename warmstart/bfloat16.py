"""BF16 to and from FP32. numpy has no such type: everywhere here a BF16 array is its bits, UINT16 of the same shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from warmstart.tensors import Tensor, TensorSpec


def rounded(values: Tensor) -> Tensor:
    """Round FP32 to the bits of BF16, to the nearest and ties to even; beyond its largest, 3.39e38, to infinity."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).reshape(values.shape)
    nearest = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), nearest)


def widened(bits: Tensor) -> Tensor:
    """Return the numbers, as FP32, which holds each of them."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def numbers(spec: TensorSpec, array: Tensor) -> Tensor:
    """Return a tensor's values as numbers that numpy knows: BF16 as FP32, all else as it is."""
    return widened(array) if spec.datatype == "BF16" else array
