"""Builders of small models that take text or images: a tokenizer of a few words, pictures of one colour."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from pathlib import Path

from onnx import TensorProto, helper
from PIL import Image
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from model_store.gate.apply import apply
from model_store.gate.candidate import Candidate, Layout
from model_store.gate.onnx_source import read_onnx
from model_store.gate.plan import plan_publish
from model_store.gate.prepare import Preparation
from model_store.manifest import RunOptions
from model_store.preprocessing.declared import FILE, TOKENIZER, Declared, ImageInput, TextInput, render
from tests.build.inference import World
from tests.build.models import model, tensor

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film")


def publish(world: World, folder: Path, graph: bytes, files: tuple[Path, ...], *, name: str = "model") -> None:
    """Publish a graph with what is declared before it."""
    (folder / "graph.onnx").write_bytes(graph)
    read = read_onnx(folder / "graph.onnx")
    candidate = Candidate(signature=read.signature, layout=Layout(read.files, RunOptions()))
    plan = plan_publish(Preparation(files).candidate(candidate), name, world.store.objects)
    apply(plan, world.store.objects, by="test", clock=lambda: world.time_s, new_id=lambda: "id")


def text_folder(folder: Path, declared: TextInput, *, most: int = 6) -> tuple[Path, ...]:
    """Declare a tokenizer that knows three words, in lower case without accents; at most six tokens of a text."""
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_truncation(most)
    tokenizer.enable_padding()
    tokenizer.save(str(folder / TOKENIZER))
    return (*_declare(folder, declared), folder / TOKENIZER)


def image_folder(folder: Path, declared: ImageInput) -> tuple[Path, ...]:
    """Declare what is done to images."""
    return _declare(folder, declared)


def _declare(folder: Path, declared: Declared) -> tuple[Path, ...]:
    (folder / FILE).write_bytes(render(declared))
    return (folder / FILE,)


def token_counter() -> bytes:
    """Give `length` = how many tokens a text has, INT64 [-1]; `input_ids` are taken and answered as they are."""
    names = ("input_ids", "attention_mask")
    inputs = [tensor(name, TensorProto.INT64, ("rows", "tokens")) for name in names]
    outputs = [tensor("length", TensorProto.INT64, ("rows",)), tensor("ids", TensorProto.INT64, ("rows", "tokens"))]
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("ReduceSum", ["attention_mask", "axes"], ["length"], keepdims=0),
        helper.make_node("Identity", ["input_ids"], ["ids"]),
    ]
    return model(nodes, inputs, outputs, [axes])


def colour_mean() -> bytes:
    """Give `colour`, FP32 [-1, 3]: the mean of each plane of `pixel_values`."""
    inputs = [tensor("pixel_values", TensorProto.FLOAT, ("rows", 3, "height", "width"))]
    node = helper.make_node("ReduceMean", ["pixel_values"], ["colour"], axes=[2, 3], keepdims=0)
    return model([node], inputs, [tensor("colour", TensorProto.FLOAT, ("rows", 3))])


def picture(size: tuple[int, int], colour: tuple[int, int, int], form: str = "PNG") -> str:
    """Make an image file of one colour, in base64; `size` is (width, height)."""
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, form)
    return b64encode(file.getvalue()).decode()
