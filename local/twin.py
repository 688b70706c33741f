"""The local twin: AWS by moto, execution environments and the gateway, deployed by the real `cdk deploy`."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType, MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Final, Self

from local import ready
from local.deploy import APP, Cdk, DeployFailed, bootstrap
from local.types import ACCESS_KEY_ID, ACCOUNT, REGION, SECRET_ACCESS_KEY, TwinAddress
from warmstart import stacks
from warmstart.errors import Unreachable, WarmstartError

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient

    from local.aws.invoke import Lambda
    from local.functions import Functions
    from local.gateway.gateway import Gateway

ROOT: Final = Path(__file__).resolve().parent.parent
"""Where cdk.json is."""

NO_SETTINGS: Final[Mapping[str, str]] = MappingProxyType({})
"""The stage as cdk.json has it."""

Progress = Callable[[str, float], None]
"""Called after each step of the start: what was done, and in how many seconds."""


def _silent(step: str, seconds: float) -> None:
    """Say nothing of a step."""


class Twin:
    """The whole stack, running on this machine. Start it with `Twin.start`, as a context manager.

    One per process: moto's state is the process's. A test session takes `local.process.TwinProcess` instead.
    """

    def __init__(
        self,
        *,
        cdk: Cdk,
        address: TwinAddress,
        functions: Functions,
        invoke: Lambda,
        read_logs: Callable[[str], list[str]],
        closing: ExitStack,
    ) -> None:
        self.address, self.functions, self.invoke = address, functions, invoke
        self._cdk, self._read_logs, self._closing = cdk, read_logs, closing

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        data: Path | None = None,
        ready_file: Path | None = None,
        context: Mapping[str, str] = NO_SETTINGS,
        app: str = APP,
        root: Path = ROOT,
        environ: Mapping[str, str] | None = None,
        progress: Progress = _silent,
    ) -> Twin:
        """Start everything and return when it serves.

        `context` overrides settings of cdk.json; `app` is the command that synthesizes the stacks.

        Raises: Unreachable (no clone, a port in use, a tool missing), DeployFailed.
        """
        if not (root / "package.json").is_file():
            raise Unreachable(
                f"the local twin deploys a clone of Warmstart: expected package.json in {root}, got none, as in an "
                "installed package; clone the repository, and there `make demo`, or `.venv/bin/warmstart local`"
            )
        start = _Start(port, data, ready_file, context.get("stage", stacks.DEFAULT_STAGE), progress)
        cdk = partial(
            Cdk,
            root=root,
            app=app,
            context=tuple(sorted(context.items())),
            environ=os.environ if environ is None else environ,
        )
        with ExitStack() as closing:
            return start.run(cdk, closing)

    def logs(self, group: str) -> list[str]:
        """Return the lines of a CloudWatch log group, oldest first."""
        return self._read_logs(group)

    def redeploy(self) -> None:
        """Bring the running stacks to what the sources say now, by `cdk deploy`. Raises: DeployFailed."""
        self._cdk.deploy(update=True)

    def stop(self) -> None:
        """Stop everything: no process, port or temporary directory is left. Idempotent."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Start:
    """The steps of a start, in order."""

    def __init__(self, port: int, data: Path | None, ready_file: Path | None, stage: str, progress: Progress) -> None:
        self._port, self._data, self._ready_file = port, data, ready_file
        self._stage, self._progress = stage, progress

    def run(self, cdk_at: Callable[..., Cdk], closing: ExitStack) -> Twin:
        """Start the parts, deploy, and hand all over; what was started is stopped if a later step fails."""
        began = time.monotonic()
        try:
            import boto3

            from local.aws import identity, invoke, rules
            from local.aws.kept import Kept
            from local.aws.logs import Logs
            from local.aws.packages import Packages
            from local.aws.schedules import Schedules
            from local.aws.server import AwsServer, template_to_json
            from local.functions import Functions
            from local.gateway.gateway import Gateway
            from local.gateway.server import serve
        except ImportError as error:
            raise Unreachable(f"the local twin needs more packages ({error}); install warmstart[local]") from error
        if self._data is not None:
            identity.keep_seed(self._data)
        logs = Logs()
        refresh = _Refresh()
        keep = Kept(self._data / "objects") if self._data is not None else None
        aws = AwsServer(keep=keep, after_change=refresh)
        closing.callback(aws.stop)
        functions = closing.enter_context(Functions(log=logs.write, endpoint_url=aws.url))
        cdk = cdk_at(aws_url=aws.url, warden=functions.warden)
        packages = Packages(cdk.work / "packages")
        packages.forget_unused()
        lambda_ = invoke.Lambda(functions, packages, draw=random.random)
        invoke.install(lambda_)
        rules.install(lambda_)
        gateway = Gateway(invoke=lambda_, log=logs.write)
        try:
            server = serve(gateway, port=self._port)
        except OSError as error:
            raise Unreachable(
                f"port {self._port}: {error.strerror}; free it, or choose another: --port P, `make demo PORT=P`"
            ) from error
        closing.callback(server.close)
        session = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION)
        apigateway = session.client("apigateway", endpoint_url=aws.url)
        cloudformation = session.client("cloudformation", endpoint_url=aws.url)
        refresh.watch(lambda_, gateway, apigateway)
        schedules = Schedules(lambda_, lambda: datetime.now(UTC))
        closing.callback(schedules.close)
        schedules.start()
        self._progress("AWS, functions and gateway started", time.monotonic() - began)
        try:
            self._step("bootstrapped", lambda: bootstrap(cdk, cloudformation, template_to_json))
            self._step("synthesized", cdk.assembly)
            self._step("deployed", cdk.deploy)
        except DeployFailed as failed:
            raise DeployFailed("\n".join([failed.message, *aws.errors()])) from failed
        address = _address(cloudformation, apigateway, stage=self._stage, port=server.port, aws_url=aws.url)
        if self._ready_file is not None:
            closing.callback(ready.remove, self._ready_file, address)
            ready.write(self._ready_file, address)
        return Twin(
            cdk=cdk,
            address=address,
            functions=functions,
            invoke=lambda_,
            read_logs=logs.read,
            closing=closing.pop_all(),
        )

    def _step(self, done: str, step: Callable[[], object]) -> None:
        began = time.monotonic()
        step()
        self._progress(done, time.monotonic() - began)


