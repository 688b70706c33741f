"""The examples of docs/http-api.md, executed: each `curl` is sent, the JSON below it is the answer."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.build import classifier, inference, models
from tests.build.inference import World

TEXT = (Path(__file__).parents[4] / "docs" / "http-api.md").read_text()
EXAMPLES = re.findall(r"```sh\n(curl .*?)\n```\n\n```json\n(.*?)\n```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    built = World(tmp_path_factory.mktemp("docs"))
    built.publish_doubler()
    built.publish("adder", models.add(), inference.ADD)
    built.publish("iris", classifier.graph(), classifier.SIGNATURE, labels=classifier.LABELS)
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
