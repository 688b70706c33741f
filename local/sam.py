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
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cli.stage import READY_FILE
from layers.target import host_architecture
from local import ready
from local.deploy import Cdk
from local.engine import DOCKER_HOST, bind, find_engine, serving
from local.types import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, TwinAddress
from warmstart import environment, stacks
from warmstart.errors import Unreachable, WarmstartError

ROOT: Final = Path(__file__).resolve().parent.parent
BUCKET: Final = "warmstart-sam-store"
HOST_NAME: Final = "host.docker.internal"
"""This machine's name within a container."""
TEMPLATE: Final = "sam-template.json"
VARIABLES: Final = "sam-variables.json"
ASSET_PATH: Final = "aws:asset:path"
"""Where SAM finds an asset that the CDK staged, relative to the template."""
CDK_PATH: Final = "aws:cdk:path"
_POLL_S: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class SamPlan:
    """What is written and run: a copy of the template, archives to unpack beside it, variables' values, the command."""

    template: Mapping[str, Any]
    archives: tuple[str, ...]
    variables: Mapping[str, Mapping[str, str]]
    command: tuple[str, ...]


def plan(template: Mapping[str, Any], *, store_url: str, bridge: str | None, port: int, folder: Path) -> SamPlan:
    """Plan a start: SAM passes only variables that the template declares, so the store's address is declared too.

    A layer that is an archive is unpacked: SAM would put the archive itself into /opt. The constructs' paths are left
    out: SAM takes a function's name from one of two levels, and warns four times of every other.
    """
    copy: dict[str, Any] = json.loads(json.dumps(template))
    variables, archives = {}, []
    for logical_id, resource in copy["Resources"].items():
        resource.get("Metadata", {}).pop(CDK_PATH, None)
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
        *(("--add-host", f"{HOST_NAME}:{bridge}") if bridge else ()),
        *("--warm-containers", "LAZY"),
    )
    return SamPlan(template=copy, archives=tuple(archives), variables=variables, command=command)


def serve(*, port: int, ready_file: Path) -> int:
    """Synthesize, start the store, start SAM, and keep both until Ctrl-C. Raises: Unreachable, DeployFailed."""
    engine = find_engine(_output, os.environ, system=sys.platform)
    if shutil.which("sam") is None:
        raise Unreachable("sam: expected AWS's SAM command line, got none: pipx install aws-sam-cli")
    _expect_free(port)
    from local.aws.server import AwsServer

    store = AwsServer(keep=None, after_change=lambda: None)
    endpoint = f"http://127.0.0.1:{port}"
    address = TwinAddress(
        endpoint=endpoint,
        api_key="",
        admin_endpoint=f"{endpoint}/admin",
        store=BUCKET,
        aws_endpoint_url=store.url,
    )
    try:
        store_port = store.port
        if engine.bridge:
            bound = bind(engine.bridge)
            store_port = bound.getsockname()[1]
            store.listen(bound)
        _make_bucket(store.url)
        print(f"{engine.name} answers; synthesizing: the first time builds the layers, about a minute", flush=True)
        folder = _synthesize(store.url)
        planned = _write(folder, store_url=f"http://{HOST_NAME}:{store_port}", bridge=engine.bridge, port=port)
        with serving(engine) as docker_host:
            return _run_sam(planned.command, environment_of(os.environ, docker_host), ready_file, address)
    finally:
        ready.remove(ready_file, address)
        store.stop()


def environment_of(environ: Mapping[str, str], docker_host: str) -> dict[str, str]:
    """Return SAM's environment: the engine's socket, the store's credentials, nothing of the user's account."""
    kept = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    return (
        {"SAM_CLI_TELEMETRY": "0"}
        | kept
        | {
            DOCKER_HOST: docker_host,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        }
    )


def _write(folder: Path, *, store_url: str, bridge: str | None, port: int) -> SamPlan:
    """Write the copy of the template, its layers unpacked, and the variables' values."""
    template = json.loads((folder / f"{stacks.serving_stack(stacks.DEFAULT_STAGE)}.template.json").read_text())
    planned = plan(template, store_url=store_url, bridge=bridge, port=port, folder=folder)
    for archive in planned.archives:
        with zipfile.ZipFile(folder / archive) as opened:
            opened.extractall(folder / archive.removesuffix(".zip"))
    (folder / TEMPLATE).write_text(json.dumps(planned.template))
    (folder / VARIABLES).write_text(json.dumps(planned.variables, indent=2))
    return planned


def _run_sam(command: Sequence[str], environ: Mapping[str, str], ready_file: Path, address: TwinAddress) -> int:
    """Run SAM until it ends, and say when it serves. Ctrl-C and SIGTERM let it remove its containers."""
    # In a session of its own: it hears of Ctrl-C once, from us, and is waited for.
    with subprocess.Popen(command, env=environ, start_new_session=True) as process:
        try:
            while process.poll() is None and not _serves(address.endpoint):
                time.sleep(_POLL_S)
            if process.poll() is None:
                ready.write(ready_file, address)
                print(
                    "publish with `warmstart publish model.onnx --name iris --local`; Ctrl-C stops it all", flush=True
                )
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.wait()
            return 0


def _serves(endpoint: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((urlsplit(endpoint).hostname, urlsplit(endpoint).port)) == 0


def _expect_free(port: int) -> None:
    if _serves(f"http://127.0.0.1:{port}"):
        raise Unreachable(f"port {port}: expected it free for `sam local`, got somebody who answers there: stop that")


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
    # Of a shell's background job SIGINT is ignored, and would be of SAM.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return serve(port=3000, ready_file=READY_FILE)
    except KeyboardInterrupt:
        return 0
    except WarmstartError as error:
        print(f"warmstart: {error.message}", file=sys.stderr)
        return 3 if isinstance(error, Unreachable) else 1


if __name__ == "__main__":
    sys.exit(main())
