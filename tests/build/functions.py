"""A world of functions for tests: real execution environments for tiny handlers."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from local.functions import Functions
from local.types import FunctionConfig, Invocation

ECHO = "def handler(event, context): return event"
SLEEP = """
    import time
    def handler(event, context):
        time.sleep(event["s"])
        return "slept"
"""


class World:
    """Functions with their log, their clock and their files in one place."""

    def __init__(self, tmp_path: Path, **settings: Any) -> None:
        self.tmp_path = tmp_path
        self.time = 0.0
        self.log: list[tuple[str, str, str]] = []
        self.functions = Functions(log=self._write, clock=lambda: self.time, **settings)

    def _write(self, group: str, stream: str, lines: list[str]) -> None:
        self.log += [(group, stream, line) for line in lines]

    def config(self, code: str = ECHO, version: str = "1", **settings: Any) -> FunctionConfig:
        directory = self.tmp_path / f"code-{len(list(self.tmp_path.iterdir()))}"
        directory.mkdir()
        (directory / "app.py").write_text(textwrap.dedent(code))
        defaults: dict[str, Any] = {"environment": {}, "layer_dirs": (), "memory_mb": 256, "timeout_s": 10.0}
        return FunctionConfig(
            name="fn",
            version=version,
            handler="app.handler",
            code_dir=directory,
            log_group="/aws/lambda/fn",
            **(defaults | settings),
        )

    def put(self, code: str = ECHO, version: str = "1", **settings: Any) -> None:
        self.functions.put(self.config(code, version, **settings))

    def invoke(self, event: object = None, qualifier: str = "1") -> Invocation:
        return self.functions.invoke("fn", json.dumps(event or {}).encode(), qualifier=qualifier)

    def answer(self, event: object = None, qualifier: str = "1") -> Any:
        invocation = self.invoke(event, qualifier)
        assert invocation.function_error is None, invocation.payload
        return json.loads(invocation.payload)

    def error(self, event: object = None) -> dict[str, Any]:
        invocation = self.invoke(event)
        assert invocation.function_error == "Unhandled"
        error = json.loads(invocation.payload)
        assert isinstance(error, dict)
        return error | {"errorMessage": error["errorMessage"].replace(invocation.request_id, "<id>")}

    def lines(self, start: str) -> list[str]:
        return [line for _, _, line in self.log if line.startswith(start)]

    def pids(self) -> list[int]:
        return [view.pid for view in self.functions.environments() if view.pid is not None]


@contextmanager
def worlds(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Give a maker of worlds, and close all that it made."""
    made: list[World] = []

    def make(**settings: Any) -> World:
        made.append(World(tmp_path, **settings))
        return made[-1]

    yield make
    for world in made:
        world.functions.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.005)


def in_background(world: World, event: object, count: int = 1) -> list[Future[Invocation]]:
    """Start invocations, and wait until each is in its environment's handler."""
    executor = ThreadPoolExecutor(count)
    futures = [executor.submit(world.invoke, event) for _ in range(count)]
    until(lambda: [view.state for view in world.functions.environments()].count("busy") == count)
    executor.shutdown(wait=False)
    return futures


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; a zombie does not."""
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
