"""Where an inference's time went: in its answer, if the stage wants it, and in the log where a model was opened."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handlers.inference.timing import Timing
from tests.build.inference import World, infer_body
from warmstart.errors import InvalidSetting
from warmstart.refs import ModelRef

INFER = "/v2/models/doubler/infer"


def test_only_what_took_time_is_said() -> None:
    timing = Timing(init=0, resolve=1_500_000, fetch=0, session=0, parse=2_000, run=0, render=1_234_567)
    assert timing.milliseconds() == {"resolve": 1.5, "parse": 0.002, "render": 1.235}
    assert timing.header() == "resolve;dur=1.5, parse;dur=0.002, render;dur=1.235"


def test_a_cold_answer_says_all_of_it_and_a_warm_one_what_is_left(tmp_path: Path) -> None:
    world = World(tmp_path, WARMSTART_SERVER_TIMING="true")
    world.publish_doubler()
    cold, warm = (world.ask("POST", INFER, infer_body([1, 2])).headers["server-timing"] for _ in range(2))
    assert re.findall(r"(\w+);dur=[0-9.e-]+", cold) == [
        "init", "resolve", "fetch", "session", "parse", "run", "render",
    ]  # fmt: skip
    assert set(re.findall(r"(\w+);dur", warm)) <= {"resolve", "parse", "run", "render"}


def test_answers_say_nothing_of_it_unless_the_stage_wants_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_doubler()
    assert "server-timing" not in world.ask("POST", INFER, infer_body([1, 2])).headers
    with pytest.raises(InvalidSetting, match="WARMSTART_SERVER_TIMING: expected false or true, got '1'"):
        World(tmp_path, WARMSTART_SERVER_TIMING="1")


def test_the_log_has_it_for_a_first_invocation_whose_model_was_open_already(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_doubler()
    world.plane._service.ready(ModelRef.parse("doubler"))
    for _ in range(2):
        world.ask("POST", INFER, infer_body([1, 2]))
    cold, warm = world.logged()
    assert list(cold["timing_ms"])[:2] == ["init", "resolve"]
    assert not {"fetch", "session"} & set(cold["timing_ms"])
    assert "timing_ms" not in warm


def test_the_log_has_it_for_the_invocation_that_opened_the_model(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_doubler()
    for _ in range(2):
        world.ask("POST", INFER, infer_body([1, 2]))
    cold, warm = world.logged()
    assert list(cold["timing_ms"]) == ["init", "resolve", "fetch", "session", "parse", "run", "render"]
    assert cold["timing_ms"]["init"] == 5
    assert "timing_ms" not in warm
