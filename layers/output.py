"""Outputs on disk: one folder per set of inputs, put in its place when it is whole, found again without building.

build/{kind}/{name}-{key}/
    tree/        what the layer or the asset holds
    asset.zip    the same, zipped
    built.json   digest and sizes; its presence makes the folder an output
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from layers.archive import normalize, write_zip
from layers.target import Built
from layers.wheels import publish, remove
from warmstart.errors import BuildError

UNZIPPED_LIMIT_BYTES: Final = 262_144_000
"""250 MB for a function and all its layers (Lambda developer guide, "Lambda quotas")."""
IMAGE_LIMIT_BYTES: Final = 10 * 1024**3
"""10 GB for a container image, uncompressed, all layers of it (the same page)."""
DIRECT_LIMIT_BYTES: Final = 52_428_800
"""50 MB for a zip that is uploaded without S3 (the same page)."""


_KEPT: Final = 3
"""Outputs of one name that stay; older ones are removed when a new one is built."""


class Sizes(NamedTuple):
    """Bytes per package: of everything, of the bytecode among it, of what was left out; the last per cut as well."""

    total: Mapping[str, int]
    bytecode: Mapping[str, int] = {}
    cut: Mapping[str, int] = {}
    cut_by: Mapping[str, int] = {}


def key_of(*parts: str | bytes) -> str:
    """Digest inputs into a short name."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


def source_key(folder: Path, files: Iterable[Path]) -> str:
    """Digest files and their paths below a folder."""
    return key_of(
        *(part for file in sorted(files) for part in (file.relative_to(folder).as_posix(), file.read_bytes()))
    )


def builder_key() -> str:
    """Digest this package: another builder, another output."""
    here = Path(__file__).parent
    return source_key(here, (path for path in here.iterdir() if path.suffix in {".py", ".mjs"}))


def built_once(folder: Path, fill: Callable[[Path], Sizes], *, in_image: bool = False) -> Built:
    """Return the output in a folder; if there is none, let `fill` write the tree into an empty one.

    Builds may run side by side, and be killed at any moment: a folder comes into its place whole, or not at all.
    What is to lie `in_image` is not zipped. Raises: BuildError as `fill`, and if the tree is above Lambda's limit.
    """
    there = folder.is_dir()
    if not (folder / "built.json").is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        if there:  # somebody has deleted a part of it
            remove(folder)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as scratch:
            _write(Path(scratch), fill, folder.name if in_image else None)
            publish(Path(scratch), folder)
        _forget_old(folder)
    return _read(folder)


def _forget_old(folder: Path) -> None:
    name = folder.name.rpartition("-")[0]
    siblings = [built.parent for built in folder.parent.glob(f"{name}-{'[0-9a-f]' * 16}/built.json")]
    siblings.sort(key=lambda path: (path == folder, (path / "built.json").stat().st_mtime), reverse=True)
    for old in siblings[_KEPT:]:
        remove(old)


def _write(folder: Path, fill: Callable[[Path], Sizes], image_name: str | None) -> None:
    (tree := folder / "tree").mkdir()
    sizes = fill(tree)
    normalize(tree)
    limit, what = (UNZIPPED_LIMIT_BYTES, "with all its layers; an image takes more: set packaging to image")
    if image_name is not None:
        limit, what = IMAGE_LIMIT_BYTES, "as an image"
    if (size := sum(sizes.total.values())) > limit:
        raise BuildError(f"{size:,} bytes unzipped: Lambda takes {limit:,}, a function {what}")
    digest = write_zip(tree, folder / "asset.zip") if image_name is None else key_of(image_name)
    (folder / "built.json").write_text(json.dumps({"digest": digest, **sizes._asdict()}, indent=2))


def _read(folder: Path) -> Built:
    found = json.loads((folder / "built.json").read_text())
    return Built(
        path=folder / "tree",
        zip_path=folder / "asset.zip",
        digest=found["digest"],
        sizes=found["total"],
        bytecode=found["bytecode"],
        cut=found["cut"],
        cut_by=found["cut_by"],
    )
