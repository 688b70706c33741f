"""The comparison of servers: rounds become rows, rows become a table, and an answer that is wrong ends it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.contenders import Server, check, prepare, programs, servers, start
from benchmarks.load import Load, Memory, Request, read_summary
from benchmarks.servers import Round, Seen, reduce, render, render_origin

ROOT = Path(__file__).parents[3]
OURS, _, _, *PEERS = servers()
EXPECTED = {"label": np.array([1]), "probabilities": np.array([[0.25, 0.75]], np.float32)}


def seen(first_answer_s: float, per_second: float, pss_mb: float, processes: int = 1) -> Seen:
    load = Load(per_second, p50_ms=0.5, p99_ms=2.0, generator_cores=0.1)
    return Seen(first_answer_s, dict.fromkeys((1, 4, 16), load), Memory(pss_mb, processes))


def named(name: str, package: str = "peer") -> Server:
    return OURS._replace(name=name, package=package)


def test_a_ratio_is_to_the_best_peer_of_its_own_round() -> None:
    rounds: list[Round] = [
        {"ours": seen(0.5, 1000, 50), "a": seen(1.0, 100, 200), "b": seen(2.0, 200, 100)},
        {"ours": seen(0.5, 1200, 50), "a": seen(2.0, 400, 100), "b": seen(1.0, 100, 400)},
        {"ours": seen(1.5, 1100, 80), "a": seen(2.0, 275, 100), "b": seen(3.0, 100, 100)},
    ]

    ours, a, _ = reduce((named("ours", "warmstart"), named("a"), named("b")), rounds)

    assert (ours["first_answer_ms"], ours["first_answer_ratio"]) == (500, 0.5)
    assert [(load["connections"], load["per_second"], load["ratio"]) for load in ours["loads"]] == [
        (1, 1100, 4.0),
        (4, 1100, 4.0),
        (16, 1100, 4.0),
    ]
    assert (ours["memory_mb"], ours["memory_ratio"]) == (50, 0.5)
    assert (a["first_answer_ratio"], a["loads"][0]["ratio"], a["memory_ratio"]) == (1.0, 1.0, 1.0)


def test_our_own_figures_are_never_those_of_the_best_peer() -> None:
    rows = reduce(
        (named("ours", "warmstart"), named("a")), [{"ours": seen(0.1, 1000, 10), "a": seen(1.0, 100, 100, processes=3)}]
    )

    assert [row["loads"][2]["ratio"] for row in rows] == [10.0, 1.0]
    assert [row["processes"] for row in rows] == [1, 3]


def test_a_row_shows_what_was_measured() -> None:
    rows = reduce((named("a"),), [{"a": seen(1.2345, 1234.5, 100.4, processes=3)}])

    assert render(rows).splitlines()[2] == (
        "| a | 1,234 | 1.00 | 1,234 | 1.00 | 1,234 | 1.00 | 1,234 | 1.00 | 0.50 (2.00) | 100 (3) | 1.00 |"
    )


def test_every_line_of_the_table_has_as_many_cells() -> None:
    lines = render(reduce((named("a"),), [{"a": seen(1, 1, 1)}])).splitlines()

    assert {line.count("|") for line in lines} == {13}


def test_the_figures_are_told_with_the_machine_and_the_versions() -> None:
    machine = {"cpu": "A", "cores": 2, "system": "Linux", "python": "3.11.7", "onnxruntime": "1.28.0"}
    document = {
        "machine": {**machine, "date": "2026-01-31"},
        "versions": {"a": "1.0", "b": "2.1"},
        "rounds": 7,
        "seconds": 3,
    }

    assert render_origin(document) == (
        "7 rounds, 3 s of each load; A, 2 vCPU,\nLinux; Python 3.11.7, onnxruntime 1.28.0;\na 1.0, b 2.1; 2026-01-31."
    )


SUMMARY = {"answers": 3000, "seconds": 1.5, "refused": 0, "broken": 0, "p50_ms": 0.5, "p99_ms": 2.0}


def test_the_summary_of_a_load_is_its_last_line() -> None:
    printed = f"Running 2s test\nRequests/sec: 7\n{json.dumps(SUMMARY)}\n"

    assert read_summary(printed, cpu_s=0.375) == Load(2000.0, p50_ms=0.5, p99_ms=2.0, generator_cores=0.25)


@pytest.mark.parametrize("change", [{"refused": 1}, {"broken": 1}, {"answers": 0}])
def test_a_load_in_which_one_answer_was_not_200_counts_for_nothing(change: dict[str, int]) -> None:
    with pytest.raises(SystemExit, match=r"expected \d+ answers with 200"):
        read_summary(json.dumps({**SUMMARY, **change}), cpu_s=0.1)


OIP = {"outputs": [{"name": "label", "data": [1]}, {"name": "probabilities", "data": [0.25, 0.75]}]}
NAMED = {"label": [1], "probabilities": [[0.25, 0.75]]}
ANSWERS = {"warmstart": OIP, "mlserver": OIP, "bentoml": NAMED, "litserve": NAMED, "mlflow": {"predictions": NAMED}}


@pytest.mark.parametrize("server", servers(), ids=lambda server: server.name)
def test_an_answer_is_compared_with_what_the_runtime_gave(server: Server) -> None:
    answer = json.dumps(ANSWERS[server.package])

    check(server, answer.encode(), EXPECTED)
    with pytest.raises(SystemExit, match=r"expected probabilities \[\[0.25, 0.75\]\], got"):
        check(server, answer.replace("0.75", "0.7501").encode(), EXPECTED)
    with pytest.raises(SystemExit, match="expected label"):
        check(server, answer.replace("label", "other").encode(), EXPECTED)


@pytest.mark.parametrize("server", servers(), ids=lambda server: server.name)
def test_a_server_listens_where_it_is_told_and_on_this_machine_alone(server: Server) -> None:
    starting = start(server, Path("/home-of-it"))
    told = [*starting.command, *starting.environment.values()]

    assert str(starting.port) in told
    assert not [part for part in told if "{" in part]
    assert "0.0.0.0" not in " ".join(told)
    assert starting.environment["PATH"].startswith(str(programs(server)))


def test_every_peer_gets_its_files_and_the_model_in_a_folder_of_its_own(tmp_path: Path) -> None:
    peers = [peer._replace(prepare=()) for peer in PEERS]
    homes = [prepare(peer, tmp_path) for peer in peers]

    assert len(set(homes)) == 5
    assert all((home / "tabular.onnx").is_file() for home in homes)
    assert all({path.name for path in home.iterdir()} > {"tabular.onnx"} for home in homes)


def test_ours_gets_a_store_with_the_model_as_it_is(tmp_path: Path) -> None:
    home = prepare(OURS, tmp_path)

    assert [path.name for path in home.rglob("*.onnx")] == ["model.onnx"]


@pytest.mark.parametrize("peer", sorted({peer.package for peer in PEERS}))
def test_a_peer_runs_with_the_runtime_that_we_have(peer: str) -> None:
    pinned = re.compile(r"^onnxruntime==\S+", re.MULTILINE)
    ours = pinned.search((ROOT / "requirements" / "dev.txt").read_text())
    theirs = pinned.search((ROOT / "requirements" / "benchmarks" / f"{peer}.txt").read_text())

    assert ours is not None
    assert theirs is not None
    assert theirs[0] == ours[0]


def test_a_request_is_the_same_row_for_every_server() -> None:
    def row(request: Request) -> list[float]:
        return [float(number) for number in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", request.body.decode())]

    rows = [row(server.request) for server in servers()]

    assert len(rows[0]) == 30
    assert all(found == rows[0] for found in rows)
