"""Build a layer from its recipe: resolve, unpack, prune, compile, zip, verify."""

from __future__ import annotations

from pathlib import Path

from layers.target import Built, Target


def build_layer(recipe: str, target: Target, *, root: Path) -> Built:
    """Build the layer `inference` or `control` below `root`/build; the same inputs again are a cache hit.

    Raises: BuildError.
    """
    raise NotImplementedError
