"""A BentoML service around a session, as its documentation writes them: an array in, named lists out."""

from __future__ import annotations

from typing import Annotated, Any

import bentoml
import numpy as np
import onnxruntime as ort
from bentoml.validators import DType


@bentoml.service
class Tabular:
    """One ONNX Runtime session."""

    def __init__(self) -> None:
        self._session = ort.InferenceSession("tabular.onnx")

    @bentoml.api
    def predict(self, X: Annotated[np.ndarray, DType("float32")]) -> dict[str, list[Any]]:  # noqa: N803 - its name
        """Run."""
        label, probabilities = self._session.run(["label", "probabilities"], {"X": X})
        return {"label": label.tolist(), "probabilities": probabilities.tolist()}
