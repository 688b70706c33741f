"""What is measured, one process each: `python -m benchmarks.cases CASE EVENT`, the event's JSON in a file.

Cold: prints one line when the first answer is there (the parent has the clock) with the nanoseconds that it took from
the request on, then the peak memory.
Warm: `WARM=n` runs n more invocations and prints the times outside `session.run`, in ns.
Imports are inside the functions: a case must pay for what it uses and for nothing else.
"""

from __future__ import annotations

import os
import sys


class Context:
    """What Lambda hands to a handler, as far as handlers read it."""

    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    function_name = "inference"
    function_version = "1"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:inference:live"
    memory_limit_in_mb = 3008

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Half a minute."""
        return 30_000


def floor(_event_path: str) -> None:
    """Import numpy and onnxruntime, open a default session from a file in the page cache, run once."""
    import numpy as np
    import onnxruntime as ort

    session = ort.InferenceSession(os.environ["BENCHMARK_MODEL"])
    kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
    shapes = [[size if isinstance(size, int) else 1 for size in meta.shape] for meta in session.get_inputs()]
    feeds = {
        meta.name: np.ones(shape, kinds[meta.type]) for meta, shape in zip(session.get_inputs(), shapes, strict=True)
    }
    session.run(None, feeds)
    _first_answer()


def ours(event_path: str) -> None:
    """Run the inference function's own handler."""
    from handlers.inference.lambda_handler import handler

    _invoke(handler, event_path)


def bare(event_path: str) -> None:
    """Run the least that can be written by hand: json, numpy, boto3, no framework."""
    from benchmarks.bare_handler import handler

    _invoke(handler, event_path)


def tutorial(event_path: str) -> None:
    """Run the handler that tutorials write."""
    from benchmarks.tutorial_handler import handler

    _invoke(handler, event_path)


def fetch_lean(_event_path: str) -> None:
    """Fetch the artifact into a file with the data plane's own client."""
    from pathlib import Path

    from model_store.s3_reader import S3Reader
    from model_store.sigv4 import Credentials

    reader = S3Reader(
        os.environ["WARMSTART_STORE_BUCKET"],
        region="us-east-1",
        credentials=lambda: Credentials("test", "test", None),
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    )
    size = os.stat(os.environ["BENCHMARK_MODEL"]).st_size  # noqa: PTH116 - pathlib is not what is measured
    reader.download(os.environ["BENCHMARK_KEY"], Path(os.environ["TMPDIR"]) / "model.onnx", size_bytes=size)
    _first_answer()


def fetch_boto3(_event_path: str) -> None:
    """Fetch the artifact into a file with boto3, as tutorials do."""
    import boto3

    target = os.environ["TMPDIR"] + "/model.onnx"
    boto3.client("s3").download_file(os.environ["WARMSTART_STORE_BUCKET"], os.environ["BENCHMARK_KEY"], target)
    _first_answer()


def _invoke(handler: object, event_path: str) -> None:
    import json
    from pathlib import Path
    from time import perf_counter_ns

    assert callable(handler)
    event = json.loads(Path(event_path).read_text())
    started = perf_counter_ns()
    answer = handler(event, Context())
    assert answer["statusCode"] == 200, answer
    _first_answer(perf_counter_ns() - started)
    if rounds := int(os.environ.get("WARM", "0")):
        _warm(handler, event, rounds)


def _report(line: str) -> None:
    os.write(int(os.environ["ANSWERS_FD"]), f"{line}\n".encode())


def _first_answer(request_ns: int = 0) -> None:
    """Say that it is there, and how long it took from the request on: the imports were over by then."""
    _report(f"first answer {request_ns}")


def _warm(handler: object, event: object, rounds: int) -> None:
    """Time invocations outside `session.run`: the class's method is wrapped once the model is warm."""
    from time import perf_counter_ns

    import onnxruntime as ort

    assert callable(handler)
    inside = 0
    run = ort.InferenceSession.run

    def timed(session: object, outputs: object, feeds: object, options: object = None) -> object:
        nonlocal inside
        started = perf_counter_ns()
        result = run(session, outputs, feeds, options)
        inside += perf_counter_ns() - started
        return result

    ort.InferenceSession.run = timed
    context, times = Context(), []
    for _ in range(rounds):
        inside, started = 0, perf_counter_ns()
        handler(event, context)
        times.append(perf_counter_ns() - started - inside)
        assert inside
    _report(" ".join(map(str, times)))


if __name__ == "__main__":
    {
        "floor": floor,
        "ours": ours,
        "ours, preloaded": ours,  # the environment names the model
        "ours, preloaded, warmed up": ours,  # ... and says so
        "ours, binary tensors": ours,  # the event holds them
        "bare": bare,
        "tutorial": tutorial,
        "fetch_lean": fetch_lean,
        "fetch_boto3": fetch_boto3,
    }[sys.argv[1]](sys.argv[2])
    # Not getrusage: its peak is inherited from the process that forked this one.
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib is not imported in every case
        _report(next(line.split()[1] for line in status if line.startswith("VmHWM")))
