"""Have a stage's assets built: layers, code, and the baked models' layer."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from infra.assets import Asset, Assets
from infra.baked import store_of
from infra.config import StageConfig
from layers.assets import build_function
from layers.builder import build_layer
from layers.model_layer import build_model_layer
from layers.target import Architecture, Built, Target


def build_assets(config: StageConfig, *, root: Path) -> Assets:
    """Build what is new below `root`/build, and take the rest as it was.

    Raises: BuildError; with baked models also StoreError, VersionNotFound, Unreachable.
    """
    target = target_of(config)
    return Assets(
        inference_code=_asset(build_function("inference", target, root=root)),
        inference_layer=_asset(build_layer("inference", target, root=root)),
        control_code=_asset(build_function("control", target, root=root)),
        control_layer=_asset(build_layer("control", target, root=root)),
        model_layer=_model_layer(config, root=root) if config.baked_models else None,
    )


def target_of(config: StageConfig) -> Target:
    """Return what a stage's layers must run on: the stage's Lambda runtime, or this machine."""
    if config.layer_platform == "host":
        return Target.host()
    return Target(python=config.python, architecture=cast("Architecture", config.architecture))


def _model_layer(config: StageConfig, *, root: Path) -> Asset:
    return _asset(build_model_layer(config.baked_models, source=store_of(config.stage), root=root))


def _asset(built: Built) -> Asset:
    return Asset(built.zip_path, built.digest)
