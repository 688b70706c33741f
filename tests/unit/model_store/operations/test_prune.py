"""What pruning removes, what it never touches, and what happens when somebody else is at work."""

from __future__ import annotations

import itertools
import json

import pytest

from model_store import keys
from model_store.memory import MemoryObjects
from model_store.objects import ObjectStore
from model_store.operations.prune import Kept, PrunePlan, RemoveVersion, plan_prune, prune
from model_store.operations.tags import change_tags
from model_store.registry import Registry
from tests.build.manifests import manifest, store_version
from tests.build.stores import Watched
from warmstart.errors import IntegrityError, InvalidSetting, ModelNotFound, NotFound, VersionNotFound

PUBLISHED = 1769860800.0
"""When all versions here were published: 2026-01-31T12:00:00Z."""
DAY = 86_400.0


class Killed(BaseException):
    """The process ends here."""


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = PUBLISHED

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def objects(clock: Clock) -> MemoryObjects:
    """Six versions of iris with claims, live at 6, all a month old."""
    store = MemoryObjects(clock=clock)
    for version in range(1, 7):
        store.put(keys.claim("iris", version), b"{}")
        store_version(store, manifest(version=version))
    opened(store, clock).move_alias("iris", "live", 6, by="ann")
    clock.now += 30 * DAY
    return store


def opened(objects: ObjectStore, clock: Clock) -> Registry:
    ids = itertools.count(1)
    return Registry(objects, clock=clock, new_id=lambda: f"id{next(ids)}")


def plan(objects: ObjectStore, clock: Clock, *, keep: int = 2, name: str | None = None) -> PrunePlan:
    return plan_prune(objects, opened(objects, clock), keep=keep, now=clock(), name=name)


def removed(planned: PrunePlan) -> list[int]:
    return [step.version for step in planned.versions]


def apply(planned: PrunePlan, objects: ObjectStore, clock: Clock) -> tuple[Kept, ...]:
    return prune(planned, objects, opened(objects, clock), now=clock())


def test_the_newest_stay(objects: MemoryObjects, clock: Clock) -> None:
    before = list(objects.keys(""))

    planned = plan(objects, clock, keep=2)

    assert planned.versions == tuple(RemoveVersion(name="iris", version=n, size_bytes=5) for n in (1, 2, 3, 4))
    assert (planned.kept, planned.size_bytes) == ((), 20)
    assert list(objects.keys("")) == before


def test_a_removed_version_leaves_its_claim_alone(objects: MemoryObjects, clock: Clock) -> None:
    change_tags(objects, "iris", 1, put={"owner": "ann"})

    assert apply(plan(objects, clock, keep=5), objects, clock) == ()

    assert opened(objects, clock).versions("iris") == [2, 3, 4, 5, 6]
    assert list(objects.keys("models/iris/versions/1/")) == [keys.claim("iris", 1)]
    assert list(objects.keys("models/iris/tags/")) == []


def test_a_version_that_was_never_claimed_is_claimed_before_it_goes(objects: MemoryObjects, clock: Clock) -> None:
    objects.delete(keys.claim("iris", 1))

    apply(plan(objects, clock, keep=5), objects, clock)

    assert list(objects.keys("models/iris/versions/1/")) == [keys.claim("iris", 1)]


def test_what_an_alias_points_at_stays(objects: MemoryObjects, clock: Clock) -> None:
    opened(objects, clock).move_alias("iris", "canary", 2, by="ann")
    clock.now += 30 * DAY

    planned = plan(objects, clock)

    assert removed(planned) == [1, 3, 4]
    assert planned.kept == (Kept(name="iris", version=2, reason="canary points at it"),)


@pytest.mark.parametrize(
    "routes",
    [
        {"routes": [{"version": 2, "weight": 90}]},
        {"shadows": ["2"], "sticky": "user"},
        {"routes": {"2": 0.5, "6": 0.5}},
    ],
)
def test_what_a_rollout_points_at_stays(objects: MemoryObjects, clock: Clock, routes: object) -> None:
    objects.put(keys.traffic("iris"), json.dumps(routes).encode())

    planned = plan(objects, clock)

    assert removed(planned) == [1, 3, 4]
    assert planned.kept == (Kept(name="iris", version=2, reason="a rollout points at it"),)


def test_routes_that_cannot_be_read_stop_everything(objects: MemoryObjects, clock: Clock) -> None:
    objects.put(keys.traffic("iris"), b"{")

    with pytest.raises(IntegrityError, match=r"models/iris/traffic\.json: not routes: .*before versions are removed"):
        plan(objects, clock)


def test_what_an_alias_pointed_at_in_the_last_24_hours_stays(objects: MemoryObjects, clock: Clock) -> None:
    registry = opened(objects, clock)
    registry.move_alias("iris", "live", 2, by="ann")
    clock.now += 30 * DAY
    registry.move_alias("iris", "live", 6, by="ann")
    clock.now += DAY - 1

    assert plan(objects, clock).kept == (Kept(name="iris", version=2, reason="live pointed at it in the last 24 h"),)

    clock.now += 2
    assert removed(plan(objects, clock)) == [1, 2, 3, 4]


