"""The local twin by its ready file, and what a killed one leaves behind."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import run
from cli.stage import LocalStage, choose, ready_file
from warmstart.errors import Unreachable


@pytest.fixture
def listener() -> Iterator[str]:
    """An address at which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def address(aws_endpoint_url: str) -> str:
    """Write a ready file's content."""
    return json.dumps(
        {
            "endpoint": "http://127.0.0.1:8080/prod",
            "api_key": "key",
            "admin_endpoint": "http://127.0.0.1:8080/prod/admin",
            "store": "bucket",
            "aws_endpoint_url": aws_endpoint_url,
            "region": "us-east-1",
        }
    )


def test_a_running_twin_is_found_by_its_ready_file(tmp_path: Path, listener: str) -> None:
    path = tmp_path / "twin.json"
    path.write_text(address(listener))

    assert isinstance(choose("prod", local=True, environ={"WARMSTART_READY_FILE": str(path)}), LocalStage)


def test_the_ready_file_is_where_the_environment_says() -> None:
    assert ready_file({"WARMSTART_READY_FILE": "here.json"}) == Path("here.json")
    assert ready_file({}) == Path(".warmstart/twin.json")


def test_without_a_ready_file_no_twin_runs(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as caught:
        LocalStage(tmp_path / "twin.json")

    assert caught.value.message == (
        f"local twin: expected its ready file {tmp_path / 'twin.json'}, got No such file or directory; "
        "start it: `warmstart local`"
    )


def test_a_twin_that_was_killed_left_its_ready_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"http://127.0.0.1:{server.getsockname()[1]}"
    (tmp_path / "twin.json").write_text(address(closed))

    with pytest.raises(Unreachable) as caught:
        LocalStage(tmp_path / "twin.json")

    assert f"says {closed}, where nobody answers" in caught.value.message
    assert caught.value.message.endswith("it has ended; start it again: `warmstart local`")


@pytest.mark.parametrize("content", ["", "[1]", '"text"', "{}", '{"endpoint": "x", "unknown": 1}', "{"])
def test_a_file_that_is_no_ready_file_is_named(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "twin.json"
    path.write_text(content)

    assert run(["models", "--local"], {"WARMSTART_READY_FILE": str(path)}) == 3
    assert f"unreachable: local twin: {path} is no ready file" in capsys.readouterr().err
