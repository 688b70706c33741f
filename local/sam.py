"""`make sam-local`: the same stack under `sam local start-api`, for those who have Docker or podman.

SAM runs the synthesized serving template in AWS's own runtime images. It has no S3 and no CloudFormation: the store is
moto's, bound where a container reaches it, and what the template refers to is given as values (SAM hands a `Ref` to a
function as the logical id's name). It enforces neither API keys nor throttles nor validators: the twin does.
Source: AWS SAM developer guide, "sam local start-api", "Environment variable file".
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.stage import READY_FILE
from layers.target import host_architecture
from local import ready
from local.deploy import Cdk
from local.types import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, TwinAddress
from warmstart import environment, stacks
from warmstart.errors import Unreachable, WarmstartError

ROOT: Final = Path(__file__).resolve().parent.parent
BUCKET: Final = "warmstart-sam-store"
HOST_NAME: Final = "host.docker.internal"
"""This machine's name within a container."""
ENGINES: Final = ("docker", "podman")
TEMPLATE: Final = "sam-template.json"
VARIABLES: Final = "sam-variables.json"
ASSET_PATH: Final = "aws:asset:path"
"""Where SAM finds an asset that the CDK staged, relative to the template."""

Run = Callable[[list[str]], str | None]
"""Run a command; its standard output, or None if it is not there or fails."""


@dataclass(frozen=True, kw_only=True)
class SamPlan:
    """What is written and run: a copy of the template, archives to unpack beside it, variables' values, the command."""

    template: Mapping[str, Any]
    archives: tuple[str, ...]
    variables: Mapping[str, Mapping[str, str]]
    command: tuple[str, ...]


def find_engine(run: Run) -> str:
    """Return the container engine that answers. Raises: Unreachable, saying what to do instead."""
    for engine in ENGINES:
        if run([engine, "info"]) is not None:
            return engine
    raise Unreachable(
        "no container engine answers: expected Docker or podman (`docker info`, `podman info`); start one, "
        "or run the stack without any: `make demo`"
    )


def find_bridge(engine: str, run: Run) -> str:
    """Return the address of this machine that a container reaches, and nobody outside of it."""
    formats = {
        "docker": ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"],
        "podman": ["podman", "network", "inspect", "podman", "--format", "{{(index .Subnets 0).Gateway}}"],
    }
    address = (run(formats[engine]) or "").strip()
    if not address:
        raise Unreachable(f"{engine}: expected the gateway's address of its default network, got none: is it running?")
    return address


def plan(template: Mapping[str, Any], *, store_url: str, bridge: str, port: int, folder: Path) -> SamPlan:
    """Plan a start: SAM passes only variables that the template declares, so the store's address is declared too.

    A layer that is an archive is unpacked: SAM would put the archive itself into /opt.
    """
    copy: dict[str, Any] = json.loads(json.dumps(template))
    variables, archives = {}, []
    for logical_id, resource in copy["Resources"].items():
        if resource["Type"] == "AWS::Lambda::LayerVersion" and resource["Metadata"][ASSET_PATH].endswith(".zip"):
            archives.append(resource["Metadata"][ASSET_PATH])
            resource["Metadata"][ASSET_PATH] = archives[-1].removesuffix(".zip")
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        declared = resource["Properties"].setdefault("Environment", {}).setdefault("Variables", {})
        declared |= {environment.ENDPOINT: store_url}
        given = {name: value for name, value in declared.items() if isinstance(value, str)}
        variables[logical_id] = given | {environment.STORE_BUCKET: BUCKET}
    command = (
        *("sam", "local", "start-api", "--template", str(folder / TEMPLATE)),
        *("--env-vars", str(folder / VARIABLES), "--port", str(port), "--region", REGION),
        *("--add-host", f"{HOST_NAME}:{bridge}", "--warm-containers", "LAZY"),
    )
    return SamPlan(template=copy, archives=tuple(archives), variables=variables, command=command)


def serve(*, port: int, ready_file: Path) -> int:
    """Synthesize, start the store, start SAM, and keep both until Ctrl-C. Raises: Unreachable, DeployFailed."""
    engine = find_engine(_output)
    if shutil.which("sam") is None:
        raise Unreachable("sam: expected AWS's SAM command line, got none: pipx install aws-sam-cli")
    bridge = find_bridge(engine, _output)
    from local.aws.server import AwsServer

    store = AwsServer(keep=None, after_change=lambda: None, host=bridge)
    endpoint = f"http://127.0.0.1:{port}"
    address = TwinAddress(
        endpoint=endpoint,
        api_key="",
        admin_endpoint=f"{endpoint}/admin",
        store=BUCKET,
        aws_endpoint_url=store.url,
    )
    try:
        _make_bucket(store.url)
        folder = _synthesize(store.url)
        serving = f"{stacks.serving_stack(stacks.DEFAULT_STAGE)}.template.json"
        planned = plan(
            json.loads((folder / serving).read_text()),
            store_url=f"http://{HOST_NAME}:{store.port}",
            bridge=bridge,
            port=port,
            folder=folder,
        )
        for archive in planned.archives:
            with zipfile.ZipFile(folder / archive) as opened:
                opened.extractall(folder / archive.removesuffix(".zip"))
        (folder / TEMPLATE).write_text(json.dumps(planned.template))
        (folder / VARIABLES).write_text(json.dumps(planned.variables, indent=2))
        ready.write(ready_file, address)
        print("publish with `warmstart publish model.onnx --name iris --local`; Ctrl-C stops it all", flush=True)
        credentials = {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY}
        return subprocess.run(planned.command, check=False, env=os.environ | credentials).returncode
    finally:
        ready.remove(ready_file, address)
        store.stop()


def _synthesize(store_url: str) -> Path:
    """Synthesize for this machine's processor; `cdk synth` writes the asset metadata that SAM finds code by."""
    context = (("architecture", host_architecture()),)
    cdk = Cdk(root=ROOT, aws_url=store_url, environ=os.environ, context=context, layer_platform="lambda")
    return cdk.assembly()


def _make_bucket(store_url: str) -> None:
    import boto3

    boto3.client(
        "s3",
        endpoint_url=store_url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    ).create_bucket(Bucket=BUCKET)


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def main() -> int:
    """Run it from the command line."""
    try:
        return serve(port=3000, ready_file=READY_FILE)
    except KeyboardInterrupt:
        return 0
    except WarmstartError as error:
        print(f"warmstart: {error.message}", file=sys.stderr)
        return 3 if isinstance(error, Unreachable) else 1


if __name__ == "__main__":
    sys.exit(main())
