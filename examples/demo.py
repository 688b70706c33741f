"""The demo: deploy the whole stack to the local twin, publish real models, predict over HTTP, keep serving.

    python -m examples.demo [--once] [--port P] [--ready-file F]

`--once` stops after the answers have been checked. Nobody needs to find that twin, so it takes any free port and writes
its ready file into a temporary folder, beside whatever else runs on this machine.

Three classifiers are trained on data that ships with scikit-learn and published through the gate; what comes back over
HTTP is compared with what scikit-learn itself predicts for the same rows.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape

from cli.exit_codes import exit_code_of
from cli.stage import READY_FILE, LocalStage
from local.twin import Twin
from local.types import TwinAddress
from model_store import publish
from model_store.gate import GateOptions
from model_store.stores import Store
from warmstart import Client
from warmstart.errors import WarmstartError

PORT: Final = 8080
"""As `warmstart local`."""

ROWS: Final = 5
"""How many rows of each data set are predicted over HTTP."""

TOLERANCE: Final = 1e-5
"""Largest difference of a probability: scikit-learn computes in float64, the converted model in float32."""

_console: Final = Console(highlight=False, soft_wrap=True)


class Trained(NamedTuple):
    """A model in scikit-learn, its classes' names, and the rows to ask about."""

    name: str
    estimator: Any
    labels: tuple[str, ...]
    rows: NDArray[np.float32]


class Wrong(WarmstartError):
    """What came over HTTP is not what scikit-learn says."""

    code = "wrong_answer"


def train() -> list[Trained]:
    """Train three classifiers on three data sets that ship with scikit-learn."""
    from sklearn.datasets import load_breast_cancer, load_digits, load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    chosen: list[tuple[str, Callable[..., Any], Any]] = [
        ("iris", load_iris, LogisticRegression(max_iter=1000)),
        ("breast-cancer", load_breast_cancer, make_pipeline(StandardScaler(), LogisticRegression())),
        ("digits", load_digits, RandomForestClassifier(50, random_state=0)),
    ]
    trained = []
    for name, load, estimator in chosen:
        data = load()
        rows = data.data.astype(np.float32)
        labels = tuple(str(label) for label in data.target_names)
        trained.append(Trained(name, estimator.fit(rows, data.target), labels, rows[:: len(rows) // ROWS][:ROWS]))
    return trained


def publish_trained(model: Trained, stage: LocalStage) -> int:
    """Take a model through the gate and publish it into the twin's store, return its version."""
    options = GateOptions(labels=model.labels, target=stage.target())
    store = Store("twin", stage.objects())
    return publish(model.estimator, name=model.name, store=store, sample=model.rows, options=options).manifest.version


def ask(client: Client, model: Trained) -> None:
    """Predict over HTTP and compare with scikit-learn. Raises: Wrong."""
    expected = model.estimator.predict_proba(model.rows)
    answer = client.predict(model.name, model.rows.tolist())
    for row, scores in zip(answer.body["predictions"], expected, strict=True):
        label = model.labels[int(scores.argmax())]
        got = np.array([row["probabilities"][name] for name in model.labels])
        if row["label"] != label or np.abs(got - scores).max() > TOLERANCE:
            raise Wrong(f"{model.name}: expected {label} {scores.tolist()}, got {row}")


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print a step with its time."""
    started = time.perf_counter()
    yield
    _console.print(f"[green]✓[/green] {what} [dim]{time.perf_counter() - started:.1f} s[/dim]")


def curl_line(address: TwinAddress, model: Trained) -> str:
    """Write a command that can be pasted."""
    tensor = {
        "name": "X",
        "shape": [1, model.rows.shape[1]],
        "datatype": "FP32",
        "data": [float(str(value)) for value in model.rows[0]],
    }
    body = json.dumps({"inputs": [tensor]})
    return (
        f"curl -s -H 'x-api-key: {address.api_key}' -H 'content-type: application/json' \\\n"
        f"  {address.endpoint}/v2/models/{model.name}/infer -d '{body}'"
    )


def serve(port: int, *, ready_file: Path, once: bool) -> None:
    """Run the demo. Raises: WarmstartError, KeyboardInterrupt on Ctrl-C."""
    started = time.perf_counter()
    _console.print("[bold]Warmstart on this machine[/bold]: no Docker, no AWS account")

    def progress(what: str, seconds: float) -> None:
        _console.print(f"[green]✓[/green] {what} [dim]{seconds:.1f} s[/dim]")

    with Twin.start(port=port, ready_file=ready_file, progress=progress) as twin:
        with step("train iris, breast-cancer and digits with scikit-learn"):
            models = train()
        with closing(LocalStage(ready_file)) as stage:
            for model in models:
                with step(f"prove and publish {model.name}"):
                    publish_trained(model, stage)
        with Client(twin.address.endpoint, api_key=twin.address.api_key) as client:
            for model in models:
                with step(f"predict {ROWS} rows of {model.name} over HTTP: the same as scikit-learn"):
                    ask(client, model)
        _console.print(f"\nReady after [bold]{time.perf_counter() - started:.1f} s[/bold]\n")
        _console.print(f"endpoint  {twin.address.endpoint}\nAPI key   {twin.address.api_key}\n")
        _console.out(curl_line(twin.address, models[0]), highlight=False)
        if once:
            return
        _console.print("\nAlso: [bold].venv/bin/warmstart models --local[/bold]. Ctrl-C stops it all.")
        threading.Event().wait()


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--once", action="store_true", help="stop after the answers have been checked")
    parser.add_argument("--port", type=int, help=f"the gateway's port; 0: any free one (default {PORT}, 0 with --once)")
    parser.add_argument("--ready-file", type=Path, help=f"where the twin says where it is (default {READY_FILE})")
    options = parser.parse_args()
    once: bool = options.once
    port: int = (0 if once else PORT) if options.port is None else options.port
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with tempfile.TemporaryDirectory(prefix="warmstart-demo-") as folder:
            ready_file = options.ready_file or (Path(folder) / READY_FILE.name if once else READY_FILE)
            serve(port, ready_file=ready_file, once=once)
    except WarmstartError as error:
        _console.print(f"[bold red]{error.code}[/bold red]: {escape(error.message)}")
        return exit_code_of(error)
    except KeyboardInterrupt:
        _console.print("\nstopped")
        return 0
    return 0


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
