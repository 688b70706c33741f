"""What stands before a Hugging Face model: its tokenizer, or its image processor. Read, tried, and declared."""

from __future__ import annotations

import inspect
import json
from base64 import b64decode, b64encode
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from model_store.convert.source import Batch
from model_store.preprocessing.declared import FEEDS, FILE, RESAMPLING, TOKENIZER, ImageInput, TextInput, render
from warmstart.errors import UnsupportedModel

TEXTS: Final = (
    "I loved it.",
    "",
    "  spaces   before, between and after  ",
    "tabs\tand\nlines\r\n",
    "Café naïve résumé, Ünïcödé; e\u0301 combined",
    "Việt Nam ế, Ελλάδα, Привет йод, İstanbul, straße",
    "中文 句子 mixed 英文, 日本語のテキスト, 한국어 문장",
    "עברית العربية हिन्दी ไทย",
    "great🙂film 👩‍👩‍👧 🙂",
    "don't can't I'm we'd “quotes” – dash…",
    "[CLS] [SEP] [MASK] <s> </s> <pad> <mask>",
    "http://x.y/z?a=1&b=2 @user #tag $1,234.56 50 %",
    "zero\u200bwidth\ufeff, soft\u00adhyphen, nb\u00a0space\u3000wide, \x00\x07 control",
    "a" * 150,
    "ALL CAPS AND miXed, ﬁ ½ ①, 𠀀",
    "word after word " * 400,
)
"""Texts on which tokenizers differ, an empty and a long one among them."""
VOCABULARIES: Final = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
UNSET: Final = 10**6
"""transformers' own "no limit" is 1e30."""
DEFAULT_TOKENS: Final = 512


class Inputs(Protocol):
    """What stands before a model."""

    name: str
    says: str

    def example(self) -> Batch:
        """Return inputs as clients send them, on which implementations differ."""
        ...

    def traced(self) -> Batch:
        """Return the model's own inputs, two rows, to trace it with."""
        ...

    def read(self, inputs: Batch) -> Batch:
        """Turn what clients send into the model's own inputs, by transformers."""
        ...

    def declare(self, folder: Path, *, tokens: bool) -> tuple[Path, ...]:
        """Write what does the same without transformers, into a new folder."""
        ...


class Texts:
    """A tokenizer with the length that the model takes."""

    name = "text"

    def __init__(self, tokenizer: Any, model: Any, path: Path) -> None:
        """Check that it can be declared. Raises: UnsupportedModel."""
        kind = type(tokenizer).__name__
        if not getattr(tokenizer, "is_fast", False):
            raise UnsupportedModel(
                f"{kind}: expected a tokenizer of the package tokenizers (a `tokenizer.json`), got one in Python"
            )
        if tokenizer.pad_token is None:
            raise UnsupportedModel(
                f"{kind}: expected a padding token, got none: set `tokenizer.pad_token` and "
                "`model.config.pad_token_id`, and save both again"
            )
        self._tokenizer, self._limit = tokenizer, _limit(tokenizer, model, path)
        taken = inspect.signature(model.forward).parameters
        self._feeds = tuple(name for name in FEEDS if name in taken and name in tokenizer.model_input_names)
        self.says = f"{kind}, at most {self._limit} tokens"

    @classmethod
    def load(cls, path: Path, model: Any, *, trust: bool) -> Texts:
        """Read a folder's tokenizer. Raises: UnsupportedModel, for a folder without one."""
        from transformers import AutoTokenizer

        # Without its files, transformers makes an empty one.
        if not any([*path.glob(pattern)] for pattern in VOCABULARIES):
            raise UnsupportedModel(
                f"{path}: expected a tokenizer ({', '.join(VOCABULARIES)}), found none: save it there, "
                "by `tokenizer.save_pretrained`"
            )

        read = {"local_files_only": True, "trust_remote_code": trust}
        return cls(AutoTokenizer.from_pretrained(str(path), **read), model, path)

    def example(self) -> Batch:
        """Return texts."""
        return {self.name: np.array(TEXTS, object)}

    def traced(self) -> Batch:
        """Return two rows of tokens."""
        return self._read(["a few words", "some more words than that"])

    def read(self, inputs: Batch) -> Batch:
        """Tokenize as transformers does."""
        return self._read(inputs[self.name].tolist())

    def declare(self, folder: Path, *, tokens: bool) -> tuple[Path, ...]:
        """Write the tokenizer with its truncation and padding, and which of its numbers the model takes."""
        from tokenizers import Tokenizer

        tokenizer = self._tokenizer
        own = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        own.enable_truncation(self._limit, direction=tokenizer.truncation_side)
        own.enable_padding(
            direction=tokenizer.padding_side,
            pad_id=tokenizer.pad_token_id,
            pad_type_id=tokenizer.pad_token_type_id,
            pad_token=tokenizer.pad_token,
        )
        folder.mkdir()
        (folder / FILE).write_bytes(render(TextInput(self._feeds, tokens)))
        own.save(str(folder / TOKENIZER), pretty=False)
        return (folder / FILE, folder / TOKENIZER)

    def _read(self, texts: list[str]) -> Batch:
        read = self._tokenizer(texts, padding=True, truncation=True, max_length=self._limit, return_tensors="np")
        return {name: read[name].astype(np.int64) for name in self._feeds}


