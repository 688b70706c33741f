"""Bake chosen published versions into a layer, where the handler looks first: /opt/models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from layers.target import Built


class FetchedFile(NamedTuple):
    """One file that a fetched version must have: path below its folder, size, sha256 in hex."""

    path: str
    size_bytes: int
    sha256: str


class Fetch(Protocol):
    """Write one published version, files and `manifest.json`, into a folder; return the files of its manifest."""

    def __call__(self, name: str, version: int, folder: Path) -> Sequence[FetchedFile]:
        """Raises: what the store raises."""
        ...


def build_model_layer(references: Sequence[str], *, fetch: Fetch, root: Path) -> Built:
    """Bake versions (`iris:3`) as `models/{name}/{version}/` below `root`/build.

    Raises: BuildError for a reference without a version, a file that is not what the manifest says, or a layer
    that is too big.
    """
    raise NotImplementedError
