"""Publishes small models into a folder and serves them until standard input ends: `python -m tests.clients.server DIR`.

It runs in the project's own environment; the clients that ask it have environments of their own. The first line that
it writes is JSON: each protocol's address.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from onnx import TensorProto

from model_store.file import FileObjects
from model_store.objects import ObjectStore
from tests.build import manifests, models
from tests.clients.models import DATATYPES, LABELS
from warmstart.datatypes import DATATYPES as TABLE
from warmstart.tensors import Signature, TensorSpec

ADD: Final = Signature(
    (TensorSpec("a", "FP32", (-1, 1)), TensorSpec("b", "FP32", (-1, 1))), (TensorSpec("sum", "FP32", (-1, 1)),)
)
ADDRESS: Final = re.compile(r"(http|grpc)://([\w.]+:\d+)")


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


def publish(objects: ObjectStore) -> None:
    """Put all of them into a store."""
    for name, number, body, declared, labels, alias in versions():
        described = manifests.manifest(name, number, body=body, signature=declared, labels=labels)
        manifests.store_version(objects, described, body=body)
        manifests.store_alias(objects, name, number, alias=alias)


def serve(folder: Path, *, grpc_port: int = 0) -> subprocess.Popen[str]:
    """Run `warmstart serve` on that store, on ports that are free."""
    options = ("--store", f"file://{folder}/store", "--port", "0", "--grpc-port", str(grpc_port), "--log", "none")
    options += ("--default-model", "adder")
    command = (sys.executable, "-c", "from cli.main import entry; entry()", "serve", *options)
    environ = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder)}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ)


def addresses(server: subprocess.Popen[str]) -> dict[str, str]:
    """Read where it listens: it says so when it does, HTTP last."""
    assert server.stderr is not None
    found: dict[str, str] = {}
    for line in server.stderr:
        if match := ADDRESS.search(line):
            found[match[1]] = match[0] if match[1] == "http" else match[2]
        if "http" in found:
            break
    return found


def main(folder: Path) -> int:
    """Publish, serve until standard input ends, and return what the server's end was."""
    publish(FileObjects(folder / "store"))
    with serve(folder) as server:
        try:
            sys.stdout.write(json.dumps(addresses(server)) + "\n")
            sys.stdout.flush()
            sys.stdin.read()
        finally:
            server.terminate()
    return server.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
