"""`warmstart smoke`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from model_store import keys
from model_store.gate.golden import example, render_golden
from model_store.integrity import sha256_of_bytes
from model_store.keys import GOLDEN
from model_store.manifest import ModelFile
from tests.build.command_line import CommandLine
from tests.build.manifests import IDENTITY, manifest, store_alias, store_version
from warmstart.client import Answer, RequestRefused

ROWS = np.array([[1.0, 2.0]], np.float32)
GOOD: dict[str, Any] = {"outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [1.0, 2.0]}]}
WRONG: dict[str, Any] = {"outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [1.0, 9.0]}]}


@pytest.fixture(autouse=True)
def published(warmstart: CommandLine) -> None:
    """iris:1, with one golden example: x = y = [1, 2]."""
    body = render_golden([example(IDENTITY, {"x": ROWS}, {"y": ROWS})])
    document = ModelFile(GOLDEN, len(body), sha256_of_bytes(body))
    store = warmstart.stage.store
    store_version(store, manifest()._replace(documents=(document,)))
    store.put(keys.artifact("iris", 1, GOLDEN), body)
    store_alias(store, "iris", 1)


def test_an_endpoint_that_answers_as_before_is_fine(warmstart: CommandLine) -> None:
    warmstart.stage.predictor.answer = Answer(GOOD, 1, "r-1")

    ran = warmstart("smoke", "iris")

    assert ran.code == 0
    assert ran.out.startswith("ok  iris:1  1 golden example, first ")
    [asked] = warmstart.stage.predictor.asked
    assert asked.ref == "iris:1"
    assert asked.records["inputs"][0]["data"] == [1.0, 2.0]


def test_another_answer_is_told_and_exits_with_1(warmstart: CommandLine) -> None:
    warmstart.stage.predictor.answer = Answer(WRONG, 1, "r-1")

    ran = warmstart("smoke", "iris")

    assert ran.code == 1
    assert ran.lines[0].startswith("no  iris:1  1 of 1 golden example, ")
    assert "y" in ran.lines[1]
    assert "9" in ran.lines[1]


def test_a_refusal_is_a_problem_like_any_other(warmstart: CommandLine) -> None:
    warmstart.stage.predictor.answer = RequestRefused("HTTP 503: no", status=503, request_id="r-1")

    document = warmstart("smoke", "iris", "--json").document

    assert (document["name"], document["version"]) == ("iris", 1)
    assert document["examples"][0]["problems"] == ["HTTP 503: no"]


def test_a_version_without_golden_examples_is_refused_with_the_remedy(warmstart: CommandLine) -> None:
    store_version(warmstart.stage.store, manifest(version=2))

    ran = warmstart("smoke", "iris:2")

    assert ran.code == 1
    assert "iris:2: it has no golden examples; publish it again" in ran.err
