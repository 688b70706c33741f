"""Text to token numbers, by the library that transformers itself uses: the same numbers, for every tokenizer it has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model_store.preprocessing.declared import TOKENIZER, TextInput
from warmstart.errors import InvalidManifest, InvalidValue
from warmstart.tensors import ANY, TensorSpec

if TYPE_CHECKING:
    from tokenizers import Encoding

TEXT = TensorSpec("text", "BYTES", (ANY,))
TOKENS = (TensorSpec("token", "BYTES", (ANY, ANY)), TensorSpec("offsets", "INT64", (ANY, ANY, 2)))


class Tokenizing:
    """A tokenizer, read from `tokenizer.json`. Texts of one request are padded to the longest of them."""

    inputs = (TEXT,)

    def __init__(self, declared: TextInput, folder: Path) -> None:
        """Read the tokenizer. Raises: ImportError if the package tokenizers is missing; InvalidManifest."""
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # the boundary: the library raises Exception itself
            raise InvalidManifest(f"{TOKENIZER}: cannot be read: {error!s:.200}; publish the model again") from error
        self.feeds = declared.feeds
        self.outputs = TOKENS if declared.tokens else ()

    def apply(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Tokenize `text`, (rows,): feeds INT64 (rows, tokens); `token` (rows, tokens), `offsets` (rows, tokens, 2).

        Offsets are from and to, in characters (code points); padding is "" from 0 to 0. Raises: InvalidValue.
        """
        texts = inputs[TEXT.name].tolist()
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise InvalidValue(f"input 'text': expected text, got {text!r:.60} in row {row}", tensor=TEXT.name)
        encodings = self._tokenizer.encode_batch(texts)
        if not encodings or not encodings[0].ids:
            raise InvalidValue("input 'text': expected text, got none that has a token", tensor=TEXT.name)
        read = {
            "input_ids": [encoding.ids for encoding in encodings],
            "attention_mask": [encoding.attention_mask for encoding in encodings],
            "token_type_ids": [encoding.type_ids for encoding in encodings],
        }
        feeds = {name: np.array(read[name], np.int64) for name in self.feeds}
        return {**feeds, **_tokens(encodings)} if self.outputs else feeds


def _tokens(encodings: list[Encoding]) -> dict[str, NDArray[Any]]:
    tokens = [
        [token if real else "" for token, real in zip(encoding.tokens, encoding.attention_mask, strict=True)]
        for encoding in encodings
    ]
    offsets = [encoding.offsets for encoding in encodings]
    return {"token": np.array(tokens, object), "offsets": np.array(offsets, np.int64)}
