"""Text to token numbers: padding, truncation, tokens and their places, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_store.preprocessing.declared import TextInput, parse, render
from model_store.preprocessing.session import open_preprocessing
from tests.build.prepared import text_folder
from warmstart.errors import InvalidManifest, InvalidValue

BOTH = ("input_ids", "attention_mask")


def prepared(folder: Path, *texts: object, tokens: bool = False, feeds: tuple[str, ...] = BOTH) -> dict[str, Any]:
    text_folder(folder, TextInput(feeds, tokens))
    return {
        name: array.tolist()
        for name, array in open_preprocessing(folder).apply({"text": np.array(texts, object)}).items()
    }


def test_texts_are_padded_to_the_longest_of_the_request(tmp_path: Path) -> None:
    assert prepared(tmp_path, "Good film", "", "bàd 🙂") == {
        "input_ids": [[2, 4, 6, 3], [2, 3, 0, 0], [2, 5, 1, 3]],
        "attention_mask": [[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1]],
    }


def test_a_long_text_is_cut_to_what_the_model_takes(tmp_path: Path) -> None:
    assert prepared(tmp_path, "good " * 50)["input_ids"] == [[2, 4, 4, 4, 4, 3]]


def test_only_what_the_model_takes_is_given(tmp_path: Path) -> None:
    assert list(prepared(tmp_path, "good", feeds=("input_ids", "token_type_ids"))) == ["input_ids", "token_type_ids"]


def test_tokens_come_with_their_places_in_characters_and_padding_is_nowhere(tmp_path: Path) -> None:
    found = prepared(tmp_path, "Gööd film", "", tokens=True)
    assert found["token"] == [["[CLS]", "good", "film", "[SEP]"], ["[CLS]", "[SEP]", "", ""]]
    assert found["offsets"] == [[[0, 0], [0, 4], [5, 9], [0, 0]], [[0, 0]] * 4]


@pytest.mark.parametrize("texts", [(), (3,), (None,)])
def test_what_is_no_text_is_the_request_s_mistake(tmp_path: Path, texts: tuple[object, ...]) -> None:
    with pytest.raises(InvalidValue, match="input 'text': expected text, got"):
        prepared(tmp_path, *texts)


def test_a_declaration_is_read_as_it_was_written() -> None:
    declared = TextInput(BOTH, tokens=True)
    assert parse(render(declared), where="here") == declared


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"schema_version": "1.0"}',
        b'{"schema_version": "1.0", "text": {"feeds": ["words"], "tokens": false}}',
        b'{"schema_version": "1.0", "image": {"feed": "x", "resample": "magic"}}',
        b'{"schema_version": "1.0", "image": {"feed": "x", "resample": "box", "rotate": 90}}',
        b'{"schema_version": "2.0", "text": {"feeds": [], "tokens": false}}',
    ],
)
def test_a_declaration_of_something_else_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(InvalidManifest, match=r"preprocessing\.json: "):
        parse(body, where="preprocessing.json")


@pytest.mark.parametrize("body", [b"", b"{}", b"[" * 10_000])
def test_a_tokenizer_that_cannot_be_read_is_refused(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "preprocessing.json").write_bytes(render(TextInput(BOTH)))
    (tmp_path / "tokenizer.json").write_bytes(body)

    with pytest.raises(InvalidManifest, match=r"tokenizer\.json: cannot be read: .*; publish the model again"):
        open_preprocessing(tmp_path)
