"""Versions and aliases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from local.functions.registry import Registry
from local.types import FunctionConfig, FunctionNotFound

CONFIG = FunctionConfig(
    name="fn",
    version="1",
    handler="app.handler",
    code_dir=Path("/code"),
    layer_dirs=(),
    environment={},
    memory_mb=128,
    timeout_s=3,
    log_group="/aws/lambda/fn",
)


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.put(CONFIG)
    return registry


def test_the_same_version_may_be_put_again(registry: Registry) -> None:
    assert registry.put(CONFIG) is None


def test_reserved_concurrency_is_the_functions_and_may_change(registry: Registry) -> None:
    registry.put(replace(CONFIG, reserved_concurrency=2))
    assert registry.resolve("fn", "1").reserved == 2


def test_a_refused_change_leaves_the_version_as_it_was(registry: Registry) -> None:
    with pytest.raises(ValueError, match="cannot be changed"):
        registry.put(replace(CONFIG, memory_mb=256, reserved_concurrency=5))
    resolved = registry.resolve("fn", "1")
    assert (resolved.release.config.memory_mb, resolved.reserved) == (128, None)


def test_without_a_qualifier_latest_is_meant(registry: Registry) -> None:
    with pytest.raises(FunctionNotFound, match="function:fn"):
        registry.resolve("fn", None)
    registry.put(replace(CONFIG, version="$LATEST"))
    assert registry.resolve("fn", None).release.config.version == "$LATEST"


@pytest.mark.parametrize(("function", "version"), [("fn", "2"), ("other", "1")])
def test_an_alias_needs_its_version(registry: Registry, function: str, version: str) -> None:
    with pytest.raises(FunctionNotFound):
        registry.alias(function, "live", version)


def test_a_removed_function_is_not_found(registry: Registry) -> None:
    assert [release.config.version for release in registry.remove("fn")] == ["1"]
    assert registry.remove("fn") == []
    with pytest.raises(FunctionNotFound):
        registry.resolve("fn", "1")
