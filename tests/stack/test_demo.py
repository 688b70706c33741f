"""The demo and `warmstart local` as programs: they say where they are, and end without leaving anything."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.build.processes import endpoint_in, somebody_listens, watched

pytestmark = pytest.mark.xdist_group("demo")


def paste(line: str) -> bytes:
    """Run a curl line; on a machine that has no curl, send what it says."""
    words = shlex.split(line)
    if shutil.which("curl"):
        return subprocess.run(words, capture_output=True, check=True).stdout
    headers = dict(words[place + 1].split(": ") for place, word in enumerate(words) if word == "-H")
    [url] = [word for word in words if word.startswith("http://127.0.0.1:")]
    request = urllib.request.Request(url, words[words.index("-d") + 1].encode(), headers)  # noqa: S310 - http alone
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - http alone
        body: bytes = answer.read()
    return body


def test_the_demo_compares_its_answers_and_ends(tmp_path: Path) -> None:
    ready_file = tmp_path / "twin.json"
    arguments = ("-m", "examples.demo", "--once", "--port", "0", "--ready-file", str(ready_file))
    with watched(*arguments, printed=tmp_path / "printed", environ=os.environ) as demo:
        assert demo.ends() == 0, demo.printed

        for model in ("iris", "breast-cancer", "digits"):
            assert f"predict 5 rows of {model} over HTTP: the same as scikit-learn" in demo.printed
        assert "Ready after" in demo.printed
        assert demo.started > 0
        assert demo.left() == []
        assert not somebody_listens(endpoint_in(demo.printed))
        assert not ready_file.exists()


def test_the_demo_serves_until_ctrl_c(tmp_path: Path) -> None:
    ready_file = tmp_path / "twin.json"
    arguments = ("-m", "examples.demo", "--port", "0", "--ready-file", str(ready_file))
    with watched(*arguments, printed=tmp_path / "printed", environ=os.environ) as demo:
        printed = demo.waits_for("Ctrl-C stops it all.")
        endpoint = endpoint_in(printed)
        answer = paste(printed[printed.index("curl ") : printed.index("\nAlso: ")].strip())

        demo.signal_group(signal.SIGINT)

        assert demo.ends() == 0, demo.printed
        assert json.loads(answer)["outputs"][0]["data"] == [0]
        assert demo.printed.endswith("\nstopped\n")
        assert demo.left() == []
        assert not somebody_listens(endpoint)
        assert not ready_file.exists()


def test_a_taken_port_ends_the_demo_with_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arguments = ("-m", "examples.demo", "--once", "--port", str(port))
        with watched(*arguments, printed=tmp_path / "printed", environ=os.environ) as demo:
            assert demo.ends() == 3
            assert f"port {port}: Address already in use; free it, or choose another: --port P" in demo.printed
            assert "Traceback" not in demo.printed


def test_the_demo_ends_on_sigterm_while_it_starts(tmp_path: Path) -> None:
    ready_file = tmp_path / "twin.json"
    arguments = ("-m", "examples.demo", "--port", "0", "--ready-file", str(ready_file))
    with watched(*arguments, printed=tmp_path / "printed", environ=os.environ) as demo:
        demo.waits_for("bootstrapped")

        demo.signal(signal.SIGTERM)

        assert demo.ends() == 0, demo.printed
        assert demo.printed.endswith("\nstopped\n")
        assert demo.left() == []
        assert not ready_file.exists()


def test_the_local_twin_ends_on_sigterm_while_it_starts(tmp_path: Path) -> None:
    ready_file = tmp_path / "twin.json"
    arguments = ("-c", "from cli.main import entry; entry()", "local", "--port", "0")
    environ = {**os.environ, "WARMSTART_READY_FILE": str(ready_file)}
    with watched(*arguments, printed=tmp_path / "printed", environ=environ) as local:
        local.waits_for("synthesized")

        local.signal(signal.SIGTERM)

        assert local.ends() == 0, local.printed
        assert local.printed.endswith("\nstopped\n")
        assert local.left() == []
        assert not ready_file.exists()
