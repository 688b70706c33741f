"""The examples of the scoring protocols' pages, executed: each `curl` is sent, what is below it is the answer."""

from __future__ import annotations

import json
import re
import shlex
from base64 import b64encode
from itertools import pairwise
from pathlib import Path

import pytest

from tests.build import bad_v1, scoring
from tests.build.inference import Answered, World

DOCS = Path(__file__).parents[4] / "docs"
COUNTS = {
    "protocol-mlflow.md": 4,
    "protocol-sagemaker.md": 3,
    "protocol-torchserve.md": 4,
    "protocol-tensorflow-serving.md": 5,
    "protocol-kserve-v1.md": 2,
    "protocol-vertex-ai.md": 1,
}
V1 = ("protocol-tensorflow-serving.md", "protocol-kserve-v1.md", "protocol-vertex-ai.md")
EXAMPLES = {
    page: re.findall(r"```sh\n(curl .*?)\n```\n\n```(json|text)\n(.*?)\n```", (DOCS / page).read_text(), re.DOTALL)
    for page in COUNTS
}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, World]:
    """By the page: the models that its examples ask."""
    folder = tmp_path_factory.mktemp("scoring-docs")
    flowers, numbers = scoring.world(folder / "a", default="iris"), bad_v1.world(folder / "b")
    kserve = bad_v1.world(folder / "c", WARMSTART_V1_PROTOCOL="kserve")
    found = {page: numbers if page in V1 else flowers for page in COUNTS}
    return found | {"protocol-kserve-v1.md": kserve}


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
    ("page", "command", "kind", "expected"),
    [(page, *example) for page, examples in EXAMPLES.items() for example in examples],
)
def test_an_example_gives_the_answer_below_it(
    worlds: dict[str, World], page: str, command: str, kind: str, expected: str
) -> None:
    answered = sent(worlds[page], command)
    found = answered.json if kind == "json" else answered.body.decode().removesuffix("\n")
    assert (answered.status, found) == (200, json.loads(expected) if kind == "json" else expected)
