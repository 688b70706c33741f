"""The seam to what was built: the stacks take directories or zips, and do not care who made them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

INFERENCE_HANDLER: Final = "handlers.inference.lambda_handler.handler"


@dataclass(frozen=True)
class Asset:
    """A layer's or a function's content: a directory or a zip, and the digest of what it holds."""

    path: Path
    digest: str


@dataclass(frozen=True, kw_only=True)
class Assets:
    """Everything that a serving stack uploads."""

    inference_code: Asset
    inference_layer: Asset
    control_code: Asset
    control_layer: Asset
    signing_layer: Asset | None = None
    """What signatures are checked with; None if the stage asks for none."""
    model_layer: Asset | None = None
    """Baked models, to be found below /opt/models; None if the stage bakes none."""
    inference_image: Path | None = None
    """The folder that Docker builds the inference function from, layers and all; None for a stage of zips."""
