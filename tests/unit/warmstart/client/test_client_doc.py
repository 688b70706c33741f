"""The examples of docs/client.md, run as they stand, and the numbers that it names."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path

from tests.build import inference, models
from tests.build.inference import World
from tests.build.served import served
from warmstart import Client
from warmstart.client import retry, tensors

TEXT = (Path(__file__).parents[4] / "docs" / "client.md").read_text(encoding="utf-8")
EXAMPLES = "\n".join(re.findall(r"```pycon\n(.*?)```", TEXT, re.DOTALL))


def test_the_examples_give_what_stands_below_them(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_doubler()
    world.publish("adder", models.add(), inference.ADD)
    with served(world) as endpoint:
        given = {"url": endpoint.url, "key": "secret"}
        examples = doctest.DocTestParser().get_doctest(EXAMPLES, given, "client.md", "client.md", 0)
        said: list[str] = []
        ran = doctest.DocTestRunner(verbose=False).run(examples, out=said.append)

    assert (ran.failed, "".join(said)) == (0, "")
    assert ran.attempted == EXAMPLES.count(">>> ")


def test_the_defaults_are_those_of_the_code() -> None:
    defaults = {name: each.default for name, each in inspect.signature(Client).parameters.items()}

    assert f"`timeout_s` ({defaults['timeout_s']:g})" in TEXT
    assert f"`attempts` ({defaults['attempts']}), `total_timeout_s` ({defaults['total_timeout_s']:g})" in TEXT
    assert (retry.FIRST_WAIT_S, retry.LONGEST_WAIT_S) == (0.2, 10.0)
    assert "by chance up to 0.2, 0.4, 0.8 s and so on to 10 s" in TEXT
    assert tensors.LARGE_BYTES == 4 * 1024
    assert "Tensors above 4 KB" in TEXT
