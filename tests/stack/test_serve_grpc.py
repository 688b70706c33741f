"""`warmstart serve --grpc-port`: the command itself, in a process of its own."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from subprocess import Popen

import numpy as np

from handlers.server.grpc.protos.open_inference_pb2 import ModelInferResponse
from model_store.file import FileObjects
from tests.build import inference, serving, slow_model
from tests.build.grpc_client import INFERENCE, client, fp32, raw_request
from tests.clients.server import addresses, publish, serve

SLOW = inference.signature({"n": ("INT64", (1,))}, {"y": ("FP32", (1,))})


@contextmanager
def running(folder: Path, *, grpc_port: int = 0) -> Iterator[Popen[str]]:
    objects = FileObjects(folder / "store")
    publish(objects)
    serving.publish(objects, "slow", slow_model.turns(), SLOW)
    with serve(folder, grpc_port=grpc_port) as server:
        try:
            yield server
        finally:
            server.terminate()


def get(url: str, path: str) -> object:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.request("GET", path)
    found: object = json.loads(connection.getresponse().read())
    connection.close()
    return found


def test_grpc_and_http_are_one_server(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        found = addresses(server)
        with client(int(found["grpc"].rpartition(":")[2])) as asked:
            answered = asked.infer(raw_request(x=fp32([1, 2], [3, 4])), timeout_s=60)
        counted = get(found["http"], "/v2/models/doubler/stats")

    assert np.frombuffer(answered.message.raw_output_contents[0], "<f4").tolist() == [3, 6, 9, 12]
    assert isinstance(counted, dict)
    assert [(each["name"], each["version"], each["inference_count"]) for each in counted["model_stats"]] == [
        ("doubler", "2", 2)
    ]
    assert server.returncode == 0


def test_a_call_in_flight_is_answered_when_the_command_is_told_to_end(tmp_path: Path) -> None:
    turns = np.array([serving.LONG], "<i8").tobytes()
    with running(tmp_path) as server:
        with client(int(addresses(server)["grpc"].rpartition(":")[2])) as asked:
            assert asked.infer(raw_request("slow", n=("INT64", (1,), bytes(8))), timeout_s=60).text == ""
            request = raw_request("slow", n=("INT64", (1,), turns))
            slow = asked.begin(INFERENCE, "ModelInfer", request.SerializeToString())
            assert asked.infer(raw_request(x=fp32([1, 2])), timeout_s=60).text == ""  # the slow one was sent before
            assert not slow.done()
            server.terminate()
            answer = ModelInferResponse.FromString(slow.result())
        server.wait(60)

    assert (len(answer.raw_output_contents), server.returncode) == (1, 0)


def test_a_port_that_is_taken_ends_the_command(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(tmp_path, grpc_port=port) as server:
            _, printed = server.communicate(timeout=60)

    assert (server.returncode, printed.splitlines()[-1]) == (
        2,
        f"invalid_setting: grpc port: expected one that is free at 127.0.0.1, got {port}",
    )
