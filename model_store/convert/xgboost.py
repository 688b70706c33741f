"""XGBoost's models: not read yet."""

from __future__ import annotations

from pathlib import Path

from model_store.convert.source import LoadOptions, SourceModel
from warmstart.errors import UnsupportedModel


def recognises(path: Path) -> bool:  # noqa: ARG001 - a framework's signature
    """Say that nothing is: not yet."""
    return False


def load(path: Path, options: LoadOptions) -> SourceModel:  # noqa: ARG001 - a framework's signature
    """Read it: not yet."""
    raise UnsupportedModel(f"{path}: not read yet")


def adopt(model: object, options: LoadOptions) -> SourceModel | None:  # noqa: ARG001 - a framework's signature
    """Take it: not yet."""
    return None
