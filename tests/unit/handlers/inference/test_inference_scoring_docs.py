"""The examples of the scoring protocols' pages, executed: each `curl` is sent, what is below it is the answer."""

from __future__ import annotations

import json
import re
import shlex
from base64 import b64encode
from itertools import pairwise
from pathlib import Path

import pytest

from tests.build import scoring
from tests.build.inference import Answered, World

DOCS = Path(__file__).parents[4] / "docs"
COUNTS = {"protocol-mlflow.md": 4, "protocol-sagemaker.md": 3, "protocol-torchserve.md": 4}
EXAMPLES = {
    page: re.findall(r"```sh\n(curl .*?)\n```\n\n```(json|text)\n(.*?)\n```", (DOCS / page).read_text(), re.DOTALL)
    for page in COUNTS
}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return scoring.world(tmp_path_factory.mktemp("scoring-docs"), default="iris")


def sent(world: World, command: str) -> Answered:
    words = shlex.split(command)
    headers = {"Content-Type": FORM}
    headers |= dict(after.split(": ", 1) for word, after in pairwise(words) if word == "-H")
    assert headers.pop("x-api-key") == "$KEY"
    path = next(word for word in words if word.startswith("$ENDPOINT")).removeprefix("$ENDPOINT")
    data = next((after for word, after in pairwise(words) if word in ("-d", "--data-binary")), None)
    if data is None:
        return world.ask("GET", path)
    return world.ask("POST", path, b64encode(data.encode()).decode(), isBase64Encoded=True, headers=headers)


def test_there_are_examples() -> None:
    assert {page: len(examples) for page, examples in EXAMPLES.items()} == COUNTS


@pytest.mark.parametrize(
    ("command", "kind", "expected"), [example for examples in EXAMPLES.values() for example in examples]
)
def test_an_example_gives_the_answer_below_it(world: World, command: str, kind: str, expected: str) -> None:
    answered = sent(world, command)
    found = answered.json if kind == "json" else answered.body.decode().removesuffix("\n")
    assert (answered.status, found) == (200, json.loads(expected) if kind == "json" else expected)
