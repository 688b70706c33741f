"""A server in a process of its own: how long until it answers, how much it answers under load, what memory it takes.

The load comes from wrk, which shares the machine with the server and must take little of it. Against a server that
answers at once it made 84,000 requests a second with one connection and 160,000 with 16, for 5 and 3 µs of processor
each, the check of every status included; a client of asyncio's bare protocols took 22 and 17 µs. Every load's own share
is in the results (`generator_cores`).
"""

from __future__ import annotations

import http.client
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import psutil

SCRIPT: Final = Path(__file__).with_name("load.lua")
START_TIMEOUT_S: Final = 90
ANSWER_TIMEOUT_S: Final = 30
STOP_TIMEOUT_S: Final = 5
POLL_S: Final = 0.005


class Request(NamedTuple):
    """A POST of JSON."""

    path: str
    body: bytes


class Running(NamedTuple):
    """A server that answers: its process, its port, the seconds from its start to its first 200, and that answer."""

    process: psutil.Popen
    port: int
    first_answer_s: float
    answer: bytes


class Load(NamedTuple):
    """What a number of connections got in some seconds, and how many cores the generator took meanwhile."""

    per_second: float
    p50_ms: float
    p99_ms: float
    generator_cores: float


class Memory(NamedTuple):
    """Of all processes of a server: the sum of their proportional set sizes, which counts a shared page once."""

    pss_mb: float
    processes: int


@contextmanager
def serving(command: list[str], environment: Mapping[str, str], request: Request, port: int) -> Iterator[Running]:
    """Start a server in the folder `environment["HOME"]`, wait for its first answer, end all its processes.

    Raises: SystemExit with the end of its log if it ends, or does not answer 200 within 90 s.
    """
    home = Path(environment["HOME"])
    with (home / "log").open("wb") as log:
        started = time.perf_counter()
        process = psutil.Popen(command, cwd=home, env=dict(environment), stdout=log, stderr=log, start_new_session=True)
        try:
            answer = _first_answer(process, request, port, started + START_TIMEOUT_S)
            if answer is None:
                raise SystemExit(
                    f"{command[0]}: expected an answer within {START_TIMEOUT_S} s; {_end_of(home / 'log')}"
                )
            yield Running(process, port, time.perf_counter() - started, answer)
        finally:
            _stop(process)


def ask(request: Request, port: int) -> bytes | None:
    """Send one request on a connection of its own; None if nobody answers, or not with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_TIMEOUT_S)
    try:
        connection.request("POST", request.path, request.body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if answer.status == 200 else None


def load(request: Request, port: int, *, connections: int, seconds: int) -> Load:
    """Keep as many connections busy for some seconds.

    Raises: SystemExit if a single answer was not 200, or a connection broke.
    """
    url = f"http://127.0.0.1:{port}{request.path}"
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        f"{ANSWER_TIMEOUT_S}s",
        "-s",
        str(SCRIPT),
    ]
    limit = seconds + 2 * ANSWER_TIMEOUT_S
    before = _cpu_of_children_s()
    with tempfile.NamedTemporaryFile() as body:
        body.write(request.body)
        body.flush()
        done = subprocess.run(
            [*command, url, "--", body.name], capture_output=True, text=True, check=True, timeout=limit
        )
    return read_summary(done.stdout, cpu_s=_cpu_of_children_s() - before)


def read_summary(printed: str, *, cpu_s: float) -> Load:
    """Read what wrk and its script printed: the last line is the script's.

    Raises: SystemExit if a single answer was not 200, or a connection broke, or there was no answer.
    """
    found = json.loads(printed.splitlines()[-1])
    if found["refused"] or found["broken"] or not found["answers"]:
        raise SystemExit(
            f"load: expected {found['answers']} answers with 200, got {found['refused']} with another status; "
            f"{found['broken']} connections broke or timed out"
        )
    seconds = found["seconds"]
    return Load(found["answers"] / seconds, found["p50_ms"], found["p99_ms"], cpu_s / seconds)


def memory(process: psutil.Process) -> Memory:
    """Add up the memory of a process and of all below it, as Linux tells it."""
    sizes = [one.memory_full_info().pss for one in [process, *process.children(recursive=True)]]
    return Memory(sum(sizes) / 1e6, len(sizes))


def free_ports(count: int) -> list[int]:
    """Find ports on 127.0.0.1 that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def need_wrk() -> None:
    """See that the load generator is there.

    Raises: SystemExit that says how to install it.
    """
    if shutil.which("wrk") is None:
        raise SystemExit("wrk: expected the load generator on PATH, got none; apt-get install wrk")


def _first_answer(process: psutil.Popen, request: Request, port: int, deadline: float) -> bytes | None:
    while process.poll() is None and time.perf_counter() < deadline:
        answer = ask(request, port)
        if answer is not None:
            return answer
        time.sleep(POLL_S)
    return None


def _stop(process: psutil.Popen) -> None:
    """Ask the server to end; kill what is left of it."""
    family = [process, *process.children(recursive=True)] if process.poll() is None else []
    if family:
        process.send_signal(signal.SIGTERM)
        psutil.wait_procs([process], timeout=STOP_TIMEOUT_S)
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(family, timeout=STOP_TIMEOUT_S)
    with suppress(ProcessLookupError):  # a server that broke down may have left some behind
        os.killpg(process.pid, signal.SIGKILL)


def _cpu_of_children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _end_of(log: Path) -> str:
    return f"its log ends with:\n{log.read_text(errors='replace')[-2000:]}"
