"""Image files to pixel values, by Pillow: what transformers itself uses where torchvision is not installed."""

from __future__ import annotations

import binascii
import struct
from base64 import b64decode
from collections.abc import Mapping
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model_store.preprocessing.declared import RESAMPLING, ImageInput
from warmstart.errors import InvalidValue
from warmstart.tensors import ANY, TensorSpec

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGE: Final = TensorSpec("image", "BYTES", (ANY,))
FORMATS: Final = ("JPEG", "PNG")
MAX_PIXELS: Final = 64 * 1024 * 1024
"""Of one image, as its header says: 192 MiB once it is decoded. A small file can declare many more."""

MAX_SCALED_PIXELS: Final = 16 * 1024 * 1024
"""Of one image as the graph takes it. With a shortest edge, a row of pixels would be scaled to any length."""


class Imaging:
    """Decodes, resizes, crops, rescales and normalises. Elements of `image` are files, as bytes or in base64."""

    inputs = (IMAGE,)
    outputs: tuple[TensorSpec, ...] = ()

    def __init__(self, declared: ImageInput) -> None:
        """Keep what is declared. Raises: ImportError if the package Pillow is missing."""
        from PIL import Image, ImageOps

        self._declared, self._open, self._upright = declared, Image.open, ImageOps.exif_transpose
        self._broken = (OSError, SyntaxError, ValueError, EOFError, struct.error)
        self._too_large = Image.DecompressionBombError
        self.feeds = (declared.feed,)

    def apply(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Turn `image`, (rows,), into the graph's input, FP32 (rows, 3, height, width). Raises: InvalidValue."""
        images = [self._pixels(element, f"in row {row}") for row, element in enumerate(inputs[IMAGE.name].tolist())]
        shapes = {image.shape[1:] for image in images}
        if len(shapes) != 1:
            found = " and ".join(f"{height} by {width}" for height, width in sorted(shapes)) or "none"
            raise _refused(f"expected images that are one size after scaling, got {found}; send them one by one")
        return {self._declared.feed: np.stack(images)}

    def _pixels(self, element: object, where: str) -> NDArray[np.float32]:
        declared, image = self._declared, self._decode(element, where)
        if (size := _target(image.height, image.width, declared)) is not None:
            if size[0] * size[1] > MAX_SCALED_PIXELS:
                found = f"{image.width} by {image.height}"
                raise _refused(f"expected an image that is not so long and thin, got {found} {where}")
            image = image.resize((size[1], size[0]), RESAMPLING.index(declared.resample))
        pixels = np.moveaxis(np.asarray(image), -1, 0)
        if declared.crop is not None:
            pixels = _crop(pixels, *declared.crop)
        values: NDArray[np.float32] = (pixels.astype(np.float64) * declared.rescale).astype(np.float32)
        if declared.mean is not None and declared.std is not None:
            mean, std = (np.array(numbers, np.float32).reshape(-1, 1, 1) for numbers in (declared.mean, declared.std))
            values = (values - mean) / std
        return values

    def _decode(self, element: object, where: str) -> Image:
        """Read a file as transformers' `load_image` does: turned upright as its EXIF says, in RGB."""
        body = element if isinstance(element, bytes) else _decode_text(element, where)
        try:
            image = self._open(BytesIO(body), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                found = f"{image.width} by {image.height}"
                raise _refused(f"expected an image of at most {MAX_PIXELS} pixels, got {found} {where}")
            # In place, and converted only where need be: each would copy the whole picture, at 192 MiB at most.
            self._upright(image, in_place=True)
            return image if image.mode == "RGB" else image.convert("RGB")
        except self._too_large:  # above Pillow's own limit, it is not opened at all
            raise _refused(f"expected an image of at most {MAX_PIXELS} pixels, got more {where}") from None
        except self._broken as error:
            raise _refused(
                f"expected a {' or '.join(FORMATS)} file, got {len(body)} bytes {where} that are none: "
                f"{type(error).__name__}"
            ) from None


def _decode_text(element: object, where: str) -> bytes:
    if not isinstance(element, str):
        raise _refused(f"expected an image file in base64, got {type(element).__name__} {where}")
    try:
        return b64decode(element, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refused(f"expected an image file in base64, got {element!r:.40} {where}: {error}") from None


def _refused(message: str) -> InvalidValue:
    return InvalidValue(f"input 'image': {message}", tensor=IMAGE.name)


def _target(height: int, width: int, declared: ImageInput) -> tuple[int, int] | None:
    """Say how large an image becomes; transformers rounds the longer edge down."""
    if declared.shortest_edge is None:
        return declared.size
    longer = int(declared.shortest_edge * max(height, width) / min(height, width))
    return (longer, declared.shortest_edge) if width <= height else (declared.shortest_edge, longer)


def _crop(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Cut the middle out, (3, height, width), black around an image that is smaller; as transformers' center_crop."""
    found_height, found_width = pixels.shape[1:]
    full_height, full_width = max(height, found_height), max(width, found_width)
    above, left = ceil((full_height - found_height) / 2), ceil((full_width - found_width) / 2)
    full = np.zeros((pixels.shape[0], full_height, full_width), np.uint8)
    full[:, above : above + found_height, left : left + found_width] = pixels
    top, start = (found_height - height) // 2 + above, (found_width - width) // 2 + left
    return full[:, max(0, top) : min(full_height, top + height), max(0, start) : min(full_width, start + width)]
