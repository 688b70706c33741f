"""What a fresh process loads before the first verb runs: counted, not timed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cli.main import VERBS

HEAVY = {"aws_cdk", "boto3", "botocore", "fastapi", "http", "moto", "numpy", "onnx", "onnxruntime", "sklearn"}


def loaded(code: str) -> set[str]:
    """Run Python code in a fresh process, return the names of all modules that it loaded."""
    script = f"{code}\nimport sys\nprint('\\n', *sys.modules, sep='\\n')"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(ran.stdout.rpartition("\n\n")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["publish", "--help"], ["--version"]], ids=" ".join)
def test_help_waits_for_no_framework(arguments: list[str]) -> None:
    names = loaded(f"from cli.main import run\nassert run({arguments}, {{}}) == 0")

    assert {name.partition(".")[0] for name in names} & HEAVY == set()


def test_the_command_line_itself_loads_few_modules() -> None:
    assert len(loaded("import cli.main")) < 200


SERVE = """\
import os, sys
os._exit = lambda code: None
from cli.main import run
run(["serve", "--store", "file:///nowhere", "--host", "256.0.0.1", "--port", "0", "--drain-s", "1"], {})
"""
"""Ends at the address, when all is loaded that serves."""


def test_a_server_keeps_neither_the_other_verbs_nor_what_they_read_and_print_with() -> None:
    names = loaded(SERVE)

    assert "handlers.server.server" in names
    assert names & {f"cli.{verb}" for verb in VERBS} == {"cli.serve"}
    assert {name.partition(".")[0] for name in names} & {"boto3", "email", "pydantic", "rich"} == set()


def test_numpy_waits_for_the_server_which_sets_how_many_threads_it_starts() -> None:
    stub = "import sys, types\nsys.modules['handlers.server.__main__'] = types.SimpleNamespace(serve=lambda env: None)"
    names = loaded(f"{stub}\nfrom cli.main import run\nassert run(['serve', '--store', 'file:///nowhere'], {{}}) == 0")

    assert {name.partition(".")[0] for name in names} & HEAVY == set()


def test_the_client_needs_the_standard_library_and_the_vocabulary_alone() -> None:
    names = loaded("from warmstart import Client") - loaded("pass")  # an editable installation loads a finder first

    assert {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names} == {
        "warmstart",
        "warmstart.client",
        "warmstart.client.answers",
        "warmstart.client.client",
        "warmstart.client.metadata",
        "warmstart.client.retry",
        "warmstart.client.values",
        "warmstart.datatypes",
        "warmstart.errors",
        "warmstart.refs",
        "warmstart.tensors",
    }
    assert {name.partition(".")[0] for name in names} & {
        "asyncio",
        "email",
        "hashlib",
        "http",
        "random",
        "ssl",
    } == set()


def test_the_vocabulary_alone_loads_no_client() -> None:
    assert {name for name in loaded("import warmstart") if name.startswith("warmstart.")} == set()


def test_a_client_that_was_given_records_loads_neither_numpy_nor_asyncio() -> None:
    ask = "Client('http://127.0.0.1:9', attempts=1).predict('iris', [1])"  # where nobody listens
    names = loaded(f"from warmstart import Client\ntry:\n    {ask}\nexcept Exception:\n    pass")

    assert "http.client" in names
    assert {name.partition(".")[0] for name in names} & {"asyncio", "botocore", "numpy", "pandas"} == set()


def test_a_verb_whose_packages_are_missing_names_the_extra() -> None:
    script = "import sys\nsys.modules['elftools'] = None\nfrom cli.main import run\nsys.exit(run(['layers'], {}))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ran.returncode == 3
    assert ran.stderr.startswith("unreachable: building layers needs the package elftools")
    assert ran.stderr.endswith("pip install 'warmstart[infra]'\n")
