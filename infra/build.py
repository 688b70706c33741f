"""Have a stage's assets built: layers, code, and the baked models' layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from infra.assets import INFERENCE_HANDLER, Asset, Assets
from infra.baked import store_of
from infra.config import StageConfig
from layers.assets import build_function
from layers.builder import build_layer
from layers.image import build_image_context
from layers.model_layer import build_model_layer
from layers.output import UNZIPPED_LIMIT_BYTES
from layers.report import table
from layers.target import Architecture, Built, Target
from warmstart.errors import BuildError


def build_assets(config: StageConfig, *, root: Path, region: str | None = None) -> Assets:
    """Build what is new below `root`/build, and take the rest as it was.

    `region`: where the stage is, for the models to bake. Raises: BuildError; with baked models also StoreError,
    VersionNotFound, Unreachable.
    """
    target = target_of(config)
    code, layer = build_function("inference", target, root=root), build_layer("inference", target, root=root)
    signing = build_layer("signing", target, root=root) if config.require_signature else None
    models = _models(config, root=root, region=region) if config.baked_models else None
    layers = [layer, *([signing] if signing else []), *([models] if models else [])]
    image = None
    if config.packaging == "image":
        image = build_image_context(code, layers, handler=INFERENCE_HANDLER, target=target, root=root)
    else:
        check_together([code, *layers])
    return Assets(
        inference_code=_asset(code),
        inference_layer=_asset(layer),
        control_code=_asset(build_function("control", target, root=root)),
        control_layer=_asset(build_layer("control", target, root=root)),
        signing_layer=_asset(signing) if signing else None,
        model_layer=_asset(models) if models else None,
        inference_image=image,
    )


def check_together(parts: Sequence[Built]) -> None:
    """Check a function's code and all its layers against Lambda's limit. Raises: BuildError with the table."""
    size = sum(part.size_bytes for part in parts)
    if size > UNZIPPED_LIMIT_BYTES:
        raise BuildError(
            f"{size:,} bytes unzipped: Lambda takes {UNZIPPED_LIMIT_BYTES:,}, a function with all its layers; "
            f"bake fewer models, or set packaging to image\n{table(*parts)}"
        )


def target_of(config: StageConfig) -> Target:
    """Return what a stage's layers must run on: the stage's Lambda runtime, or this machine."""
    if config.layer_platform == "host":
        return Target.host()
    return Target(python=config.python, architecture=cast("Architecture", config.architecture))


def _models(config: StageConfig, *, root: Path, region: str | None) -> Built:
    source = store_of(config.stage, region=region, signed=config.require_signature)
    return build_model_layer(config.baked_models, source=source, root=root, in_image=config.packaging == "image")


def _asset(built: Built) -> Asset:
    return Asset(built.zip_path, built.digest)
