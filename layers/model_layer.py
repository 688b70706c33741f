"""Bake chosen published versions into a layer, where the handler looks first: /opt/models/{name}/{version}/."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple, Protocol

from layers.output import IMAGE_LIMIT_BYTES, UNZIPPED_LIMIT_BYTES, Sizes, builder_key, built_once, key_of
from layers.target import Built
from layers.wheels import sha256_of
from warmstart.errors import BuildError

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "signature.json"
WITH_VARIANTS_BYTES: Final = UNZIPPED_LIMIT_BYTES // 2
"""Up to here a layer holds the layouts for one kind of processor as well; above, it may need the room for models."""
_REFERENCE: Final = re.compile(r"([a-z0-9][a-z0-9-]{0,62}):([1-9][0-9]{0,8})\Z")


class PublishedFile(Protocol):
    """One file of a version."""

    @property
    def path(self) -> str:
        """Path below the version's folder."""
        ...

    @property
    def size_bytes(self) -> int:
        """Bytes it must have."""
        ...

    @property
    def sha256(self) -> str:
        """sha256 it must have, in hex."""
        ...


class Published(NamedTuple):
    """One published version: its manifest's bytes, the files that the manifest names, and its signature if it has one.

    `variants` are those laid out for one kind of processor: it is served without them, too.
    """

    manifest: bytes
    files: Sequence[PublishedFile]
    variants: Sequence[PublishedFile] = ()
    signature: bytes | None = None


class Source(Protocol):
    """Where published versions come from: the store, through whoever may read it."""

    def read(self, name: str, version: int) -> Published:
        """Read a version's manifest. Raises: what the store raises."""
        ...

    def download(self, name: str, version: int, file: PublishedFile, to: Path) -> None:
        """Write one file of a version. Raises: what the store raises."""
        ...


class _Chosen(NamedTuple):
    name: str
    version: int
    published: Published


def build_model_layer(references: Sequence[str], *, source: Source, root: Path, in_image: bool = False) -> Built:
    """Bake versions (`iris:3`) below `root`/build; manifests are read every time, files only if they are new.

    What is to lie `in_image` may be as large as an image. Raises: BuildError for a reference that names no version, a
    file that is not what the manifest says, or a layer above Lambda's limit; what the source raises.
    """
    chosen = [
        _Chosen(name, version, source.read(name, version)) for name, version in sorted({*map(_parse, references)})
    ]
    if not chosen:
        raise BuildError("a model layer needs at least one version to bake; got none")
    key = key_of(
        builder_key(),
        *(part for model in chosen for part in _identity(model)),
    )
    folder = root / "build" / ("image-models" if in_image else "models") / f"models-{key}"
    room_bytes = IMAGE_LIMIT_BYTES if in_image else WITH_VARIANTS_BYTES
    return built_once(folder, lambda tree: _fill(tree, chosen, source, room_bytes), in_image=in_image)


def _identity(model: _Chosen) -> tuple[str | bytes, ...]:
    return f"{model.name}:{model.version}", model.published.manifest, model.published.signature or b""


def _parse(reference: str) -> tuple[str, int]:
    if (match := _REFERENCE.match(reference)) is None:
        raise BuildError(f"model to bake: expected a version, as in iris:3, since an alias moves; got {reference!r}")
    return match[1], int(match[2])


def _fill(tree: Path, chosen: Sequence[_Chosen], source: Source, room_bytes: int) -> Sizes:
    sizes: dict[str, int] = {}
    everything = [file for model in chosen for file in (*model.published.files, *model.published.variants)]
    with_variants = sum(file.size_bytes for file in everything) <= room_bytes
    for model in chosen:
        wanted = [*model.published.files, *(model.published.variants if with_variants else ())]
        folder = tree / "models" / model.name / str(model.version)
        folder.mkdir(parents=True)
        (folder / MANIFEST).write_bytes(model.published.manifest)
        if model.published.signature is not None:
            (folder / SIGNATURE).write_bytes(model.published.signature)
        for file in wanted:
            path = folder / _inside(file.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            source.download(model.name, model.version, file, path)
            _check(path, file, f"{model.name}:{model.version}")
        files = sum(file.size_bytes for file in wanted)
        sizes[f"{model.name}:{model.version}"] = files + len(model.published.manifest)
    return Sizes(sizes)


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or parts in ((MANIFEST,), (SIGNATURE,)):
        raise BuildError(f"file {path!r} of a model leaves its folder or takes the manifest's place")
    return path


def _check(path: Path, file: PublishedFile, reference: str) -> None:
    size = path.stat().st_size if path.is_file() else -1
    if size != file.size_bytes or sha256_of(path) != file.sha256:
        raise BuildError(
            f"{reference}: {file.path} came with {size} bytes, and is not what the manifest says "
            f"({file.size_bytes} bytes, sha256 {file.sha256}); publish it again"
        )
