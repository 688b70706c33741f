"""The examples of docs/http-api.md, executed: each `curl` is sent, the JSON below it is the answer."""

from __future__ import annotations

import json
import re
import shlex
from base64 import b64encode
from itertools import pairwise
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


FILES = {"@row.f32": b"\x00\x00\x80\x3f\x00\x00\x20\x40"}  # 1 and 2.5


def sent(world: World, command: str) -> Any:
    words = shlex.split(command)
    path = next(word for word in words if word.startswith("$ENDPOINT")).removeprefix("$ENDPOINT")
    headers = dict(value.split(": ") for option, value in pairwise(words) if option == "-H")
    assert headers.pop("x-api-key") == "$KEY"
    if "--data-binary" in words:
        body = b64encode(FILES[words[words.index("--data-binary") + 1]]).decode()
        return world.ask("POST", path, body, headers=headers, isBase64Encoded=True)
    body = words[words.index("-d") + 1] if "-d" in words else ""
    form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    return world.ask("POST" if body else "GET", path, body or None, headers=form | headers)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize(("command", "expected"), EXAMPLES)
def test_an_example_gives_the_answer_below_it(world: World, command: str, expected: str) -> None:
    answered = sent(world, command)
    assert (answered.status, answered.json) == (200, json.loads(expected))
