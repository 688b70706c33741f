"""Hugging Face folders as far as they are read without transformers: recognised, refused before they are loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_store.convert.huggingface import load, recognises
from model_store.convert.source import LoadOptions
from warmstart.errors import UnsupportedModel, Untrusted


def folder(path: Path, *architectures: str, weights: str = "model.safetensors", **more: object) -> Path:
    (path / "config.json").write_text(json.dumps({"model_type": "bert", "architectures": architectures, **more}))
    (path / weights).write_bytes(b"")
    return path


def test_a_folder_is_recognised_by_its_configuration(tmp_path: Path) -> None:
    assert recognises(folder(tmp_path, "BertModel"))


@pytest.mark.parametrize("body", ["{", "[]", '{"name": "x"}'])
def test_another_configuration_is_not_one(tmp_path: Path, body: str) -> None:
    (tmp_path / "config.json").write_text(body)
    assert not recognises(tmp_path)
    assert not recognises(tmp_path / "config.json")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "preprocessor_config.json"])
def test_a_folder_that_brings_code_needs_trust(tmp_path: Path, name: str) -> None:
    folder(tmp_path, "BertModel")
    (tmp_path / name).write_text(json.dumps({"architectures": ["BertModel"], "auto_map": {"AutoModel": "code.Model"}}))
    with pytest.raises(Untrusted, match=f"its {name} names Python code of the folder .* say so with --trust"):
        load(tmp_path, LoadOptions())


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UnsupportedModel, match=r"expected weights \(model.safetensors, or pytorch_model.bin\), found none"
    ):
        load(folder(tmp_path, "BertModel", weights="tf_model.h5"), LoadOptions())


@pytest.mark.parametrize(("name", "says"), [("LlamaForCausalLM", "a LlamaForCausalLM"), ("", "does not say its class")])
def test_a_head_that_is_not_served_is_refused_with_those_that_are(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(UnsupportedModel, match=rf"{says}; those that are served are \*ForSequenceClassification, "):
        load(folder(tmp_path, *([name] if name else [])), LoadOptions())


def test_a_pooling_that_is_not_known_is_refused(tmp_path: Path) -> None:
    modules = [{"type": "sentence_transformers.models.Transformer", "path": ""}]
    modules.append({"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"})
    folder(tmp_path, "BertModel")
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(UnsupportedModel, match="by mean or by the first token, got pooling_mode_max_tokens"):
        load(tmp_path, LoadOptions())
