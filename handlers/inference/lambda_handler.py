"""The inference function's entry. Importing it is the cold start; each effect has a number and a reason."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

# COLD START, in order, once per execution environment:
_STARTED_NS = perf_counter_ns()

# 1. Before ONNX Runtime is imported: from 1.29 on it sends telemetry and writes a file under HOME otherwise.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# 2. Before numpy is imported: OpenBLAS starts a thread per core, which nothing here uses, for 100 ms of CPU.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# 3. The store's client first: what the stage names is fetched beside the other imports.
from handlers.inference.settings import InferenceSettings  # noqa: E402
from model_store.s3_reader import S3Reader  # noqa: E402
from model_store.sigv4 import Credentials  # noqa: E402

if TYPE_CHECKING:
    from model_store.payload_objects import PayloadObjects

# 4. Fail at init, with the variable's name, not on the first request.
SETTINGS = InferenceSettings.from_env(os.environ)


def _credentials() -> Callable[[], Credentials]:
    """Return what signs requests: what Lambda set, or in an environment that starts from a snapshot, who has it."""
    found = SETTINGS.credentials
    if isinstance(found, Credentials):
        return lambda: found
    from handlers.inference.snapshot import fresh_credentials

    return fresh_credentials(found)


def _payload_objects() -> PayloadObjects:
    from model_store.s3_payloads import S3Payloads

    return S3Payloads(region=SETTINGS.region, credentials=CREDENTIALS)


# 5. A client only: no network.
CREDENTIALS = _credentials()
READER = S3Reader(
    SETTINGS.store_bucket,
    region=SETTINGS.region,
    credentials=CREDENTIALS,
    endpoint_url=SETTINGS.store_endpoint,
)

# 6. Where the stage names models: a process that fetches them, copied from this one while it has one thread.
PRELOADING = None
if SETTINGS.preload:
    from handlers.inference.preload import start

    PRELOADING = start(SETTINGS, READER)

# 7. The imports: two thirds of a cold start, and in the init phase, which has the whole processor.
from handlers.inference.data_plane import build_data_plane  # noqa: E402


def _write(line: bytes) -> None:
    # One system call per line, so that lines of two environments never mix; a pipe may take less than all of it.
    if (written := os.write(1, line)) < len(line):
        _write(line[written:])


DATA_PLANE = build_data_plane(
    SETTINGS,
    READER if PRELOADING is None else PRELOADING.reader,
    write=_write,
    payload_objects=_payload_objects,
    setup_ns=perf_counter_ns() - _STARTED_NS,
)
# 8. Sessions on what was fetched, while init has the whole processor.
if PRELOADING is not None:
    DATA_PLANE.finish(PRELOADING)

# 9. What a snapshot must not hold, and what is made anew after it.
if not isinstance(SETTINGS.credentials, Credentials):
    from handlers.inference.snapshot import forget_when_restored

    forget_when_restored(READER, CREDENTIALS)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one proxy event. The trace id is in the environment, set anew for each invocation by Lambda."""
    try:  # bytes, and not `get`: half the price of a string that is there, as it is in Lambda
        trace_id = os.environb[b"_X_AMZN_TRACE_ID"].decode(errors="replace")
    except KeyError:
        trace_id = None
    return DATA_PLANE.answer(event, context.aws_request_id, trace_id)
