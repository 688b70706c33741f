"""The examples of docs/http-api.md, executed: each `curl` is sent, the JSON below it is the answer."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from tests.build import inference, models
from tests.build.inference import World

TEXT = (Path(__file__).parents[4] / "docs" / "http-api.md").read_text()
EXAMPLES = re.findall(r"```sh\n(curl .*?)\n```\n\n```json\n(.*?)\n```", TEXT, re.DOTALL)


def classifier() -> bytes:
    """Scores that the documentation can show: those of its two flowers, told apart by their third value."""
    table = np.array([[0.75, 0.25, 0.0], [0.0, 0.5, 0.5]], np.float32)
    nodes = [
        helper.make_node("Gather", ["X", "column"], ["petal"], axis=1),
        helper.make_node("Greater", ["petal", "limit"], ["is_long"]),
        helper.make_node("Cast", ["is_long"], ["row"], to=7),
        helper.make_node("Gather", ["table", "row"], ["probabilities"], axis=0),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    weights = [
        numpy_helper.from_array(np.array(2, np.int64), "column"),
        numpy_helper.from_array(np.array(2.5, np.float32), "limit"),
        numpy_helper.from_array(table, "table"),
    ]
    outputs = [models.tensor("label", 7, ["batch"]), models.tensor("probabilities", 1, ["batch", 3])]
    return models.model(nodes, [models.tensor("X", 1, ["batch", 4])], outputs, weights)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    built = World(tmp_path_factory.mktemp("docs"))
    built.publish_doubler()
    built.publish("adder", models.add(), inference.ADD)
    described = inference.signature(
        {"X": ("FP32", (-1, 4))}, {"label": ("INT64", (-1,)), "probabilities": ("FP32", (-1, 3))}
    )
    built.publish("iris", classifier(), described, labels=("setosa", "versicolor", "virginica"))
    return built


def sent(world: World, command: str) -> Any:
    words = shlex.split(command)
    path = next(word for word in words if word.startswith("$ENDPOINT")).removeprefix("$ENDPOINT")
    assert "x-api-key: $KEY" in words
    body = words[words.index("-d") + 1] if "-d" in words else None
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    return world.ask("POST" if body else "GET", path, body, headers=headers)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize(("command", "expected"), EXAMPLES)
def test_an_example_gives_the_answer_below_it(world: World, command: str, expected: str) -> None:
    answered = sent(world, command)
    assert (answered.status, answered.json) == (200, json.loads(expected))
