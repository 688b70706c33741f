"""Build what a function's code asset holds: only the packages of ours that it needs."""

from __future__ import annotations

from pathlib import Path

from layers.target import Built, Target


def build_function(function: str, target: Target, *, root: Path) -> Built:
    """Stage the code of the function `inference` or `control` below `root`/build.

    Raises: BuildError.
    """
    raise NotImplementedError
