"""The gRPC server three ways, in one run: `python -m benchmarks.grpc_server`.

threads: as it is, on gRPC's synchronous server. loop: the same answers on gRPC's asyncio server, computed on the loop.
loop + pool: there, computed on a pool of threads. Each in a process of its own, asked by 1, 4 and 16 clients.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import grpc
import grpc.aio
import numpy as np
import psutil

from handlers.inference.data_plane import build_service
from handlers.inference.service import InferenceService
from handlers.server.grpc import open_inference
from handlers.server.grpc.calls import Calls, Spoken
from handlers.server.grpc.protos.open_inference_pb2 import ModelInferRequest
from handlers.server.grpc.server import WORKERS, start_grpc
from tests.build.inference import World

CLIENTS: Final = (1, 4, 16)
SECONDS: Final = 1.5
ROUNDS: Final = 3
METHOD: Final = "ModelInfer"


def _service(folder: str) -> InferenceService:
    world = World(Path(folder))
    world.publish_doubler()
    return build_service(world.settings, world.store, warn=lambda _: None)


def _serve_threads(folder: str, ready: Connection) -> None:
    server = start_grpc(_service(folder), port=0)
    ready.send(server.port)
    ready.recv()
    server.stop(0)


class _Context:
    """What `Calls` asks of a synchronous server's context, of an asynchronous one's."""

    def __init__(self, context: Any) -> None:
        self.time_remaining, self.set_trailing_metadata = context.time_remaining, context.set_trailing_metadata
        self.invocation_metadata = lambda: context.invocation_metadata() or ()

    def is_active(self) -> bool:
        """Say that the client still waits."""
        return True


def _serve_loop(folder: str, ready: Connection, *, pooled: bool) -> None:
    speech = open_inference.speech(lambda: True)
    method = speech.methods[METHOD]
    calls = Calls(_service(folder), note=lambda *_: None, clock_ns=time.perf_counter_ns, new_id=lambda: "id")
    answer: Callable[[bytes, Any], Any] = calls.behaviour(Spoken(speech.protocol, method.operation), method)
    pool = ThreadPoolExecutor(WORKERS)

    async def on_loop(content: bytes, context: Any) -> Any:
        return answer(content, _Context(context))

    async def on_pool(content: bytes, context: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(pool, answer, content, _Context(context))

    async def serve() -> None:
        server = grpc.aio.server()
        handler: grpc.RpcMethodHandler[bytes, Any] = grpc.unary_unary_rpc_method_handler(
            on_pool if pooled else on_loop, response_serializer=lambda message: message.SerializeToString()
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(speech.service, {METHOD: handler}),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        ready.send(port)
        await asyncio.get_running_loop().run_in_executor(None, ready.recv)
        await server.stop(0)

    asyncio.run(serve())


def _serve(way: str, folder: str, ready: Connection) -> None:
    if way == "threads":
        _serve_threads(folder, ready)
    else:
        _serve_loop(folder, ready, pooled=way == "loop + pool")


def _ask(port: int, until: float, counts: list[int]) -> None:
    request = ModelInferRequest(model_name="doubler", raw_input_contents=[np.array([1, 2], "<f4").tobytes()])
    request.inputs.add(name="x", datatype="FP32", shape=(1, 2))
    content, count = request.SerializeToString(), 0
    with grpc.insecure_channel(f"127.0.0.1:{port}", (("grpc.use_local_subchannel_pool", 1),)) as channel:
        ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            f"/inference.GRPCInferenceService/{METHOD}"
        )
        while time.perf_counter() < until:
            ask(content)
            count += 1
    counts.append(count)


def _measure(port: int, process: psutil.Process, clients: int) -> tuple[float, float]:
    """Return requests per second, and the server's processor time per request in microseconds."""
    counts: list[int] = []
    before, started = process.cpu_times(), time.perf_counter()
    until = started + SECONDS
    threads = [threading.Thread(target=_ask, args=(port, until, counts)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent_s, after = time.perf_counter() - started, process.cpu_times()
    cpu_s = after.user + after.system - before.user - before.system
    return sum(counts) / spent_s, 1e6 * cpu_s / sum(counts)


def main() -> int:
    """Print a table in Markdown: medians of the rounds."""
    context = get_context("spawn")
    print("| server | " + " | ".join(f"{count} clients" for count in CLIENTS) + " | memory |")
    print("|---|" + "---:|" * (len(CLIENTS) + 1))
    for way in ("threads", "loop", "loop + pool"):
        ours, theirs = context.Pipe()
        with TemporaryDirectory() as folder:
            server = context.Process(target=_serve, args=(way, folder, theirs))
            server.start()
            port, process = ours.recv(), psutil.Process(server.pid)
            _measure(port, process, 1)
            cells = []
            for count in CLIENTS:
                rounds = [_measure(port, process, count) for _ in range(ROUNDS)]
                cells.append(f"{median(r[0] for r in rounds):,.0f}/s, {median(r[1] for r in rounds):.0f} µs")
            cells.append(f"{process.memory_info().rss / 1e6:.0f} MB")
            ours.send(None)
            server.join()
        print(f"| {way} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
