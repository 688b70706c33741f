"""The servers that are compared, each a value: how it is started, what it is asked, how its answer is read.

All serve the tabular reference model, which is one file that each got, each in the idiom of its own documentation
(`benchmarks/peers/`), with its default settings, in an environment of its own; none may report its use to its makers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import distributions
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.events import proxy_event
from benchmarks.load import Request, free_ports
from benchmarks.models import model_path, sample
from benchmarks.published import published

ROOT: Final = Path(__file__).parents[1]
PEERS: Final = Path(__file__).with_name("peers")
ENVIRONMENTS: Final = ROOT / "build" / "benchmarks"
MODEL: Final = "tabular"
OURS: Final = "warmstart"
OIP: Final = f"/v2/models/{MODEL}/infer"
TOLERANCE: Final = 1e-5

Answer = Mapping[str, NDArray[Any]]


class Server(NamedTuple):
    """One server. It runs in a folder of its own, which holds its files of `benchmarks/peers` and the model."""

    name: str
    package: str
    """What its version is that of; a peer's environment and its files are in folders of this name."""
    command: tuple[str, ...]
    """What starts it, with `{port}`, `{second}` and `{third}` for free ports and `{home}` for its folder."""
    request: Request
    read: Callable[[bytes], Answer]
    """Takes the arrays out of an answer."""
    settings: Mapping[str, str] = MappingProxyType({})
    """Variables of the environment, with the same braces."""
    prepare: tuple[str, ...] = ()
    """What is run once in its folder, before."""

    @property
    def is_peer(self) -> bool:
        """Whether it is somebody else's."""
        return self.package != OURS


class Start(NamedTuple):
    """A command with its environment, and the port that it will listen on."""

    command: list[str]
    environment: dict[str, str]
    port: int


def read_oip(answer: bytes) -> Answer:
    """Take the arrays out of an answer of the Open Inference Protocol."""
    return {output["name"]: np.asarray(output["data"]) for output in json.loads(answer)["outputs"]}


def read_named(answer: bytes) -> Answer:
    """Take the arrays out of a JSON object by name."""
    return {name: np.asarray(values) for name, values in json.loads(answer).items()}


def read_predictions(answer: bytes) -> Answer:
    """Take the arrays out of what MLflow answers."""
    return {name: np.asarray(values) for name, values in json.loads(answer)["predictions"].items()}


def servers() -> tuple[Server, ...]:
    """List them, ours first."""
    rows = sample(MODEL)["X"].tolist()
    oip = Request(OIP, proxy_event(MODEL)["body"].encode())
    named = Request("/predict", json.dumps({"X": rows}).encode())
    inputs = Request("/invocations", json.dumps({"inputs": rows}).encode())
    ours = ("warmstart", "serve", "--store", "file://{home}/store", "--port", "{port}")
    image = ("python", "-m", "handlers.server")
    image_settings = {"PYTHONPATH": str(ROOT), "WARMSTART_STORE_URL": "file://{home}/store", "WARMSTART_PORT": "{port}"}
    no_polling = {"WARMSTART_BUSY_POLL_US": "0"}
    ports = {"MLSERVER_HTTP_PORT": "{port}", "MLSERVER_GRPC_PORT": "{second}", "MLSERVER_METRICS_PORT": "{third}"}
    here = {"MLSERVER_HOST": "127.0.0.1", **ports}
    alone = {**here, "MLSERVER_PARALLEL_WORKERS": "0"}
    bento = ("bentoml", "serve", "service:Tabular", "--host", "127.0.0.1", "--port", "{port}")
    mlflow = ("mlflow", "models", "serve", "-m", "model", "--env-manager", "local", "-h", "127.0.0.1", "-p", "{port}")
    return (
        Server("Warmstart, as its image starts it", OURS, image, oip, read_oip, settings=image_settings),
        Server("Warmstart, no busy polling", OURS, image, oip, read_oip, settings={**image_settings, **no_polling}),
        Server("Warmstart, `warmstart serve`", OURS, ours, oip, read_oip, settings={"PYTHONPATH": str(ROOT)}),
        Server("MLServer", "mlserver", ("mlserver", "start", "."), oip, read_oip, here),
        Server("MLServer, no parallel workers", "mlserver", ("mlserver", "start", "."), oip, read_oip, alone),
        Server("BentoML", "bentoml", bento, named, read_named),
        Server("MLflow", "mlflow", mlflow, inputs, read_predictions, prepare=("python", "save.py")),
        Server("LitServe", "litserve", ("python", "server.py", "{port}"), named, read_named),
    )


def programs(server: Server) -> Path:
    """Return the folder of a server's own programs."""
    return ENVIRONMENTS / server.package / "bin" if server.is_peer else Path(sys.executable).parent


def version(server: Server) -> str:
    """Return the version that is installed where a server runs."""
    libraries = [str(path) for path in programs(server).parent.glob("lib/python*/site-packages")]
    return next(iter(distributions(name=server.package, path=libraries))).version


def start(server: Server, home: Path) -> Start:
    """Fill the braces of a server's command and settings."""
    port, second, third = free_ports(3)
    filled = {"port": port, "second": second, "third": third, "home": home}
    settings = {name: value.format(**filled) for name, value in server.settings.items()}
    return Start([part.format(**filled) for part in server.command], _environment(server, home) | settings, port)


def prepare(server: Server, folder: Path) -> Path:
    """Make a server's folder; ours gets a store with what `warmstart publish` made of the model."""
    home = folder / server.name.replace(" ", "-").replace(",", "").replace("`", "")
    if server.is_peer:
        shutil.copytree(PEERS / server.package, home, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(model_path(MODEL), home)
    else:
        shutil.copytree(published(MODEL), home / "store")
    if server.prepare:
        subprocess.run(server.prepare, cwd=home, env=_environment(server, home), capture_output=True, check=True)
    return home


def check(server: Server, answer: bytes, expected: Answer) -> None:
    """Compare an answer with what ONNX Runtime itself gave.

    Raises: SystemExit if an array is missing or differs by more than 1e-5.
    """
    got = server.read(answer)
    for name, array in expected.items():
        if name not in got or not np.allclose(got[name].ravel(), array.ravel(), rtol=0, atol=TOLERANCE):
            raise SystemExit(f"{server.name}: expected {name} {array.tolist()}, got {answer.decode()[:500]}")


def _environment(server: Server, home: Path) -> dict[str, str]:
    return {
        "PATH": f"{programs(server)}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "BENTOML_DO_NOT_TRACK": "True",
        "DO_NOT_TRACK": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "ORT_DISABLE_TELEMETRY": "1",
    }
