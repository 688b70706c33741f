"""`warmstart serve` before it becomes the server: what is refused, and how."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from typer.core import TyperCommand

from cli.light import LightCommand
from cli.main import app
from tests.build.command_line import CommandLine


def test_without_a_store_it_is_said_where_to_name_one(warmstart: CommandLine) -> None:
    ran = warmstart("serve")

    assert ran.code == 2
    assert ran.err.startswith("invalid_setting: WARMSTART_STORE_URL, or --store: expected s3://bucket")


def test_options_are_checked_before_anything_is_loaded(warmstart: CommandLine) -> None:
    ran = warmstart("serve", "--store", "file:///models", "--max-batch-size", "iris=1", "--max-batch-size", "b=2")

    assert ran.code == 2
    assert ran.err == ("invalid_setting: WARMSTART_MAX_BATCH_SIZE: expected a whole number from 2 to 4096, got '1'\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--store", "file:///models", "--port", "0"],
        ["--port=80", "--port", "81", "--host="],
        ["--port", "8080.0", "--threads", "-1", "--drain-s", "1e1"],
        ["--max-batch-size", "a=2", "--max-batch-size", "b=3", "--drain-s", "2"],
    ],
    ids=" ".join,
)
def test_options_are_read_as_typer_reads_them(arguments: list[str]) -> None:
    command = typer.main.get_command(app(["serve"]))
    light, full = (command.make_context("serve", []) for _ in range(2))
    command.parse_args(light, list(arguments))
    TyperCommand.parse_args(command, full, list(arguments))

    assert isinstance(command, LightCommand)
    assert light.params == full.params


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "abc"], "Invalid value for '--port': Input should be a valid integer"),
        (["--drain-s", "soon"], "Invalid value for '--drain-s': Input should be a valid number"),
        (["--port"], "Option '--port' requires an argument."),
        (["iris"], "Got unexpected extra argument(s) (iris)"),
        (["--prot", "1"], "No such option: --prot"),
    ],
)
def test_wrong_usage_is_said_as_of_every_verb(warmstart: CommandLine, arguments: list[str], message: str) -> None:
    ran = warmstart("serve", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"wrong_usage: {message}")
    assert ran.err.endswith("→ `warmstart serve --help` says how\n")


def test_a_package_that_is_missing_is_named_with_the_extra_that_has_it() -> None:
    script = (
        "import sys\nsys.modules['httptools'] = None\nfrom cli.main import run\n"
        "sys.exit(run(['serve', '--store', 'file:///models'], {}))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ran.returncode == 3
    assert ran.stderr == "unreachable: serving needs the package httptools: pip install 'warmstart[serve]'\n"