class Images:
    """An image processor of transformers' backend for Pillow, whose steps are known."""

    name = "image"

    def __init__(self, processor: Any, model: Any) -> None:
        """Check that it can be declared. Raises: UnsupportedModel."""
        self._processor, self._feed = processor, str(model.main_input_name)
        self._declared = _declared(processor, self._feed)
        size = self._declared.crop or self._declared.size
        if size is None:
            raise UnsupportedModel(
                f"{type(processor).__name__}: expected images of one size, got {processor.size} without a crop: "
                "set `size` to a height and a width, or `do_center_crop`, and save it again"
            )
        self.says = f"{type(processor).__name__}, {self._declared.resample} to {size[0]} by {size[1]}"

    @classmethod
    def load(cls, path: Path, model: Any, *, trust: bool) -> Images:
        """Read a folder's image processor."""
        from transformers import AutoImageProcessor

        read = {"local_files_only": True, "trust_remote_code": trust, "backend": "pil"}
        return cls(AutoImageProcessor.from_pretrained(str(path), **read), model)

    def example(self) -> Batch:
        """Return image files: upright and across, smaller and larger, in colour, grey and with transparency."""
        rng = np.random.default_rng(0)
        sizes = (((200, 300, 3), "JPEG"), ((301, 199, 3), "PNG"), ((40, 64), "JPEG"), ((17, 33, 4), "PNG"))
        return {self.name: np.array([_file(rng, shape, form) for shape, form in sizes], object)}

    def traced(self) -> Batch:
        """Return two images."""
        return self.read({self.name: self.example()[self.name][:2]})

    def read(self, inputs: Batch) -> Batch:
        """Process as transformers' pipelines do: turned upright, in RGB."""
        from PIL import Image
        from transformers.image_utils import load_image

        images = [load_image(Image.open(BytesIO(b64decode(element)))) for element in inputs[self.name].tolist()]
        return {self._feed: self._processor(images, return_tensors="np")[self._feed].astype(np.float32)}

    def declare(self, folder: Path, *, tokens: bool) -> tuple[Path, ...]:  # noqa: ARG002 - an image has none
        """Write the steps."""
        folder.mkdir()
        (folder / FILE).write_bytes(render(self._declared))
        return (folder / FILE,)


