"""What a stage's layers are built for, and how large they may be together."""

from pathlib import Path

import pytest

from infra.build import check_together, target_of
from infra.config import StageConfig
from layers.target import Built, Target
from warmstart.errors import BuildError


def test_layers_are_built_for_the_stages_runtime() -> None:
    assert target_of(StageConfig(python="3.12", architecture="x86_64")) == Target("3.12", "x86_64", "lambda")


def test_the_twins_layers_are_built_for_this_machine_whatever_the_template_says() -> None:
    assert target_of(StageConfig(layer_platform="host", python="3.12")) == Target.host()


def built(name: str, size_bytes: int) -> Built:
    return Built(path=Path(name), zip_path=Path(f"{name}.zip"), digest="0", sizes={name: size_bytes})


def test_models_that_would_not_fit_beside_the_layer_are_refused_with_the_table() -> None:
    parts = [built("numpy", 62_144_000), built("iris:3", 200_000_001)]

    with pytest.raises(BuildError, match=r"262,144,001 bytes unzipped: Lambda takes 262,144,000") as refused:
        check_together(parts)
    assert "iris:3     190.73" in refused.value.message


def test_models_that_just_fit_are_not_refused() -> None:
    check_together([built("numpy", 62_144_000), built("iris:3", 200_000_000)])
