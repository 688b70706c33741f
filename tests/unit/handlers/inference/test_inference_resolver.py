"""Aliases asked for again after a while; a store that cannot answer does not matter to what is known."""

from __future__ import annotations

import pytest

from handlers.inference.resolver import BACK_OFF_S, Resolver
from model_store import keys
from model_store.manifest import Manifest
from model_store.registry_reader import RegistryReader
from tests.build import manifests
from tests.build.inference import WatchedStore
from warmstart.errors import AliasNotFound, IntegrityError, ModelNotFound, StoreUnavailable, VersionNotFound
from warmstart.refs import ModelRef

IRIS = ModelRef.parse("iris")
ALIAS = "models/iris/aliases/live.json"
TTL_S = 10.0


class World:
    def __init__(self, baked: dict[tuple[str, int], Manifest] | None = None) -> None:
        self.store, self.warnings, self.time_s = WatchedStore(), list[str](), 0.0
        for version in (1, 2):
            manifests.store_version(self.store.objects, manifests.manifest(version=version))
        manifests.store_alias(self.store.objects, "iris", 1)
        self.resolver = Resolver(
            RegistryReader(self.store),
            baked=lambda name, version: (baked or {}).get((name, version)),
            choose=lambda manifest: manifest,
            alias_ttl_s=TTL_S,
            clock=lambda: self.time_s,
            warn=self.warnings.append,
        )

    def version(self, ref: str = "iris") -> int:
        return self.resolver.resolve(ModelRef.parse(ref)).version

    def move(self, version: int) -> None:
        manifests.store_alias(self.store.objects, "iris", version)


def test_an_alias_costs_two_requests_once_and_then_none_until_it_is_old() -> None:
    world = World()
    assert world.version() == 1
    assert world.store.requests == [f"GET {ALIAS}", "GET models/iris/versions/1/manifest.json"]
    world.time_s = TTL_S - 0.001
    assert world.version() == 1
    assert len(world.store.requests) == 2


def test_an_old_alias_costs_one_conditional_request() -> None:
    world = World()
    world.version()
    world.time_s = TTL_S
    assert world.version() == 1
    assert world.store.requests[2:] == [f"GET-IF-CHANGED {ALIAS}"]
    world.time_s = 2 * TTL_S - 0.001
    world.version()
    assert len(world.store.requests) == 3


def test_what_is_known_is_found_without_asking() -> None:
    world = World()
    alias, exact = ModelRef.parse("iris"), ModelRef.parse("iris:1")
    assert [world.resolver.known(alias), world.resolver.known(exact)] == [None, None]
    world.version()
    known = [world.resolver.known(alias), world.resolver.known(exact)]
    assert [manifest.version for manifest in known if manifest] == [1, 1]
    world.time_s = TTL_S
    assert world.resolver.known(alias) is None
    assert len(world.store.requests) == 2


def test_a_moved_alias_is_seen_when_the_old_one_has_had_its_time() -> None:
    world = World()
    world.version()
    world.move(2)
    assert world.version() == 1
    world.time_s = TTL_S
    assert world.version() == 2
    world.move(1)
    world.time_s = 2 * TTL_S
    assert world.version() == 1
    assert world.store.requests.count("GET models/iris/versions/1/manifest.json") == 1


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
def test_a_clock_that_jumps_keeps_no_alias_fresh(jump_s: float) -> None:
    world = World()
    world.version()
    world.move(2)
    world.time_s += jump_s
    assert world.version() == 2


def test_a_version_is_asked_for_once_and_never_again() -> None:
    world = World()
    assert world.version("iris:2") == 2
    world.time_s = 1e9
    world.store.is_down = True
    assert world.version("iris:2") == 2


def test_an_unreachable_store_leaves_the_known_version_and_is_noted_once() -> None:
    world = World()
    world.version()
    world.store.is_down = True
    world.time_s = TTL_S
    assert [world.version() for _ in range(5)] == [1] * 5
    assert len(world.store.requests) == 3
    world.time_s += BACK_OFF_S
    assert world.version() == 1
    assert len(world.store.requests) == 4
    assert world.warnings == ["alias iris: the store did not answer, version 1 serves on: store: did not answer"]


def test_a_store_that_comes_back_is_believed_again() -> None:
    world = World()
    world.version()
    world.move(2)
    world.store.is_down, world.time_s = True, TTL_S
    world.version()
    world.store.is_down, world.time_s = False, TTL_S + BACK_OFF_S
    assert world.version() == 2
    world.store.is_down, world.time_s = True, 3 * TTL_S
    assert world.version() == 2
    assert len(world.warnings) == 2


def test_an_unreachable_store_is_an_error_while_nothing_is_known() -> None:
    world = World()
    world.store.is_down = True
    with pytest.raises(StoreUnavailable):
        world.version()
    world.store.is_down = False
    assert world.version() == 1


def test_what_does_not_exist_is_not_found() -> None:
    world = World()
    with pytest.raises(ModelNotFound):
        world.version("nothing")
    with pytest.raises(AliasNotFound):
        world.version("iris@canary")
    with pytest.raises(VersionNotFound):
        world.version("iris:9")


def test_an_alias_that_can_no_longer_be_read_is_refused_each_time_and_not_guessed() -> None:
    world = World()
    world.version()
    world.store.objects.put(ALIAS, b"{")
    world.time_s = TTL_S
    for _ in range(2):
        with pytest.raises(IntegrityError):
            world.version()
    world.move(2)
    assert world.version() == 2


def test_a_version_that_cannot_be_fetched_gives_way_to_the_one_before() -> None:
    world = World()
    first = world.resolver.resolve(IRIS)
    world.move(2)
    world.time_s = TTL_S
    second = world.resolver.resolve(IRIS)
    assert world.resolver.step_back(IRIS, second) is first
    assert world.version() == 1
    world.time_s += BACK_OFF_S
    assert world.version() == 2


def test_there_is_nothing_to_step_back_to_without_a_move() -> None:
    world = World()
    first = world.resolver.resolve(IRIS)
    assert world.resolver.step_back(IRIS, first) is None
    assert world.resolver.step_back(ModelRef.parse("iris:1"), first) is None


def test_a_baked_manifest_is_not_asked_for() -> None:
    world = World({("iris", 1): manifests.manifest()})
    assert world.version() == 1
    assert world.store.requests == [f"GET {ALIAS}"]
    world.store.objects.put(keys.manifest("iris", 1), b"{")
    assert world.version("iris:1") == 1
