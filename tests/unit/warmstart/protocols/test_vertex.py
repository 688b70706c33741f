"""Vertex AI's online prediction."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.build.calls import model, request
from warmstart.errors import MalformedBody
from warmstart.protocols import vertex
from warmstart.tensors import TensorSpec

ONE = model((TensorSpec("x", "FP32", (-1,)),), (TensorSpec("y", "FP32", (-1,)),))


def test_instances_are_answered_with_predictions_and_who_gave_them() -> None:
    asked = vertex.read_predict(request({"instances": [1], "parameters": {"k": 1}}))
    assert asked.tensors(ONE)["x"].tolist() == [1.0]
    rendered = asked.render(ONE, [(ONE.signature.outputs[0], np.array([3.5], np.float32))])
    assert json.loads(rendered.body) == {
        "predictions": [3.5],
        "model": "iris",
        "modelVersionId": "3",
        "deployedModelId": "3",
    }


@pytest.mark.parametrize("document", [{}, [1], {"instances": [1], "parameters": [1]}])
def test_a_body_of_another_form_is_refused(document: object) -> None:
    with pytest.raises(MalformedBody, match="expected"):
        vertex.read_predict(request(document))


@pytest.mark.parametrize(
    ("status", "word"), [(400, "INVALID_ARGUMENT"), (404, "NOT_FOUND"), (503, "UNAVAILABLE"), (418, "UNKNOWN")]
)
def test_an_error_is_googles(status: int, word: str) -> None:
    assert json.loads(vertex.render_error(status, "code", "no").body) == {
        "error": {"code": status, "message": "no", "status": word}
    }
