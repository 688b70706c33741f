"""What can be counted of growth: requests to the store by its models, and work per answer by the open sessions."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.build import manifests, models
from tests.build.inference import World, event, infer_body


def world_of(count: int, tmp: Path) -> World:
    world = World(tmp)
    for number in range(count):
        world.publish(f"model-{number}", models.scale(1.0 + number), manifests.IDENTITY)
    return world


def asked(number: int) -> dict[str, Any]:
    return event("POST", f"/v2/models/model-{number}/infer", infer_body([1.0, 2.5]))


def executed(world: World) -> dict[str, int]:
    """Count the calls, lines and returns of Python that one answer of model-0 executes, by function."""
    counted: dict[str, int] = {}

    def trace(frame: FrameType, what: str, _argument: object) -> Any:
        where = f"{what} {frame.f_code.co_filename}:{frame.f_code.co_name}"
        counted[where] = counted.get(where, 0) + 1
        return trace

    before = sys.gettrace()
    gc.disable()  # a test library's callback of it would be counted
    sys.settrace(trace)
    try:
        answer = world.plane.answer(asked(0), "request-1")
    finally:
        sys.settrace(before)
        gc.enable()
    assert answer["statusCode"] == 200
    return counted


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_a_first_answer_asks_the_store_three_times_however_many_models_it_holds(count: int, tmp_path: Path) -> None:
    world = world_of(count, tmp_path)
    assert world.plane.answer(asked(count - 1), "request-1")["statusCode"] == 200
    assert [request.split()[0] for request in world.store.requests] == ["GET", "GET", "DOWNLOAD"]


def test_a_warm_answer_executes_as_many_lines_with_one_session_open_as_with_many(tmp_path: Path) -> None:
    found = []
    for count in (1, 200):
        world = world_of(count, tmp_path / str(count))
        (tmp_path / str(count)).mkdir()
        for number in (*range(count), *range(count)):
            assert world.plane.answer(asked(number), "request-1")["statusCode"] == 200
        found.append(executed(world))
    assert found[0] == found[1]
    assert any(where.endswith("sessions.py:run") for where in found[0])
