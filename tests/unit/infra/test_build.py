"""What a stage's layers are built for."""

from infra.build import target_of
from infra.config import StageConfig
from layers.target import Target


def test_layers_are_built_for_the_stages_runtime() -> None:
    assert target_of(StageConfig(python="3.12", architecture="x86_64")) == Target("3.12", "x86_64", "lambda")


def test_the_twins_layers_are_built_for_this_machine_whatever_the_template_says() -> None:
    assert target_of(StageConfig(layer_platform="host", python="3.12")) == Target.host()
