"""A LitServe server around a session, as its documentation writes them: `python server.py PORT`."""

from __future__ import annotations

import sys
from typing import Any

import litserve as ls
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray


class Tabular(ls.LitAPI):
    """One ONNX Runtime session."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - the base class's signature
        """Open the session once per worker."""
        self._session = ort.InferenceSession("tabular.onnx")

    def decode_request(self, request):  # type: ignore[no-untyped-def]  # an annotation would change how it is parsed
        """Take the array out of the JSON."""
        return np.array(request["X"], np.float32)

    def predict(self, x: NDArray[np.float32]) -> list[NDArray[Any]]:
        """Run."""
        found: list[NDArray[Any]] = self._session.run(["label", "probabilities"], {"X": x})
        return found

    def encode_response(self, output: list[NDArray[Any]]) -> dict[str, list[Any]]:
        """Name the arrays."""
        label, probabilities = output
        return {"label": label.tolist(), "probabilities": probabilities.tolist()}


if __name__ == "__main__":
    ls.LitServer(Tabular()).run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
