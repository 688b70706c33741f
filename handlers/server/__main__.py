"""The server's process: `python -m handlers.server`, all settings in the environment; `warmstart serve` becomes it.

Its exit codes are the command's: 0 ended as told, 1 refused or something was cut off, 2 a wrong setting, 3 the store
or a package is not there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import NoReturn

# START, in order, once per process:
# 1. Before ONNX Runtime is imported: from 1.29 on it sends telemetry and writes a file under HOME otherwise.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# 2. Before numpy is imported: OpenBLAS starts a thread per core, which nothing here uses.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import uvloop

from handlers.server.build import build_server
from handlers.server.machine import memory_mb, processors
from handlers.server.settings import ServerSettings
from handlers.server.store import open_payloads, open_reader
from warmstart.errors import InvalidSetting, StoreUnavailable, WarmstartError

SWITCH_INTERVAL_S = 0.001
"""How long a thread that computes in Python may keep the one that reads connections waiting; the default is 5 ms."""


def main(env: Mapping[str, str]) -> int:
    """Serve until told to end, return the exit code."""
    try:
        settings = ServerSettings.from_env(env, processors=processors(), memory_mb=memory_mb())
        with ExitStack() as closing:
            reader = open_reader(settings.store_url, env, closing)
            server = build_server(
                settings,
                reader,
                payload_objects=partial(open_payloads, settings.inference.region, env),
                announce=lambda port: _announce(settings, "http", port),
                announce_grpc=lambda port: _announce(settings, "grpc", port),
            )
            return 0 if uvloop.run(server.serve()) else 1
    except WarmstartError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)
        return 2 if isinstance(error, InvalidSetting) else 3 if isinstance(error, StoreUnavailable) else 1
    except OSError as error:  # the port is taken, or not ours to take
        print(f"system: {error.strerror or error}", file=sys.stderr)
        return 1


def serve(env: Mapping[str, str]) -> NoReturn:
    """Do what `main` does in this process, and end it with the exit code."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    code = main(env)
    sys.stderr.flush()
    # Not sys.exit: what was cut off is still computed, and ONNX Runtime must not be taken down under it.
    os._exit(code)


def _announce(settings: ServerSettings, scheme: str, port: int) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"serving {settings.store_url} on {scheme}://{host}:{port}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    serve(os.environ)