def _limit(tokenizer: Any, model: Any, path: Path) -> int:
    """Find how many tokens the model takes: the least that tokenizer, sentence-transformers and positions allow."""
    limits = [int(tokenizer.model_max_length)] if tokenizer.model_max_length < UNSET else []
    with suppress(OSError, ValueError, KeyError, TypeError):  # most folders have none
        limits.append(int(json.loads((path / "sentence_bert_config.json").read_bytes())["max_seq_length"]))
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and hasattr(module, "num_embeddings"):
            padding = getattr(module, "padding_idx", None)
            limits.append(module.num_embeddings - (0 if padding is None else padding + 1))
    for name in ("n_positions", "max_position_embeddings"):
        if not limits and isinstance(size := getattr(model.config, name, None), int) and size > 0:
            limits.append(size)
    return min(limits, default=DEFAULT_TOKENS)


def _declared(processor: Any, feed: str) -> ImageInput:
    """Read a processor's steps. Raises: UnsupportedModel if it has some of its own."""
    from transformers.image_processing_backends import PilBackend

    kind = type(processor)
    if kind.__name__ == "ConvNextImageProcessorPil":
        return _convnext(processor, feed)
    own = [step for step in ("preprocess", "_preprocess", *_STEPS) if not _inherits(kind, PilBackend, step)]
    if own or processor.do_pad:
        raise UnsupportedModel(
            f"{kind.__name__}: expected resizing, cropping, rescaling and normalising as most processors do it; it has "
            f"{', '.join(own) or 'padding'} of its own: save the folder with a ViTImageProcessor of the same settings"
        )
    size = processor.size if processor.do_resize else None
    return ImageInput(
        feed,
        RESAMPLING[int(processor.resample or 0)],
        size=_pair(size),
        shortest_edge=_shortest(size, kind.__name__),
        crop=_pair(processor.crop_size) if processor.do_center_crop else None,
        **_numbers(processor),
    )


_STEPS: Final = ("process_image", "resize", "center_crop", "rescale", "normalize")


def _inherits(kind: type, base: type, step: str) -> bool:
    return getattr(kind, step) is getattr(base, step)


def _convnext(processor: Any, feed: str) -> ImageInput:
    """ConvNext's, which ResNet uses too: below 384 it resizes by `crop_pct` more, and crops; else it distorts."""
    edge, resample = processor.size["shortest_edge"], RESAMPLING[int(processor.resample)]
    if not processor.do_resize:
        return ImageInput(feed, resample, **_numbers(processor))
    if edge >= 384:
        return ImageInput(feed, resample, size=(edge, edge), **_numbers(processor))
    larger = int(edge / processor.crop_pct)
    return ImageInput(feed, resample, shortest_edge=larger, crop=(edge, edge), **_numbers(processor))


def _numbers(processor: Any) -> dict[str, Any]:
    rescale = float(processor.rescale_factor) if processor.do_rescale else 1.0
    if not processor.do_normalize:
        return {"rescale": rescale}
    return {"rescale": rescale, "mean": tuple(processor.image_mean), "std": tuple(processor.image_std)}


def _pair(size: Any) -> tuple[int, int] | None:
    if size is None or not size.get("height") or not size.get("width"):
        return None
    return int(size["height"]), int(size["width"])


def _shortest(size: Any, kind: str) -> int | None:
    if size is None or _pair(size):
        return None
    if not size.get("shortest_edge") or size.get("longest_edge"):
        raise UnsupportedModel(f"{kind}: expected a size with height and width, or shortest_edge alone; got {size}")
    return int(size["shortest_edge"])


def _file(rng: np.random.Generator, shape: tuple[int, ...], form: str) -> str:
    """Make an image file in base64: soft shapes and some noise."""
    from PIL import Image

    down, across = np.mgrid[0 : shape[0], 0 : shape[1]]
    wave: NDArray[Any] = 127 + 90 * np.sin(down / 9) * np.cos(across / 13)
    planes = wave if len(shape) == 2 else np.stack([np.roll(wave, 7 * plane, 1) for plane in range(shape[2])], -1)
    noisy = np.clip(planes + rng.normal(0, 12, planes.shape), 0, 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(noisy).save(file, form)
    return b64encode(file.getvalue()).decode()
