"""A server is started, asked until it answers, and ended with all its processes."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.load import Request, free_ports, memory, need_wrk, serving

REQUEST = Request("/predict", b'{"X": [1]}')
SERVER = """
import signal, subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    refusals = 2

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Handler.refusals:
            Handler.refusals -= 1
            return self.send_error(503)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode() + body)

child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_the_first_answer_is_the_first_with_200_and_nothing_of_the_server_is_left(tmp_path: Path) -> None:
    (port,) = free_ports(1)

    with serving([sys.executable, "-c", SERVER, str(port)], {"HOME": str(tmp_path)}, REQUEST, port) as running:
        family = [running.process, *running.process.children(recursive=True)]
        taken = memory(running.process)

    assert running.answer == b'/predict{"X": [1]}'
    assert (tmp_path / "log").read_text().count(" 503 ") == 2
    assert taken.processes == len(family) == 2
    assert taken.pss_mb > 1
    assert not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_a_server_that_ends_is_told_of_with_the_end_of_its_log(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-c", "raise SystemExit('no such model')"]

    with (
        pytest.raises(SystemExit, match=r"expected an answer within 90 s; its log ends with:\nno such model"),
        serving(command, {"HOME": str(tmp_path)}, REQUEST, port),
    ):
        pass


def test_a_missing_generator_is_told_of_with_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SystemExit, match=r"wrk: expected .* on PATH, got none; apt-get install wrk"):
        need_wrk()


def test_free_ports_are_different() -> None:
    assert len(set(free_ports(3))) == 3
