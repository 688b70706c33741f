"""Rewriting of /opt and /tmp in a function's environment variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.functions.surroundings import rewrite


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Path, Path]:
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    for directory in (lower / "models" / "iris", lower / "only", upper / "models"):
        directory.mkdir(parents=True)
    return lower, upper


def test_a_path_under_opt_is_found_in_the_layer_that_holds_it(layers: tuple[Path, Path], tmp_path: Path) -> None:
    assert rewrite("/opt/only", layers, tmp_path) == str(layers[0] / "only")
    assert rewrite("/opt/models/iris", layers, tmp_path) == str(layers[0] / "models" / "iris")


def test_the_later_layer_wins(layers: tuple[Path, Path], tmp_path: Path) -> None:
    assert rewrite("/opt/models", layers, tmp_path) == str(layers[1] / "models")


@pytest.mark.parametrize("value", ["/opt/absent", "/opt", "opt/models", "blue", "/tmpfile", ""])
def test_other_values_stay(layers: tuple[Path, Path], tmp_path: Path, value: str) -> None:
    assert rewrite(value, layers, tmp_path) == value


def test_tmp_is_the_scratch_directory() -> None:
    assert rewrite("/tmp", (), Path("/scratch/1")) == "/scratch/1"
    assert rewrite("/tmp/cache", (), Path("/scratch/1")) == "/scratch/1/cache"
