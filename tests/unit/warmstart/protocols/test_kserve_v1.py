"""KServe's first protocol, where it is not TensorFlow Serving's."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.build.calls import model, request
from warmstart.errors import MalformedBody
from warmstart.protocols import kserve_v1
from warmstart.refs import ModelRef
from warmstart.tensors import TensorSpec

ONE = model((TensorSpec("x", "FP32", (-1,)),), (TensorSpec("y", "FP32", (-1,)),))


@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_inputs_and_instances_mean_the_same_rows(key: str) -> None:
    asked = kserve_v1.read_predict(request({key: [1, 2]}))
    assert asked.tensors(ONE)["x"].tolist() == [1.0, 2.0]
    rendered = asked.render(ONE, [(ONE.signature.outputs[0], np.array([3.0, 4.0], np.float32))])
    assert json.loads(rendered.body) == {"predictions": [3.0, 4.0]}


@pytest.mark.parametrize("document", [{}, {"inputs": [1], "instances": [1]}, {"data": [1]}])
def test_a_body_with_neither_or_both_is_refused(document: object) -> None:
    with pytest.raises(MalformedBody, match="expected 'instances', or 'inputs' with the same meaning"):
        kserve_v1.read_predict(request(document))


def test_models_are_listed_by_name_and_ready_ones_say_so() -> None:
    found = [ModelRef("iris", 1, None), ModelRef("iris", 2, None), ModelRef("wine", 1, None)]
    assert json.loads(kserve_v1.render_models(found).body) == {"models": ["iris", "wine"]}
    assert json.loads(kserve_v1.render_ready(ONE).body) == {"name": "iris", "ready": True}
