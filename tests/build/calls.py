"""Builders for the wire protocols: a request, the model that is asked, and what it computed."""

from __future__ import annotations

import json
from typing import Any

from model_store.manifest import Manifest
from tests.build import manifests
from warmstart.datatypes import from_numpy
from warmstart.protocols.wire import Request
from warmstart.tensors import Signature, TensorSpec


def request(body: object = b"", *, path: str = "/", method: str = "POST", **headers: str) -> Request:
    """A request; a body that is not bytes is written as JSON. Headers: `content_type="text/csv"`."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method, path, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def model(
    inputs: tuple[TensorSpec, ...],
    outputs: tuple[TensorSpec, ...],
    *,
    name: str = "iris",
    version: int = 3,
    labels: tuple[str | int, ...] = (),
) -> Manifest:
    """The version that answers."""
    return manifests.manifest(name, version, signature=Signature(inputs, outputs), labels=labels)


def computed(**arrays: Any) -> list[tuple[TensorSpec, Any]]:
    """Outputs by name, each of its array's own datatype; FP32 where numpy knows it as float32."""
    found = []
    for name, array in arrays.items():
        datatype = from_numpy(array.dtype.name)
        assert datatype is not None
        found.append((TensorSpec(name, datatype.name, array.shape), array))
    return found
