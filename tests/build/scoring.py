"""A data plane for the protocols of scoring servers: what they ask of it, in their own words."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from onnx import helper

from tests.build import classifier, inference, manifests, models
from tests.build.inference import Answered, World
from warmstart import environment

TEXT = inference.signature({"text": ("BYTES", (-1,))}, {"said": ("BYTES", (-1,))})
IMAGE = inference.signature({"image": ("BYTES", (-1,))}, {"seen": ("BYTES", (-1,))})
CSV = "text/csv"
NPY = "application/x-npy"
LINES = "application/jsonlines"
STRING = 8


def world(tmp: Path, default: str = "doubler") -> World:
    """A data plane with `doubler`, `adder`, `divider`, `iris`, and `text` and `image`, which give back what they get.

    `doubler@canary` is version 2, which triples.
    """
    built = World(tmp, **{environment.DEFAULT_MODEL: default})
    built.publish_doubler()
    built.publish("doubler", models.scale(3.0), manifests.IDENTITY, version=2, alias="canary")
    built.publish("adder", models.add(), inference.ADD)
    built.publish("divider", models.divide(), inference.DIVIDE)
    built.publish("iris", classifier.graph(), classifier.SIGNATURE, labels=classifier.LABELS)
    built.publish("text", echo({"text": STRING}, {"said": "text"}), TEXT)
    built.publish("image", echo({"image": STRING}, {"seen": "image"}), IMAGE)
    return built


def echo(inputs: dict[str, int], outputs: dict[str, str]) -> bytes:
    """A model that gives its inputs back, of shape [-1]."""
    nodes = [helper.make_node("Identity", [source], [name]) for name, source in outputs.items()]
    taken = [models.tensor(name, code, ["batch"]) for name, code in inputs.items()]
    given = [models.tensor(name, inputs[source], ["batch"]) for name, source in outputs.items()]
    return models.model(nodes, taken, given)


def ask(world: World, path: str, body: object, **headers: str) -> Answered:
    """Post a body: bytes as the gateway brings what is no text, else JSON. Headers: `content_type="text/csv"`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, bytes):
        return world.ask("POST", path, b64encode(body).decode(), isBase64Encoded=True, headers=named)
    return world.ask("POST", path, body, headers={"content-type": "application/json", **named})
