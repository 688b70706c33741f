"""`python -m benchmarks.http_servers`: `warmstart serve` against the same data plane behind other HTTP servers.

Needs wrk on PATH, and `pip install uvicorn granian aiohttp cheroot`. Interleaved rounds on the tabular model; medians.
Beside requests per second it reports the server's processor time per request, which a busy machine changes least.
Writes `benchmarks/results/http_servers.json`, prints the table of docs/decisions/server.md.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil

from benchmarks.events import proxy_event
from benchmarks.http_candidates import CANDIDATES
from benchmarks.machine import RESULTS, machine
from benchmarks.models import model_path
from model_store.gate import apply, plan_file
from model_store.stores import open_store

MODEL: Final = "tabular"
PATH: Final = f"/v2/models/{MODEL}/infer"
OURS: Final[Mapping[str, str]] = {"warmstart serve": "errors", "warmstart serve --log all": "all"}
"""Our own server, by what it logs."""
CONNECTIONS: Final = (1, 4, 16)
FIRST_PORT: Final = 18_480
"""Below the ports that the system gives to clients: one of those may be connected to itself."""
HEADERS: Final = {"Content-Type": "application/json"}


class Seen(NamedTuple):
    """One round of one server: by connections, requests per second and processor time per request."""

    first_answer_s: float
    per_second: dict[int, float]
    cpu_us: dict[int, float]
    memory_mb: float


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of all servers (default 5)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of each load (default 2)")
    options = parser.parse_args()
    names = [*OURS, *CANDIDATES]
    with tempfile.TemporaryDirectory() as folder:
        store, script = _publish(Path(folder)), _script(Path(folder))
        rounds = []
        for number in range(options.rounds + 1):
            print(f"round {number} of {options.rounds}", file=sys.stderr, flush=True)
            rounds.append({name: see(name, store, script, FIRST_PORT + number, options.seconds) for name in names})
    rows = [_row(name, [one[name] for one in rounds[1:]]) for name in names]
    print(_table(rows))
    document = {"machine": machine(), "rounds": options.rounds, "seconds": options.seconds, "rows": rows}
    (RESULTS / "http_servers.json").write_text(json.dumps(document, indent=2) + "\n")


def see(name: str, store: Path, script: Path, port: int, seconds: int) -> Seen:
    """Start a server, ask it, load it, end it."""
    env = {**os.environ, "HOME": str(store.parent), "TMPDIR": str(store.parent)}
    command = [sys.executable, "-m", "benchmarks.http_candidates", name, str(port), str(store)]
    if name in OURS:
        command = [sys.executable, "-m", "handlers.server"]
        env |= {"WARMSTART_STORE_URL": f"file://{store}", "WARMSTART_PORT": str(port), "WARMSTART_LOG": OURS[name]}
    started = time.perf_counter()
    process = psutil.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(port):
            if process.poll() is not None:
                raise SystemExit(f"{name}: ended with exit code {process.returncode} before it answered")
            time.sleep(0.003)
        first_answer_s = time.perf_counter() - started
        _load(port, script, max(CONNECTIONS), 1)
        per_second, cpu_us = {}, {}
        for connections in CONNECTIONS:
            before = _cpu_s(process)
            per_second[connections] = _load(port, script, connections, seconds)
            cpu_us[connections] = (_cpu_s(process) - before) / (per_second[connections] * seconds) * 1e6
        return Seen(first_answer_s, per_second, cpu_us, process.memory_full_info().pss / 1e6)
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", PATH, proxy_event(MODEL)["body"], HEADERS)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return answer.status == 200


def _load(port: int, script: Path, connections: int, seconds: int) -> float:
    """Return requests per second. Raises: SystemExit if one was not answered 200."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}{PATH}"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in printed or "Socket errors" in printed:
        raise SystemExit(printed)
    found = re.search(r"Requests/sec: +([\d.]+)", printed)
    if found is None:
        raise SystemExit(printed)
    return float(found[1])


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def _publish(folder: Path) -> Path:
    with open_store(f"file://{folder / 'store'}") as store:
        plan = plan_file(model_path(MODEL), MODEL, store.objects)
        apply(plan, store.objects, by="benchmark", clock=time.time, new_id=lambda: "1")
    return folder / "store"


def _script(folder: Path) -> Path:
    (folder / "body").write_text(proxy_event(MODEL)["body"])
    lines = (
        'wrk.method = "POST"',
        'wrk.headers["Content-Type"] = "application/json"',
        f'wrk.body = io.open("{folder / "body"}", "rb"):read("*a")',
    )
    (folder / "post.lua").write_text("\n".join(lines) + "\n")
    return folder / "post.lua"


def _row(name: str, rounds: list[Seen]) -> dict[str, Any]:
    loads = {
        str(count): {
            "per_second": round(statistics.median(one.per_second[count] for one in rounds)),
            "cpu_us": round(statistics.median(one.cpu_us[count] for one in rounds)),
        }
        for count in CONNECTIONS
    }
    return {
        "server": name,
        "first_answer_ms": round(statistics.median(one.first_answer_s for one in rounds) * 1000),
        "loads": loads,
        "memory_mb": round(statistics.median(one.memory_mb for one in rounds)),
    }


def _table(rows: list[dict[str, Any]]) -> str:
    heads = " | ".join(f"req/s at {count} | µs" for count in CONNECTIONS)
    lines = [f"| server | first answer, ms | {heads} | memory, MB |", "|---|" + "---:|" * (2 + 2 * len(CONNECTIONS))]
    for row in rows:
        loads = " | ".join(f"{load['per_second']:,} | {load['cpu_us']}" for load in row["loads"].values())
        lines.append(f"| {row['server']} | {row['first_answer_ms']} | {loads} | {row['memory_mb']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
