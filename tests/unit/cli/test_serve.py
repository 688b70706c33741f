"""`warmstart serve` before it becomes the server: what is refused, and how."""

from __future__ import annotations

import subprocess
import sys

from tests.build.command_line import CommandLine


def test_without_a_store_it_is_said_where_to_name_one(warmstart: CommandLine) -> None:
    ran = warmstart("serve")

    assert ran.code == 2
    assert ran.err.startswith("invalid_setting: WARMSTART_STORE_URL, or --store: expected s3://bucket")


def test_options_are_checked_before_anything_is_loaded(warmstart: CommandLine) -> None:
    ran = warmstart("serve", "--store", "file:///models", "--max-batch-size", "iris=1", "--max-batch-size", "b=2")

    assert ran.code == 2
    assert ran.err == ("invalid_setting: WARMSTART_MAX_BATCH_SIZE: expected a whole number from 2 to 4096, got '1'\n")


def test_a_package_that_is_missing_is_named_with_the_extra_that_has_it() -> None:
    script = (
        "import sys\nsys.modules['httptools'] = None\nfrom cli.main import run\n"
        "sys.exit(run(['serve', '--store', 'file:///models'], {}))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ran.returncode == 3
    assert ran.stderr == "unreachable: serving needs the package httptools: pip install 'warmstart[serve]'\n"
