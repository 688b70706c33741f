"""A session with inputs or outputs of BF16: ONNX Runtime's binding takes and gives arrays, and numpy has none of it."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from warmstart.bfloat16 import rounded
from warmstart.datatypes import DATATYPES

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession, OrtValue

_BF16: Final = DATATYPES["BF16"]
_TEXT: Final = DATATYPES["BYTES"].onnx


class Bfloat16Session:
    """Stands where an `InferenceSession` stands: takes BF16 as its bits or as FP32, and gives its bits, UINT16.

    May be used by several threads at once.
    """

    def __init__(self, session: InferenceSession, value: type[OrtValue]) -> None:
        """`value` is ONNX Runtime's class. Raises: ValueError for text beside BF16 outputs: it cannot ask for those."""
        self._session, self._value = session, value
        self._inputs = frozenset(meta.name for meta in session.get_inputs() if meta.type == _BF16.onnx)
        self._outputs = frozenset(meta.name for meta in session.get_outputs() if meta.type == _BF16.onnx)
        if self._outputs and any(meta.type == _TEXT for meta in session.get_inputs()):
            raise ValueError("ONNX Runtime cannot take text and give BF16: cast the outputs to FP32 inside the model")

    def get_inputs(self) -> Sequence[Any]:
        """Describe the inputs."""
        inputs: Sequence[Any] = self._session.get_inputs()
        return inputs

    def get_outputs(self) -> Sequence[Any]:
        """Describe the outputs."""
        outputs: Sequence[Any] = self._session.get_outputs()
        return outputs

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Any]) -> list[Any]:
        """Compute the outputs asked for, in this order. Raises: what the session raises."""
        feed = {name: self._given(array) if name in self._inputs else array for name, array in input_feed.items()}
        if self._outputs.isdisjoint(output_names):
            computed: list[Any] = self._session.run(output_names, feed)
            return computed
        values = {
            name: given if name in self._inputs else self._value.ortvalue_from_numpy(np.ascontiguousarray(given))
            for name, given in feed.items()
        }
        found = self._session.run_with_ort_values(output_names, values)
        return [
            _bits(value) if name in self._outputs else value.numpy()
            for name, value in zip(output_names, found, strict=True)
        ]

    def _given(self, array: NDArray[Any]) -> OrtValue:
        bits = rounded(array) if array.dtype == np.float32 else array
        return self._value.ortvalue_from_numpy_with_onnx_type(np.ascontiguousarray(bits), _BF16.onnx_code)


def _bits(value: OrtValue) -> NDArray[np.uint16]:
    """Copy them: the memory is the value's."""
    found = ctypes.string_at(value.data_ptr(), value.tensor_size_in_bytes())
    return np.frombuffer(found, np.uint16).reshape(value.shape())
