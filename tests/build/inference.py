"""Builders of a data plane on an in-memory store, and of the events that it answers."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from handlers.inference.data_plane import DataPlane, build_data_plane
from handlers.inference.settings import InferenceSettings
from model_store.memory import MemoryObjects
from model_store.objects import StoredObject
from model_store.payload_locations import Location
from model_store.payload_objects import MemoryPayloads, Payload
from tests.build import manifests, models
from warmstart import environment
from warmstart.errors import StoreUnavailable
from warmstart.tensors import Signature, TensorSpec


def env(tmp: Path, **changes: str) -> dict[str, str]:
    """The inference function's environment, as the stack and Lambda set it."""
    return {
        environment.STORE_BUCKET: "store",
        environment.REGION: "us-east-1",
        environment.ACCESS_KEY_ID: "test",
        environment.SECRET_ACCESS_KEY: "test",
        environment.MEMORY_MB: "1769",
        environment.TMPDIR: str(tmp),
        environment.MODELS_DIR: str(tmp / "baked"),
        **changes,
    }


class WatchedStore:
    """An in-memory store that writes down each request, and can be down."""

    def __init__(self) -> None:
        self.objects = MemoryObjects()
        self.requests: list[str] = []
        self.is_down = False

    def get(self, key: str) -> StoredObject:
        """Read an object."""
        self._note(f"GET {key}")
        return self.objects.get(key)

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless it still has this entity tag."""
        self._note(f"GET-IF-CHANGED {key}")
        return self.objects.get_if_changed(key, etag)

    def keys(self, prefix: str) -> Iterator[str]:
        """List all keys under a prefix, in order."""
        self._note(f"LIST {prefix}")
        return self.objects.keys(prefix)

    def download(self, key: str, path: Path, *, size_bytes: int, digests: bool = True) -> None:
        """Write an object to a file."""
        del digests
        self._note(f"DOWNLOAD {key}")
        self.objects.download(key, path, size_bytes=size_bytes)

    def _note(self, request: str) -> None:
        self.requests.append(request)
        if self.is_down:
            raise StoreUnavailable("store: did not answer")


class ReluctantPayloads(MemoryPayloads):
    """Bodies by reference in memory, to which nothing can be added while `is_full`."""

    is_full = False

    def put(self, location: Location, payload: Payload) -> None:
        """Write an object."""
        if self.is_full:
            raise StoreUnavailable(f"{location}: S3 did not answer")
        super().put(location, payload)


class World:
    """A data plane, its store and S3 beside it, its clock (seconds, moved by hand) and the lines that it wrote."""

    def __init__(self, tmp: Path, **changes: str) -> None:
        self.store = WatchedStore()
        self.payloads = ReluctantPayloads()
        self.time_s = 1_700_000_000.0
        self.lines: list[bytes] = []
        self.settings = InferenceSettings.from_env(env(tmp, **changes))
        self.plane: DataPlane = build_data_plane(
            self.settings,
            self.store,
            write=self.lines.append,
            payload_objects=lambda: self.payloads,
            setup_ns=5_000_000,
            clock=lambda: self.time_s,
        )

    def publish(
        self,
        name: str,
        body: bytes,
        signature: Signature,
        *,
        version: int = 1,
        labels: tuple[str | int, ...] = (),
        alias: str = "live",
    ) -> None:
        """Publish a version of one file and point an alias at it."""
        described = manifests.manifest(name, version, body=body, signature=signature, labels=labels)
        manifests.store_version(self.store.objects, described, body=body)
        manifests.store_alias(self.store.objects, name, version, alias=alias)

    def publish_doubler(self, version: int = 1, *, factor: float = 2.0) -> None:
        """Publish `doubler`: y = factor * x, FP32 [-1, 2]."""
        self.publish("doubler", models.scale(factor), manifests.IDENTITY, version=version)

    def ask(self, method: str, path: str, body: object = None, **fields: object) -> Answered:
        """Send one event through."""
        return Answered(self.plane.answer(event(method, path, body, **fields), "request-1"))

    def logged(self) -> list[dict[str, Any]]:
        """Return the lines written so far, as JSON."""
        return [json.loads(line) for line in self.lines]


class Answered:
    """A proxy response, read."""

    def __init__(self, response: Mapping[str, Any]) -> None:
        assert set(response) == {"statusCode", "headers", "body", "isBase64Encoded"}
        self.status: int = response["statusCode"]
        self.headers: dict[str, str] = response["headers"]
        self.text: str = response["body"]
        self.body: bytes = b64decode(self.text) if response["isBase64Encoded"] else self.text.encode()

    @property
    def json(self) -> Any:
        """The body, if it is JSON."""
        return json.loads(self.body)


def event(method: str, path: str, body: object = None, **fields: object) -> dict[str, Any]:
    """A REST proxy event; a body that is no text is written as JSON."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json", "Host": "example.execute-api.us-east-1.amazonaws.com"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": None,
        "pathParameters": None,
        "requestContext": {"stage": "prod", "requestId": "gateway-1", "path": f"/prod{path}"},
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
        **fields,
    }


def infer_body(data: object, *, name: str = "x", shape: object = (1, 2), datatype: object = "FP32") -> dict[str, Any]:
    """An OIP request with one input."""
    return {"inputs": [{"name": name, "shape": shape, "datatype": datatype, "data": data}]}


def signature(inputs: Mapping[str, tuple[str, tuple[int, ...]]], outputs: Mapping[str, Any]) -> Signature:
    """A signature from `{name: (datatype, shape)}`."""

    def specs(tensors: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
        return tuple(TensorSpec(name, datatype, shape) for name, (datatype, shape) in tensors.items())

    return Signature(specs(inputs), specs(outputs))


DIVIDE = signature({"a": ("FP32", (-1,)), "b": ("FP32", (-1,))}, {"y": ("FP32", (-1,))})
ADD = signature({"a": ("FP32", (-1, 1)), "b": ("FP32", (-1, 1))}, {"sum": ("FP32", (-1, 1))})
RESHAPE = signature({"x": ("FP32", (-1,)), "shape": ("INT64", (2,))}, {"y": ("FP32", (-1, -1))})
EXPAND = signature({"x": ("FP32", (1,)), "shape": ("INT64", (1,))}, {"y": ("FP32", (-1,))})
