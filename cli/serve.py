"""`warmstart serve`: the data plane as an HTTP server, for containers, Kubernetes and machines of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Final, NoReturn

import typer

from cli.shell import shell
from warmstart import environment
from warmstart.errors import Unreachable

NEEDED: Final = ("httptools", "numpy", "onnxruntime", "orjson", "uvloop")


def command(
    context: typer.Context,
    store: Annotated[
        str | None,
        typer.Option("--store", help="s3://bucket/prefix or file:///path; required, here or as WARMSTART_STORE_URL."),
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="The address to listen on; else WARMSTART_HOST, else 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", help="0 takes a free one; else WARMSTART_PORT, AIP_HTTP_PORT, else 8080."),
    ] = None,
    grpc_port: Annotated[
        int | None,
        typer.Option("--grpc-port", help="Serve gRPC too, on this port; else WARMSTART_GRPC_PORT, else it is not."),
    ] = None,
    default_model: Annotated[
        str | None,
        typer.Option("--default-model", help="Asked where a path names none; else WARMSTART_DEFAULT_MODEL."),
    ] = None,
    v1_protocol: Annotated[
        str | None,
        typer.Option(
            "--v1-protocol",
            help="Of the paths below /v1/models: tensorflow or kserve; else WARMSTART_V1_PROTOCOL, else tensorflow.",
        ),
    ] = None,
    preload: Annotated[
        str | None,
        typer.Option("--preload", help="Models to load before it is ready: 'iris,digits:3'; else WARMSTART_PRELOAD."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", help="Of one inference; else WARMSTART_THREADS, else one per processor."),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency",
            help="Requests computed at once, beside the quick ones; else WARMSTART_CONCURRENCY, else two per "
            "processor, at least 8.",
        ),
    ] = None,
    queue: Annotated[
        int | None,
        typer.Option(
            "--queue", help="Requests that are computed or wait; one more gets 503; else WARMSTART_QUEUE, else 100."
        ),
    ] = None,
    max_batch_size: Annotated[
        list[str] | None,
        typer.Option(
            "--max-batch-size",
            metavar="MODEL=ROWS",
            help="Compute waiting requests of this model together; else WARMSTART_MAX_BATCH_SIZE. Repeatable.",
        ),
    ] = None,
    max_delay_ms: Annotated[
        list[str] | None,
        typer.Option(
            "--max-delay-ms",
            metavar="MODEL=MS",
            help="The longest that one waits for others, 5 by default; else WARMSTART_MAX_DELAY_MS. Repeatable.",
        ),
    ] = None,
    max_body_mb: Annotated[
        int | None,
        typer.Option("--max-body-mb", help="The largest body, decoded too; else WARMSTART_MAX_BODY_MB, else 64."),
    ] = None,
    payload_locations: Annotated[
        str | None,
        typer.Option(
            "--payload-locations",
            help="Where bodies by reference may lie: 's3://bucket/in/,s3://bucket/out/'; else "
            "WARMSTART_PAYLOAD_LOCATIONS, else nowhere.",
        ),
    ] = None,
    busy_poll_us: Annotated[
        int | None,
        typer.Option(
            "--busy-poll-us",
            help="Behind a quick request, look for the next one so long without sleeping; else WARMSTART_BUSY_POLL_US, "
            "else 50, on one processor 0.",
        ),
    ] = None,
    drain_s: Annotated[
        float | None,
        typer.Option(
            "--drain-s", help="For what is in flight when it is told to end; else WARMSTART_DRAIN_S, else 25."
        ),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option("--log", help="A JSON line per request: all, errors or none; else WARMSTART_LOG, else errors."),
    ] = None,
) -> None:
    """Serve the models of a store over HTTP until SIGTERM or Ctrl-C, which it answers when all is answered."""
    given = {
        environment.STORE_URL: store,
        environment.HOST: host,
        environment.PORT: port,
        environment.GRPC_PORT: grpc_port,
        environment.DEFAULT_MODEL: default_model,
        environment.V1_PROTOCOL: v1_protocol,
        environment.PRELOAD: preload,
        environment.THREADS: threads,
        environment.CONCURRENCY: concurrency,
        environment.QUEUE: queue,
        environment.MAX_BATCH_SIZE: ",".join(max_batch_size) if max_batch_size else None,
        environment.MAX_DELAY_MS: ",".join(max_delay_ms) if max_delay_ms else None,
        environment.MAX_BODY_MB: max_body_mb,
        environment.PAYLOAD_LOCATIONS: payload_locations,
        environment.BUSY_POLL_US: busy_poll_us,
        environment.DRAIN_S: drain_s,
        environment.LOG: log,
    }
    options = {name: str(value) for name, value in given.items() if value is not None}
    _become_server({**shell(context).environ, **options})


def _become_server(env: Mapping[str, str]) -> NoReturn:
    """Check the settings, then be the server in this process: starting Python anew would take longer than all before.

    Raises: InvalidSetting, Unreachable.
    """
    from handlers.server.settings import ServerSettings

    settings = ServerSettings.from_env(env)
    if missing := next((package for package in NEEDED if find_spec(package) is None), None):
        raise Unreachable(f"serving needs the package {missing}: pip install 'warmstart[serve]'")
    if settings.grpc_port is not None and find_spec("grpc") is None:
        raise Unreachable("serving gRPC needs the package grpcio: pip install 'warmstart[serve,grpc]'")
    from handlers.server.__main__ import serve  # not before: it loads what may be missing

    serve(env)
