"""Publishes small models into a folder and serves them until standard input ends: `python -m tests.clients.server DIR`.

It runs in the project's own environment; the clients that ask it have environments of their own. The first line that
it writes is JSON: each protocol's address.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final, NamedTuple

from onnx import TensorProto

from handlers.inference.data_plane import build_service
from handlers.inference.settings import InferenceSettings
from handlers.server.grpc.server import start_grpc
from model_store.file import FileObjects
from tests.build import manifests, models
from tests.build.inference import env
from tests.clients.models import DATATYPES, LABELS
from warmstart.datatypes import DATATYPES as TABLE
from warmstart.tensors import Signature, TensorSpec

ADD: Final = Signature(
    (TensorSpec("a", "FP32", (-1, 1)), TensorSpec("b", "FP32", (-1, 1))), (TensorSpec("sum", "FP32", (-1, 1)),)
)


class Version(NamedTuple):
    """What is published of a model."""

    name: str
    version: int
    body: bytes
    signature: Signature
    labels: tuple[str | int, ...] = ()
    alias: str = "live"


def signature(datatype: str, shape: tuple[int, ...]) -> Signature:
    """One input x and one output y of the same kind."""
    return Signature((TensorSpec("x", datatype, shape),), (TensorSpec("y", datatype, shape),))


def versions() -> list[Version]:
    """List what the tests ask for (`tests/clients/models.py`)."""
    scores = models.identity(TensorProto.FLOAT, ("batch", 3))
    return [
        Version("doubler", 1, models.scale(2.0), manifests.IDENTITY, alias="canary"),
        Version("doubler", 2, models.scale(3.0), manifests.IDENTITY),
        Version("adder", 1, models.add(), ADD),
        Version("animals", 1, scores, signature("FP32", (-1, 3)), LABELS),
        *(
            Version(f"identity-{name.lower()}", 1, models.identity(TABLE[name].onnx_code), signature(name, (-1, 2)))
            for name in DATATYPES
        ),
    ]


def publish(objects: FileObjects) -> None:
    """Put all of them into a store."""
    for name, number, body, declared, labels, alias in versions():
        described = manifests.manifest(name, number, body=body, signature=declared, labels=labels)
        manifests.store_version(objects, described, body=body)
        manifests.store_alias(objects, name, number, alias=alias)


def main(folder: Path) -> int:
    """Serve until standard input ends."""
    objects = FileObjects(folder / "store")
    publish(objects)
    settings = InferenceSettings.from_env(env(folder))
    server = start_grpc(build_service(settings, objects, warn=lambda _: None), port=0)
    sys.stdout.write(json.dumps({"grpc": f"127.0.0.1:{server.port}"}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop(1)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