def test_what_was_published_in_the_last_24_hours_stays(objects: MemoryObjects, clock: Clock) -> None:
    clock.now = PUBLISHED + DAY - 1

    assert {kept.reason for kept in plan(objects, clock, keep=1).kept} == {"published in the last 24 h"}


def test_what_a_dead_publisher_left_goes_after_a_day_and_its_claim_stays(objects: MemoryObjects, clock: Clock) -> None:
    objects.put(keys.claim("iris", 7), b"{}")
    objects.put(keys.artifact("iris", 7, "model.onnx"), b"half")
    clock.now += DAY - 1
    assert plan(objects, clock).unfinished == ()
    clock.now += 2

    apply(plan(objects, clock, keep=6), objects, clock)

    assert list(objects.keys("models/iris/versions/7/")) == [keys.claim("iris", 7)]


def test_files_on_their_way_go_after_a_day_if_all_models_are_looked_at(objects: MemoryObjects, clock: Clock) -> None:
    objects.put(keys.upload("ab"), b"old")
    clock.now += DAY + 1
    objects.put(keys.upload("cd"), b"new")

    assert plan(objects, clock, name="iris").uploads == ()
    apply(plan(objects, clock, keep=6), objects, clock)

    assert list(objects.keys(keys.UPLOADS)) == [keys.upload("cd")]


def test_a_model_that_is_not_there_is_said_to_be(objects: MemoryObjects, clock: Clock) -> None:
    with pytest.raises(ModelNotFound):
        plan(objects, clock, name="wine")
    with pytest.raises(InvalidSetting, match="keep: expected 1 or more versions, got 0"):
        plan(objects, clock, keep=0)


def test_a_version_that_came_into_use_since_it_was_planned_stays(objects: MemoryObjects, clock: Clock) -> None:
    planned = plan(objects, clock)
    opened(objects, clock).move_alias("iris", "live", 3, by="bob")

    assert apply(planned, objects, clock) == (Kept(name="iris", version=3, reason="live points at it"),)
    assert opened(objects, clock).versions("iris") == [3, 5, 6]


def test_whenever_an_alias_is_moved_while_its_version_is_pruned_it_points_at_something(
    objects: MemoryObjects, clock: Clock
) -> None:
    outcomes = set()
    for moment in itertools.count(1):
        store, passed = MemoryObjects(clock=clock), itertools.count(1)
        for key in objects.keys(""):
            store.put(key, objects.get(key).body)
        done: list[str] = []

        def step_in(_operation: str, key: str, passed: itertools.count[int] = passed, moment: int = moment) -> None:
            if key.startswith("models/iris/") and next(passed) == moment:
                try:
                    opened(store, clock).move_alias("iris", "live", 1, by="bob")  # noqa: B023
                    done.append("moved")  # noqa: B023
                except NotFound:
                    done.append("refused")  # noqa: B023

        planned = plan(store, clock, keep=5)
        apply(planned, Watched(store, before=step_in), clock)
        if not done:
            break
        outcomes.add(done[0])
        opened(store, clock).manifest("iris", opened(store, clock).alias("iris", "live").version)
    assert outcomes == {"moved", "refused"}


def test_a_mover_that_sees_the_version_pruned_moves_back(objects: MemoryObjects, clock: Clock) -> None:
    def remove(operation: str, key: str) -> None:
        if (operation, key) == ("put", keys.alias("iris", "live")):
            objects.delete(keys.manifest("iris", 1))

    with pytest.raises(VersionNotFound):
        opened(Watched(objects, before=remove), clock).move_alias("iris", "live", 1, by="bob")

    history = opened(objects, clock).history("iris")
    assert [(c.version, c.reason) for c in history][-2:] == [(1, ""), (6, "1 was pruned meanwhile")]


def test_killed_anywhere_no_version_is_half_there_and_the_rest_goes_a_day_later(
    objects: MemoryObjects, clock: Clock
) -> None:
    for fatal in itertools.count(1):
        store, passed = MemoryObjects(clock=clock), itertools.count(1)
        for key in objects.keys(""):
            store.put(key, objects.get(key).body)

        def die(_operation: str, _key: str, passed: itertools.count[int] = passed, fatal: int = fatal) -> None:
            if next(passed) == fatal:
                raise Killed

        try:
            apply(plan(store, clock, keep=4), Watched(store, before=die), clock)
            break
        except Killed:
            for version in opened(store, clock).versions("iris"):
                assert store.get(keys.artifact("iris", version, "model.onnx")).body == b"graph"
        clock.now += DAY + 1
        apply(plan(store, clock, keep=4), store, clock)
        assert list(store.keys("models/iris/versions/1/")) == [keys.claim("iris", 1)]
        assert opened(store, clock).versions("iris") == [3, 4, 5, 6]
    assert fatal > 20
