"""Calls that wait, are turned away, or run when the server stops; and a fault of ours."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from handlers.inference.observability import Invocation
from handlers.inference.service import InferenceService
from handlers.inference.sessions import Opening, Ran
from handlers.server.grpc.protos import open_inference_pb2 as oip
from handlers.server.grpc.server import start_grpc
from model_store.manifest import Manifest
from tests.build import manifests
from tests.build.grpc_client import INFERENCE, Client, client, fp32, raw_request
from warmstart.refs import ModelRef


class Gate:
    """Sessions that compute when they are let, and count how often they did."""

    def __init__(self) -> None:
        self.entered, self.open, self.runs = threading.Semaphore(0), threading.Event(), 0

    def run(self, _: Manifest, outputs: Sequence[str], inputs: Mapping[str, object]) -> Ran:
        """Give back what came."""
        self.entered.release()
        assert self.open.wait(20)
        self.runs += 1
        return Ran([np.asarray(inputs["x"])] * max(1, len(outputs)), 1, None, 1)

    def load(self, _: Manifest) -> Opening | None:
        """Nothing is loaded."""
        return None

    def is_open(self, _: Manifest) -> bool:
        """All are."""
        return True


class One:
    """A resolver of one model."""

    def resolve(self, _: object) -> Manifest:
        """Find it, whatever is asked."""
        return manifests.manifest("doubler")

    def known(self, _: object) -> Manifest | None:
        """Find it without asking anybody."""
        return manifests.manifest("doubler")

    def step_back(self, _: object, __: Manifest) -> Manifest | None:
        """There is no version before it."""
        return None


class Broken:
    """A catalogue with a fault of ours."""

    def published(self) -> Sequence[ModelRef]:
        """Fail, with a secret in the text."""
        raise ZeroDivisionError("password=hunter2")

    def versions(self, name: str) -> Sequence[int]:
        """Have none."""
        raise ZeroDivisionError(name)

    def document(self, manifest: Manifest, path: str) -> bytes | None:
        """Have none."""
        raise ZeroDivisionError(f"{manifest.name} {path}")


def gated(gate: Gate) -> InferenceService:
    return InferenceService(resolver=One(), sessions=gate, catalogue=Broken(), clock=lambda: 0.0, clock_ns=lambda: 0)


def in_background(asked: Client, request: oip.ModelInferRequest, found: list[str]) -> threading.Thread:
    thread = threading.Thread(target=lambda: found.append(asked.infer(request, timeout_s=20).status.name))
    thread.start()
    return thread


def test_nothing_is_computed_for_a_client_that_has_stopped_waiting() -> None:
    gate, found = Gate(), list[str]()
    server = start_grpc(gated(gate), port=0, max_workers=1)
    with client(server.port) as asked:
        first = in_background(asked, raw_request(x=fp32([1, 2])), found)
        assert gate.entered.acquire(timeout=20)  # it has the only worker
        assert asked.infer(raw_request(x=fp32([3, 4])), timeout_s=0.2).status.name == "DEADLINE_EXCEEDED"
        gate.open.set()
        first.join()
        assert asked.infer(raw_request(x=fp32([5, 6]))).status.name == "OK"
    server.stop(0)

    assert (found, gate.runs) == (["OK"], 2)


def test_a_call_that_finds_the_queue_full_is_turned_away() -> None:
    gate, found = Gate(), list[str]()
    server = start_grpc(gated(gate), port=0, max_workers=1, max_queued=0)
    with client(server.port) as asked:
        first = in_background(asked, raw_request(x=fp32([1, 2])), found)
        assert gate.entered.acquire(timeout=20)
        assert asked.infer(raw_request(x=fp32([3, 4]))).status.name == "RESOURCE_EXHAUSTED"
        gate.open.set()
        first.join()
    server.stop(0)

    assert found == ["OK"]


def test_a_call_that_runs_when_the_server_stops_is_answered() -> None:
    gate, found = Gate(), list[str]()
    server = start_grpc(gated(gate), port=0)
    with client(server.port) as asked:
        first = in_background(asked, raw_request(x=fp32([1, 2])), found)
        assert gate.entered.acquire(timeout=20)
        with ThreadPoolExecutor() as pool:
            stopping = pool.submit(server.stop, 20)
            gate.open.set()
            first.join()

    assert (found, stopping.result()) == (["OK"], True)


def test_a_call_that_does_not_end_in_time_is_cut_off_and_that_is_said() -> None:
    gate, found = Gate(), list[str]()
    server = start_grpc(gated(gate), port=0)
    with client(server.port) as asked:
        first = in_background(asked, raw_request(x=fp32([1, 2])), found)
        assert gate.entered.acquire(timeout=20)
        assert not server.stop(0.1)
        first.join()
        gate.open.set()

    assert found[0] in {"CANCELLED", "UNAVAILABLE"}  # as its end or the connection's comes first


def test_what_is_our_fault_is_logged_and_leaks_no_detail() -> None:
    noted: list[Invocation] = []
    server = start_grpc(gated(Gate()), port=0, note=lambda invocation, _: noted.append(invocation))
    with client(server.port) as asked:
        answered = asked.call(INFERENCE, "RepositoryIndex", oip.RepositoryIndexRequest(), oip.RepositoryIndexResponse)
    server.stop(0)

    assert (answered.status.name, "hunter2" in answered.text) == ("INTERNAL", False)
    assert [str(call.failure) for call in noted] == ["password=hunter2"]
