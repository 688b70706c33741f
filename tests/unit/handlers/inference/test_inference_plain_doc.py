"""The examples of docs/protocol-plain.md, executed: each `curl` is sent, what stands below it is the answer."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.build import classifier, inference, models
from tests.build.inference import World, event

TEXT = (Path(__file__).parents[4] / "docs" / "protocol-plain.md").read_text()
EXAMPLES = re.findall(r"```sh\n(curl .*?)\n```.*?```(json|csv)\n(.*?\n)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    built = World(tmp_path_factory.mktemp("docs"))
    built.publish("adder", models.add(), inference.ADD)
    described = inference.signature(
        {"X": ("FP32", (-1, 4))}, {"label": ("INT64", (-1,)), "probabilities": ("FP32", (-1, 3))}
    )
    built.publish("iris", classifier.graph(), described, labels=("setosa", "versicolor", "virginica"))
    return built


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize(("command", "form", "expected"), EXAMPLES)
def test_an_example_gives_the_answer_below_it(world: World, command: str, form: str, expected: str) -> None:
    words = shlex.split(command)
    path = next(word for word in words if word.startswith("$ENDPOINT")).removeprefix("$ENDPOINT")
    headers = dict(words[index + 1].split(": ", 1) for index, word in enumerate(words) if word == "-H")
    answered = world.plane.answer(event("POST", path, words[words.index("-d") + 1], headers=headers), "request-1")
    assert answered["statusCode"] == 200
    body = answered["body"]
    assert (json.loads(body) == json.loads(expected)) if form == "json" else (body == expected)
