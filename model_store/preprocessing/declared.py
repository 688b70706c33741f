"""What a version declares in `preprocessing.json`, as values and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from warmstart.errors import InvalidManifest

FILE: Final = "preprocessing.json"
TOKENIZER: Final = "tokenizer.json"
"""The Hugging Face tokenizer with its truncation and padding, beside `FILE`."""
SCHEMA_MAJOR: Final = 1
SCHEMA_VERSION: Final = "1.0"

MAX_EDGE: Final = 8192
"""Pixels; larger than any model takes."""

FEEDS: Final = ("input_ids", "attention_mask", "token_type_ids")
"""What a tokenizer can give a graph, each INT64 [-1, -1]."""
RESAMPLING: Final = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
"""Pillow's filters, by their number."""


class TextInput(NamedTuple):
    """`text` goes through a tokenizer. `feeds` are the graph's inputs, some of `FEEDS`.

    With `tokens` two outputs say what the graph's rows stand for: `token`, and `offsets` into the text.
    """

    feeds: tuple[str, ...]
    tokens: bool = False


class ImageInput(NamedTuple):
    """`image` is decoded, resized, cropped about its centre, rescaled and normalised, in this order.

    `feed` is the graph's input, FP32 [-1, 3, height, width]. Sizes are (height, width); `shortest_edge` keeps the
    proportions. What is None is left out; `rescale` 1 changes nothing.
    """

    feed: str
    resample: str
    size: tuple[int, int] | None = None
    shortest_edge: int | None = None
    crop: tuple[int, int] | None = None
    rescale: float = 1.0
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


Declared: TypeAlias = TextInput | ImageInput


def render(declared: Declared) -> bytes:
    """Write it as JSON."""
    kind = "text" if isinstance(declared, TextInput) else "image"
    return json.dumps({"schema_version": SCHEMA_VERSION, kind: declared._asdict()}, indent=2).encode()


def parse(body: bytes, *, where: str) -> Declared:
    """Read it. Raises: InvalidManifest if it is something else, or of a later release."""
    try:
        document = json.loads(body)
        if int(document["schema_version"].partition(".")[0]) != SCHEMA_MAJOR:
            raise InvalidManifest(f"{where}: schema version {document['schema_version']}: upgrade warmstart")
        return _text(document["text"]) if "text" in document else _image(document["image"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidManifest(
            f"{where}: not a declaration of preprocessing: {type(error).__name__} {error}; publish the model again"
        ) from error


def _text(document: Mapping[str, Any]) -> TextInput:
    declared = TextInput(tuple(document["feeds"]), document["tokens"])
    if unknown := set(declared.feeds) - set(FEEDS):
        raise ValueError(f"feeds: expected some of {', '.join(FEEDS)}; got {', '.join(sorted(unknown))}")
    return declared


def _image(document: Mapping[str, Any]) -> ImageInput:
    lists = {name: tuple(value) for name, value in document.items() if isinstance(value, list)}
    declared = ImageInput(**{**document, **lists})
    if declared.resample not in RESAMPLING:
        raise ValueError(f"resample: expected one of {', '.join(RESAMPLING)}; got {declared.resample!r:.80}")
    _check_numbers(declared)
    return declared


def _check_numbers(declared: ImageInput) -> None:
    """Refuse what each request would fail on, or need all memory for. Raises: ValueError, TypeError."""
    sizes = [size for size in (declared.size, declared.crop) if size is not None]
    edges = [
        1 if declared.shortest_edge is None else declared.shortest_edge,
        *(edge for size in sizes for edge in size),
    ]
    if any(len(size) != 2 for size in sizes) or any(
        type(edge) is not int or not 0 < edge <= MAX_EDGE for edge in edges
    ):
        raise ValueError(f"sizes: expected a height and a width, 1 to {MAX_EDGE} pixels")
    scales = [scale for scale in (declared.mean, declared.std) if scale is not None]
    numbers = [declared.rescale, *(number for scale in scales for number in scale)]
    if any(len(scale) not in (1, 3) for scale in scales) or any(type(each) not in (int, float) for each in numbers):
        raise ValueError("rescale, mean, std: expected a number, for each of three colours or for all")
    if type(declared.feed) is not str:
        raise TypeError(f"feed: expected text, got {declared.feed!r:.80}")
