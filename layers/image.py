"""The inference function as a container image: the same code, the same layers, under AWS's own base image.

An image may have 10 GB where a function with its layers has 250 MB. What lies in it was built already: no package is
installed while Docker builds it, so it holds what the zip would, bit by bit.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from layers.output import IMAGE_LIMIT_BYTES, builder_key, key_of
from layers.target import Built, Target
from layers.wheels import publish
from warmstart.errors import BuildError

BASE: Final = "public.ecr.aws/lambda/python"
"""Lambda developer guide, "Deploy Python Lambda functions with container images", AWS base images: for both
architectures, with the runtime interface client, and patched by AWS."""


def build_image_context(code: Built, layers: Sequence[Built], *, handler: str, target: Target, root: Path) -> Path:
    """Lay out what Docker builds the image from, below `root`/build; return the folder. Files are linked, not copied.

    Raises: BuildError if it is above what Lambda takes as an image.
    """
    if (size := sum(part.size_bytes for part in (code, *layers))) > IMAGE_LIMIT_BYTES:
        raise BuildError(f"{size:,} bytes: Lambda takes {IMAGE_LIMIT_BYTES:,} as an image; bake fewer models")
    dockerfile = render_dockerfile(target.python, handler)
    key = key_of(builder_key(), dockerfile, code.digest, *(layer.digest for layer in layers))
    folder = root / "build" / "images" / f"inference-{key}"
    if not folder.is_dir():
        scratch = folder.with_name(f".{folder.name}-{os.getpid()}")
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(code.path, scratch / "task", copy_function=_link)
        for layer in layers:
            shutil.copytree(layer.path, scratch / "opt", copy_function=_link, dirs_exist_ok=True)
        (scratch / "Dockerfile").write_text(dockerfile)
        publish(scratch, folder)
    return folder


def render_dockerfile(python: str, handler: str) -> str:
    """Write the image's recipe: the layers where Lambda unpacks layers, the code where it unpacks code."""
    return (
        f"FROM {BASE}:{python}\n"
        "COPY opt/ /opt/\n"
        "COPY task/ /var/task/\n"
        "ENV PYTHONPATH=/opt/python PYTHONDONTWRITEBYTECODE=1\n"
        f'CMD ["{handler}"]\n'
    )


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
    return target
