"""How the CDK's command line is run, with a stand-in for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from local.deploy import Cdk, DeployFailed, environment
from local.twin import Twin
from warmstart.errors import Unreachable

PRINTS = """
const fs = require("fs");
const at = process.argv.indexOf("--output");
if (at > 0) { fs.writeFileSync(process.argv[at + 1] + "/manifest.json", "{}"); }
console.log(process.argv.slice(2).join(" "));
"""


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Cdk]:
    """A root with a command line that runs the given script."""

    def make(script: str) -> Cdk:
        command = tmp_path / "node_modules" / "aws-cdk" / "bin" / "cdk"
        command.parent.mkdir(parents=True)
        command.write_text(script)
        (tmp_path / "infra").mkdir()
        (tmp_path / "infra" / "app.py").write_text("1")
        return Cdk(root=tmp_path, aws_url="http://127.0.0.1:5000", environ={"PATH": "/usr/bin:/bin"})

    return make


def test_nothing_of_the_users_aws_reaches_the_cdk() -> None:
    made = environment(
        {"AWS_PROFILE": "mine", "AWS_CA_BUNDLE": "x", "CDK_DEFAULT_ACCOUNT": "1", "LANG": "C"},
        "http://127.0.0.1:5000",
        work=Path("/w"),
    )
    assert not {"AWS_PROFILE", "AWS_CA_BUNDLE", "CDK_DEFAULT_ACCOUNT"} & made.keys()
    assert (made["LANG"], made["AWS_ACCESS_KEY_ID"]) == ("C", "test")


def test_the_cdk_finds_the_twin_by_address_and_templates_by_name() -> None:
    made = environment({}, "http://127.0.0.1:5000", work=Path("/w"))
    assert made["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5000"
    assert made["AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION"] == "http://localhost:5000"


def test_an_update_does_not_ask_for_previous_parameters(project: Callable[[str], Cdk]) -> None:
    cdk = project(PRINTS + 'if (process.argv[2] === "deploy") process.exit(1);')
    with pytest.raises(DeployFailed) as failed:
        cdk.deploy(update=True)
    assert "--method=direct --require-approval=never --no-previous-parameters" in failed.value.message


def test_an_assembly_is_synthesized_once(project: Callable[[str], Cdk]) -> None:
    cdk = project(PRINTS)
    first = cdk.assembly()
    (cdk.root / "node_modules" / "aws-cdk" / "bin" / "cdk").write_text("process.exit(1)")
    assert cdk.assembly() == first
    assert (first / "manifest.json").exists()


def test_a_changed_source_makes_another_assembly(project: Callable[[str], Cdk]) -> None:
    cdk = project(PRINTS)
    first = cdk.assembly()
    (cdk.root / "infra" / "app.py").write_text("2")
    assert cdk.assembly() != first


def test_a_failed_synthesis_leaves_no_assembly_and_says_what_was_printed(project: Callable[[str], Cdk]) -> None:
    cdk = project('console.error("memory_mb: expected 128 to 10240"); process.exit(1)')
    with pytest.raises(DeployFailed, match="cdk synth: exit code 1\nmemory_mb: expected 128 to 10240"):
        cdk.assembly()
    assert list((cdk.work / "assemblies").iterdir()) == []


def test_without_the_cdk_it_says_how_to_get_it(tmp_path: Path) -> None:
    cdk = Cdk(root=tmp_path, aws_url="http://127.0.0.1:5000", environ={})
    with pytest.raises(Unreachable, match="run `make setup`"):
        cdk.run(["--version"])


def test_a_twin_outside_a_clone_says_that_it_needs_one(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="deploys a clone of Warmstart: expected package"):
        Twin.start(root=tmp_path)
