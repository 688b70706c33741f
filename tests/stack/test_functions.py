"""Versions and aliases, concurrency, reaping, and asynchronous invocations; real processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from local.types import FunctionNotFound, PayloadTooLarge, Throttled
from tests.build.functions import SLEEP, World, in_background, until, worlds


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    with worlds(tmp_path) as make:
        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


# -- versions and aliases


def test_an_alias_leads_to_its_version_and_the_context_shows_the_name_that_was_used(world: World) -> None:
    code = "def handler(event, context): return [context.function_version, context.invoked_function_arn]"
    world.put(code, version="1")
    world.put(code, version="2")
    world.functions.alias("fn", "live", "1")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:fn"
    assert world.answer(qualifier="live") == ["1", f"{arn}:live"]
    world.functions.alias("fn", "live", "2")
    assert world.answer(qualifier="live") == ["2", f"{arn}:live"]
    assert world.functions.invoke(f"{arn}:1", b"{}").executed_version == "1"


def test_a_new_version_gets_new_environments(world: World) -> None:
    for version in ("1", "2"):
        world.put(version=version)
        world.functions.alias("fn", "live", version)
        world.invoke(qualifier="live")
    assert sorted(view.version for view in world.functions.environments()) == ["1", "2"]
    assert ["Init Duration" in line for line in world.lines("REPORT")] == [True, True]


def test_a_published_version_cannot_be_changed(world: World) -> None:
    world.put(version="1")
    with pytest.raises(ValueError, match="fn:1: a published version cannot be changed"):
        world.put("def handler(event, context): return 'other'", version="1")


def test_latest_is_replaced_and_its_old_environments_end(world: World) -> None:
    world.put("def handler(event, context): return 'old'", version="$LATEST")
    assert world.answer(qualifier="$LATEST") == "old"
    (pid,) = world.pids()
    world.put("def handler(event, context): return 'new'", version="$LATEST")
    assert not psutil.pid_exists(pid)
    assert json.loads(world.functions.invoke("fn", b"").payload) == "new"


def test_a_replaced_environment_in_an_invocation_ends_after_it(world: World) -> None:
    world.put(SLEEP, version="1")
    (running,) = in_background(world, {"s": 0.3})
    world.functions.remove("fn")
    assert running.result().payload == b'"slept"'
    until(lambda: world.functions.environments() == [])
    with pytest.raises(FunctionNotFound):
        world.invoke()


# -- concurrency


def test_concurrent_requests_get_environments_of_their_own(world: World) -> None:
    world.put(SLEEP)
    for future in in_background(world, {"s": 0.3}, count=3):
        assert future.result().payload == b'"slept"'
    assert len(world.pids()) == 3


def test_above_the_reserved_concurrency_requests_are_throttled(world: World) -> None:
    world.put(SLEEP, reserved_concurrency=1)
    (running,) = in_background(world, {"s": 0.3})
    with pytest.raises(Throttled, match="ReservedFunctionConcurrentInvocationLimitExceeded"):
        world.invoke({"s": 0})
    assert running.result().function_error is None
    assert world.answer({"s": 0}) == "slept"


def test_a_reserved_concurrency_of_zero_turns_a_function_off(world: World) -> None:
    world.put(reserved_concurrency=0)
    with pytest.raises(Throttled):
        world.invoke()


def test_above_the_accounts_concurrency_requests_are_throttled(make_world: Callable[..., World]) -> None:
    world = make_world(account_concurrency=2)
    world.put(SLEEP)
    in_background(world, {"s": 5}, count=2)
    with pytest.raises(Throttled, match="ConcurrentInvocationLimitExceeded"):
        world.invoke({"s": 0})


def test_the_environment_used_last_is_used_next(world: World) -> None:
    world.put("import os, time\ndef handler(event, context):\n    time.sleep(event['s'])\n    return os.getpid()")
    first, second = in_background(world, {"s": 0.2}, count=2)
    first.result(), second.result()
    last = world.answer({"s": 0})
    assert [world.answer({"s": 0}) for _ in range(3)] == [last, last, last]


def test_idle_environments_are_reaped_after_five_minutes(world: World) -> None:
    world.put()
    world.invoke()
    (pid,) = world.pids()
    world.time = 299.0
    assert world.functions.reap() == 0
    world.time = 300.0
    assert world.functions.reap() == 1
    assert not psutil.pid_exists(pid)
    assert world.functions.environments() == []


# -- asynchronous


def test_an_event_that_fails_is_tried_twice_more_under_the_same_request_id(make_world: Callable[..., World]) -> None:
    world = make_world(event_retry_delays_s=(0.01, 0.01))
    world.put("def handler(event, context): raise ValueError('no')")
    request_id = world.functions.invoke_event("fn", b"{}", qualifier="1")
    until(lambda: len(world.lines("REPORT")) == 3)
    assert [line.split()[2] for line in world.lines("START")] == [request_id] * 3


def test_a_dry_run_names_the_version_and_runs_nothing(world: World) -> None:
    world.put(version="4")
    world.functions.alias("fn", "live", "4")
    assert world.functions.dry_run("fn:live") == "4"
    assert world.functions.environments() == []


def test_an_event_above_1_mb_is_refused(world: World) -> None:
    world.put()
    with pytest.raises(PayloadTooLarge, match="1048576"):
        world.functions.invoke_event("fn:1", b'"%s"' % (b"x" * 1048575))


def test_the_example_in_the_docs_runs(capsys: pytest.CaptureFixture[str]) -> None:
    document = Path(__file__).parents[2] / "docs" / "twin-lambda.md"
    example = document.read_text().split("```python\n")[1].split("```")[0]
    exec(compile(example, str(document), "exec"), {})  # noqa: S102 - the documentation's own code
    assert capsys.readouterr().out.endswith("b'4'\n")
