"""`python -m benchmarks.servers`: `warmstart serve` and other servers of models, interleaved, on the tabular model.

In each round every server is started anew, asked until it answers, then kept busy by 1, 4 and 16 connections. Medians,
and medians of the ratios to the best peer of the same round. Writes `benchmarks/results/servers.json`, prints the table
that `docs/performance.md` shows. Everything listens on 127.0.0.1; `make bench-servers` makes the peers' environments.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import onnxruntime as ort

from benchmarks.contenders import MODEL, Answer, Server, check, prepare, servers, start, version
from benchmarks.load import Load, Memory, load, memory, need_wrk, serving
from benchmarks.machine import RESULTS, machine
from benchmarks.models import model_path, sample

CONNECTIONS: Final = (1, 4, 16)


class Seen(NamedTuple):
    """What one round saw of one server; loads are by number of connections, memory is that after them."""

    first_answer_s: float
    loads: Mapping[int, Load]
    memory: Memory


Round = Mapping[str, Seen]
"""By the server's name."""


def main() -> None:
    """Measure, print, write."""
    known = {server.name: server for server in servers()}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of all servers (default 7)")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of each load (default 3)")
    parser.add_argument("--servers", nargs="+", default=list(known), choices=list(known))
    options = parser.parse_args()
    need_wrk()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # servers are ended on the way out
    compared = tuple(known[name] for name in options.servers)
    rounds = measure(compared, options.rounds, options.seconds)
    rows = reduce(compared, rounds)
    measured = {"rounds": options.rounds, "seconds": options.seconds, "rows": rows}
    document = {"machine": machine(), "versions": {server.package: version(server) for server in compared}, **measured}
    print(render(rows), render_origin(document), sep="\n\n")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "servers.json").write_text(json.dumps(document, indent=2) + "\n")


def measure(compared: tuple[Server, ...], rounds: int, seconds: int) -> list[Round]:
    """See every server once a round; the first round, which fills the page cache, is thrown away."""
    session = ort.InferenceSession(model_path(MODEL))
    names = [output.name for output in session.get_outputs()]
    expected: Answer = dict(zip(names, session.run(names, sample(MODEL)), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        homes = {server.name: prepare(server, Path(folder)) for server in compared}
        for server in compared:
            see(server, homes[server.name], expected, seconds=1)
        found = list[Round]()
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            # The order turns by one: what runs after another may find a machine that is busier.
            order = [compared[(number + place) % len(compared)] for place in range(len(compared))]
            found.append({server.name: see(server, homes[server.name], expected, seconds) for server in order})
        return found


def see(server: Server, home: Path, expected: Answer, seconds: int) -> Seen:
    """Start a server, check its first answer, warm it for a second, load it."""
    starting = start(server, home)
    with serving(starting.command, starting.environment, server.request, starting.port) as running:
        check(server, running.answer, expected)
        load(server.request, running.port, connections=max(CONNECTIONS), seconds=1)
        loads = {count: load(server.request, running.port, connections=count, seconds=seconds) for count in CONNECTIONS}
        return Seen(running.first_answer_s, loads, memory(running.process))


def reduce(compared: tuple[Server, ...], rounds: list[Round]) -> list[dict[str, Any]]:
    """Make a row of each server; without a peer beside it, the ratios are to itself."""
    peers = [server.name for server in compared if server.is_peer] or [compared[0].name]
    return [row(server.name, peers, rounds) for server in compared]


def row(name: str, peers: list[str], rounds: list[Round]) -> dict[str, Any]:
    """Reduce the rounds of one server to medians; a ratio is to the best of the peers in the same round."""
    mine = [one[name] for one in rounds]
    return {
        "server": name,
        "first_answer_ms": round(statistics.median(seen.first_answer_s for seen in mine) * 1000),
        "first_answer_ratio": ratio(name, peers, rounds, lambda seen: seen.first_answer_s, best=min),
        "loads": [load_row(name, peers, rounds, count) for count in CONNECTIONS],
        "memory_mb": round(statistics.median(seen.memory.pss_mb for seen in mine)),
        "memory_ratio": ratio(name, peers, rounds, lambda seen: seen.memory.pss_mb, best=min),
        "processes": max(seen.memory.processes for seen in mine),
    }


def load_row(name: str, peers: list[str], rounds: list[Round], connections: int) -> dict[str, Any]:
    """Reduce the rounds of one server at one number of connections."""
    mine = [one[name].loads[connections] for one in rounds]
    return {
        "connections": connections,
        "per_second": round(statistics.median(found.per_second for found in mine)),
        "ratio": ratio(name, peers, rounds, lambda seen: seen.loads[connections].per_second, best=max),
        "p50_ms": round(statistics.median(found.p50_ms for found in mine), 3),
        "p99_ms": round(statistics.median(found.p99_ms for found in mine), 3),
        "generator_cores": round(statistics.median(found.generator_cores for found in mine), 3),
    }


def ratio(
    name: str,
    peers: list[str],
    rounds: list[Round],
    figure: Callable[[Seen], float],
    *,
    best: Callable[[Iterable[float]], float],
) -> float:
    """Compare a figure with the best of the peers in each round; the median."""
    ratios = [figure(one[name]) / best(figure(one[peer]) for peer in peers) for one in rounds]
    return round(statistics.median(ratios), 3)


def render(rows: list[dict[str, Any]]) -> str:
    """Write the rows as a Markdown table."""
    loads = " | ".join(f"req/s at {count} | × best peer" for count in CONNECTIONS)
    head = f"| server | first answer, ms | × best peer | {loads} | p50 (p99) at 1, ms | memory, MB (processes) |"
    lines = [f"{head} × best peer |", "|---|" + "---:|" * (5 + 2 * len(CONNECTIONS))]
    for r in rows:
        answered = " | ".join(f"{found['per_second']:,} | {found['ratio']:.2f}" for found in r["loads"])
        one, taken = r["loads"][0], f"{r['memory_mb']} ({r['processes']})"
        lines.append(
            f"| {r['server']} | {r['first_answer_ms']:,} | {r['first_answer_ratio']:.2f} | {answered} | "
            f"{one['p50_ms']:.2f} ({one['p99_ms']:.2f}) | {taken} | {r['memory_ratio']:.2f} |"
        )
    return "\n".join(lines)


def render_origin(document: dict[str, Any]) -> str:
    """Say where the figures come from."""
    where, versions = document["machine"], document["versions"]
    named = ", ".join(f"{package} {found}" for package, found in versions.items())
    return (
        f"{document['rounds']} rounds, {document['seconds']} s of each load; {where['cpu']}, {where['cores']} vCPU,\n"
        f"{where['system']}; Python {where['python']}, onnxruntime {where['onnxruntime']};\n"
        f"{named}; {where['date']}."
    )


if __name__ == "__main__":
    main()
