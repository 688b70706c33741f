"""`warmstart serve` as a process of its own, on a store in a folder, and the requests that it is asked."""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from model_store.file import FileObjects
from model_store.objects import ObjectStore
from tests.build import inference, manifests, models, slow_model
from tests.build.processes import Watched, watched
from warmstart.tensors import Signature

WAIT_S: Final = 120.0
COMMAND: Final = "from cli.main import entry; entry()"
LONG: Final = 30_000
"""Turns of the slow model: some seconds, in which much else is answered."""


def publish(objects: ObjectStore, name: str, body: bytes, signature: Signature) -> None:
    """Put version 1 of a model into a store."""
    manifests.store_version(objects, manifests.manifest(name, body=body, signature=signature), body=body)
    manifests.store_alias(objects, name, 1)


def fill(objects: ObjectStore) -> None:
    """Publish `adder`, sum = a + b, and `slow`, which takes the turns that it is told."""
    publish(objects, "adder", models.add(), inference.ADD)
    publish(
        objects,
        "slow",
        slow_model.turns(),
        inference.signature({"n": ("INT64", (1,))}, {"y": ("FP32", (1,))}),
    )


class Reply(NamedTuple):
    """An answer, read."""

    status: int
    headers: Mapping[str, str]
    json: Any


class Served:
    """A running server."""

    def __init__(self, command: Watched, pool: ThreadPoolExecutor) -> None:
        self.command, self._pool = command, pool
        found = re.search(r"on http://127\.0\.0\.1:(\d+)\n", command.waits_for(" on http://"))
        assert found, command.printed
        self.port = int(found[1])

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        connection.connect()
        return connection

    def ask(self, method: str, path: str, body: object = None, over: http.client.HTTPConnection | None = None) -> Reply:
        """Send a request, over a connection of its own if none is given, and read its answer."""
        connection = over or self.connect()
        headers = {"content-type": "application/json"} if body is not None else {}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        read = answer.read()
        if over is None:
            connection.close()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(read))

    def add(self, a: float, b: float) -> Reply:
        """Ask `adder`."""
        inputs = [{"name": name, "shape": [1, 1], "datatype": "FP32", "data": [x]} for name, x in (("a", a), ("b", b))]
        return self.ask("POST", "/v2/models/adder/infer", {"inputs": inputs})

    def turn(self, turns: int) -> Future[Reply]:
        """Ask `slow`, and do not wait; the request has been read by the server when this returns."""
        inputs = [{"name": "n", "shape": [1], "datatype": "INT64", "data": [turns]}]
        connection = self.connect()
        body = json.dumps({"inputs": inputs})
        connection.request("POST", "/v2/models/slow/infer", body, {"content-type": "application/json"})
        for _ in range(2):  # what was sent before is read before
            assert self.ask("GET", "/v2/health/live").status == 200
        return self._pool.submit(_read, connection)


def _read(connection: http.client.HTTPConnection) -> Reply:
    with closing(connection):
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, headers, json.loads(answer.read()))


@contextmanager
def serving(tmp: Path, *options: str, store: str | None = None, **environ: str) -> Iterator[Served]:
    """Serve a store, by default a folder with `adder` and `slow`; at the end nothing of it is left."""
    if store is None:
        fill(FileObjects(tmp / "store"))
        store = f"file://{tmp / 'store'}"
    command = ("-c", COMMAND, "serve", "--store", store, "--port", "0", *options)
    env = {**os.environ, "HOME": str(tmp), "TMPDIR": str(tmp), **environ}
    with watched(*command, printed=tmp / "printed", environ=env) as running, ThreadPoolExecutor(32) as pool:
        yield Served(running, pool)
