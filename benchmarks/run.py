"""Run the cases interleaved, round by round, and keep what each round saw."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.events import proxy_event
from benchmarks.models import model_path
from benchmarks.published import published

BUCKET: Final = "benchmark"
PRELOADED: Final = "ours, preloaded"
BINARY: Final = "ours, binary tensors"
WARMED: Final = "ours, preloaded, warmed up"
CASES: Final = ("floor", "ours", PRELOADED, WARMED, BINARY, "bare", "tutorial")
SERVING: Final = CASES[1:]
"""Those that answer events."""


class Sample(NamedTuple):
    """One process: seconds from its start to the first answer, and from the request on; peak memory; warm times.

    Those are outside `session.run`.
    """

    first_answer_s: float
    request_ms: float
    peak_mb: float
    warm_us: tuple[float, ...]


@contextmanager
def s3_stand_in(models: tuple[str, ...]) -> Iterator[str]:
    """Serve the models as published, and beside them the files as they came; yields the endpoint."""
    with tempfile.TemporaryDirectory() as folder:
        for model in models:
            bucket = Path(folder) / BUCKET
            shutil.copytree(published(model), bucket, dirs_exist_ok=True)
            (bucket / _as_it_came(model)).parent.mkdir(exist_ok=True)
            shutil.copy(model_path(model), bucket / _as_it_came(model))
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.s3_stand_in", folder], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.kill()
            server.wait()
            server.stdout.close()


def measure(case: str, model: str, endpoint: str, *, warm: int = 0, rows: int = 1) -> Sample:
    """Run one case in a process of its own, from spawn to first answer."""
    with tempfile.TemporaryDirectory() as scratch:
        event = Path(scratch) / "event.json"
        event.write_text(json.dumps(proxy_event(model, rows=rows, binary=case == BINARY)))
        read_end, write_end = os.pipe()
        environment = _environment(scratch, model, endpoint, warm)
        if case in (PRELOADED, WARMED):
            environment["WARMSTART_PRELOAD"] = model
        if case == WARMED:
            environment["WARMSTART_WARM_UP"] = "true"
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.cases", case, str(event)],
            env=environment | {"ANSWERS_FD": str(write_end)},
            pass_fds=[write_end],
            stdout=subprocess.DEVNULL,
        )
        os.close(write_end)
        with os.fdopen(read_end) as answers:
            first = answers.readline()
            elapsed = time.perf_counter() - started
            assert first.startswith("first answer "), f"{case} on {model} gave no answer"
            times = answers.readline().split() if warm and case in SERVING else []
            peak = int(answers.readline()) / 1000
        assert process.wait() == 0
        return Sample(elapsed, int(first.split()[-1]) / 1e6, peak, tuple(int(t) / 1000 for t in times))


def _environment(scratch: str, model: str, endpoint: str, warm: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": scratch,
        "TMPDIR": scratch,
        "WARM": str(warm),
        "BENCHMARK_MODEL": str(model_path(model)),
        "BENCHMARK_KEY": _as_it_came(model),
        "WARMSTART_STORE_BUCKET": BUCKET,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_LAMBDA_FUNCTION_NAME": "inference",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3538",
        "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
        "POWERTOOLS_METRICS_NAMESPACE": "Warmstart",
        "POWERTOOLS_SERVICE_NAME": "inference",
        "ORT_DISABLE_TELEMETRY": "1",
    }


def _as_it_came(model: str) -> str:
    return f"as-it-came/{model}.onnx"