class _Refresh:
    """Called after each change of a stack or an API: unpacks packages, has the gateway serve what is deployed now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._served: set[str] = set()
        self._parts: tuple[Lambda, Gateway, APIGatewayClient] | None = None

    def watch(self, lambda_: Lambda, gateway: Gateway, apigateway: APIGatewayClient) -> None:
        """Name the parts that are to follow."""
        self._parts = lambda_, gateway, apigateway

    def __call__(self) -> None:
        """Follow."""
        from local.gateway.read import read_api

        if self._parts is None:
            return
        lambda_, gateway, apigateway = self._parts
        with self._lock:
            lambda_.synchronize()
            served = set()
            for api in apigateway.get_rest_apis()["items"]:
                for stage in apigateway.get_stages(restApiId=api["id"])["item"]:
                    name = stage["stageName"]
                    gateway.deploy(read_api(apigateway, api["id"], name, account=ACCOUNT))
                    served.add(name)
            for gone in self._served - served:
                gateway.withdraw(gone)
            self._served = served


def _address(
    cloudformation: CloudFormationClient, apigateway: APIGatewayClient, *, stage: str, port: int, aws_url: str
) -> TwinAddress:
    serving, store = (_outputs(cloudformation, name(stage)) for name in (stacks.serving_stack, stacks.store_stack))
    endpoint = f"http://127.0.0.1:{port}/{stage}"
    key = apigateway.get_api_key(apiKey=serving[stacks.API_KEY_ID], includeValue=True)
    return TwinAddress(
        endpoint=endpoint,
        api_key=key["value"],
        admin_endpoint=f"{endpoint}/admin",
        store=store[stacks.STORE_BUCKET],
        aws_endpoint_url=aws_url,
    )


def _outputs(cloudformation: CloudFormationClient, stack: str) -> dict[str, str]:
    [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def run(
    *,
    port: int = 0,
    ready_file: Path | None = None,
    data: Path | None = None,
    context: Mapping[str, str] = NO_SETTINGS,
    app: str = APP,
) -> int:
    """Start a twin, print where it is, and keep it until Ctrl-C or SIGTERM. Returns the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with Twin.start(
            port=port, data=data, ready_file=ready_file, context=context, app=app, progress=_print_step
        ) as twin:
            print(_banner(twin.address), flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("stopped", flush=True)
        return 0
    except WarmstartError as error:
        print(f"warmstart: {error.message}", file=sys.stderr, flush=True)
        return 3 if isinstance(error, Unreachable) else 1
    return 0


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _print_step(step: str, seconds: float) -> None:
    print(f"{seconds:6.1f} s  {step}", flush=True)


def _banner(address: TwinAddress) -> str:
    return "\n".join(
        (
            f"endpoint  {address.endpoint}",
            f"api key   {address.api_key}",
            f"AWS       {address.aws_endpoint_url} (credentials {ACCESS_KEY_ID}/{SECRET_ACCESS_KEY})",
            "Ctrl-C stops it.",
        )
    )
