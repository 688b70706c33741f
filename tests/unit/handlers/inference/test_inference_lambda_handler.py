"""The function as Lambda starts it: a fresh process, counted. A new import here is a slower cold start for everyone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model_store.manifest import ModelFile
from model_store.memory import MemoryObjects
from tests.build import manifests, models
from tests.build.inference import env, event, infer_body
from tests.build.s3_server import s3_server
from warmstart import environment

ROOT = Path(__file__).parents[4]

OURS = {
    "handlers", "handlers.inference", "handlers.inference.answers", "handlers.inference.artifacts",
    "handlers.inference.data_plane", "handlers.inference.events", "handlers.inference.lambda_handler",
    "handlers.inference.observability", "handlers.inference.onnx_session", "handlers.inference.resolver",
    "handlers.inference.routes", "handlers.inference.routes.oip", "handlers.inference.routes.route",
    "handlers.inference.routes.table", "handlers.inference.service", "handlers.inference.sessions",
    "handlers.inference.settings", "handlers.inference.statistics", "handlers.inference.timing",
    "handlers.inference.variants",
    "model_store", "model_store.connection", "model_store.integrity", "model_store.keys",
    "model_store.manifest", "model_store.objects", "model_store.pieces", "model_store.registry_reader",
    "model_store.s3_endpoint", "model_store.s3_reader",
    "model_store.sigv4", "warmstart", "warmstart.bfloat16", "warmstart.datatypes", "warmstart.environment",
    "warmstart.errors",
    "warmstart.protocols", "warmstart.protocols.json_tensors", "warmstart.protocols.media", "warmstart.protocols.oip",
    "warmstart.protocols.wire",
    "warmstart.limits", "warmstart.refs", "warmstart.tensors",
}  # fmt: skip
BROUGHT_ALONG = {
    "orjson": {"orjson", "orjson.orjson", "copy", "dataclasses", "uuid", "_uuid"},
    "sha256 and signatures": {"hashlib", "_hashlib", "_blake2", "hmac"},
    "the socket": {"socket", "_socket", "select", "selectors", "array", "errno", "_posixsubprocess"},
    "paths": {"pathlib", "fnmatch", "ntpath", "urllib", "urllib.parse", "ipaddress", "glob",
              "pathlib._abc", "pathlib._local", "pathlib._os", "pathlib.types"},
    "base64 bodies": {"binascii"},
}  # fmt: skip
"""What the standard library (of Python 3.11 to 3.14) and orjson load for us, beyond what numpy, ONNX Runtime and
Lambda's own client load anyway."""

PRELOADING_CHILD = """
import json, os, sys, threading
copies = []
def watch(name, arguments):
    if name == "os.fork":
        copies.append({"threads": threading.active_count(), "has_numpy": "numpy" in sys.modules})
import awslambdaric.bootstrap
sys.addaudithook(watch)
from handlers.inference import lambda_handler
try:
    os.waitpid(-1, os.WNOHANG)
    left = True
except ChildProcessError:
    left = False
class Context:
    aws_request_id = "request-1"
answers = [lambda_handler.handler(event, Context()) for event in json.load(sys.stdin)]
json.dump({"copies": copies, "left": left, "answers": answers}, sys.stderr)
"""

CHILD = """
import json, os, sys
import awslambdaric.bootstrap, numpy, onnxruntime
opened = []
class Watched(onnxruntime.InferenceSession):
    def __init__(self, graph, *arguments, **options):
        opened.append(isinstance(graph, os.PathLike))
        super().__init__(graph, *arguments, **options)
onnxruntime.InferenceSession = Watched
before = set(sys.modules)
from handlers.inference.lambda_handler import handler
imported = set(sys.modules)
class Context:
    aws_request_id = "request-1"
events = json.load(sys.stdin)
answers = [handler(event, Context()) for event in events]
json.dump({
    "at_import": sorted(imported - before),
    "by_serving": sorted(set(sys.modules) - imported),
    "all": sorted(sys.modules),
    "opened": opened,
    "answers": answers,
    "environment": {name: os.environ.get(name) for name in ("ORT_DISABLE_TELEMETRY", "OPENBLAS_NUM_THREADS")},
}, sys.stderr)
"""


class Run:
    """One process: two inferences, then a health check and records, against a stand-in for S3."""

    def __init__(self, scratch: Path, golden: bytes | None = None, **settings: str) -> None:
        objects = MemoryObjects()
        self.body = models.scale()
        manifest = manifests.manifest("doubler", body=self.body)
        if golden is not None:
            document = ModelFile("golden.json", len(golden), hashlib.sha256(golden).hexdigest())
            manifest = manifest._replace(documents=(document,))
            objects.put("models/doubler/versions/1/golden.json", golden)
        manifests.store_version(objects, manifest, body=self.body)
        manifests.store_alias(objects, "doubler", 1)
        infer = event("POST", "/v2/models/doubler/infer", infer_body([1, 2]))
        events = [infer, infer, event("GET", "/v2/health/ready"), event("POST", "/predict/doubler", [1, 2])]
        with s3_server(objects) as server:
            variables = env(scratch, **{environment.ENDPOINT: server.url, environment.ALIAS_TTL_S: "3600"} | settings)
            finished = subprocess.run(
                [sys.executable, "-c", CHILD],
                input=json.dumps(events).encode(),
                capture_output=True,
                env={"PATH": os.environ["PATH"], "HOME": str(scratch), "PYTHONPATH": str(ROOT), **variables}
                | {"_X_AMZN_TRACE_ID": "Root=1-2-3"},
                check=False,
            )
            assert finished.returncode == 0, finished.stderr.decode()
            self.requests, self.sent_bytes = server.requests, server.sent_bytes
        self.seen: dict[str, Any] = json.loads(finished.stderr)
        self.lines = [json.loads(line) for line in finished.stdout.splitlines()]
        self.stored_bytes = sum(len(objects.get(key).body) for key in objects.keys("") if "history" not in key)


def preloaded(scratch: Path, model: str) -> tuple[dict[str, Any], list[dict[str, Any]], list[tuple[str, int]]]:
    """Start a function whose stage preloads a model, ask it for another: what it saw, wrote and asked the store."""
    objects, body = MemoryObjects(), models.scale()
    manifests.store_version(objects, manifests.manifest("doubler", body=body), body=body)
    manifests.store_alias(objects, "doubler", 1)
    with s3_server(objects) as server:
        changes = {environment.ENDPOINT: server.url, environment.ALIAS_TTL_S: "3600", environment.PRELOAD: model}
        finished = subprocess.run(
            [sys.executable, "-c", PRELOADING_CHILD],
            input=json.dumps([event("POST", "/v2/models/doubler/infer", infer_body([1, 2]))]).encode(),
            capture_output=True,
            env={"PATH": os.environ["PATH"], "HOME": str(scratch), "PYTHONPATH": str(ROOT), **env(scratch, **changes)},
            check=False,
        )
        assert finished.returncode == 0, finished.stderr.decode()
        requests = server.requests
    return json.loads(finished.stderr), [json.loads(line) for line in finished.stdout.splitlines()], requests


def test_a_preloaded_model_is_open_when_the_first_request_comes(tmp_path: Path) -> None:
    seen, lines, requests = preloaded(tmp_path, "doubler")
    assert [answer["statusCode"] for answer in seen["answers"]] == [200]
    assert [(line["cold_start"], line["ModelCacheHit"]) for line in lines] == [(True, 1)]
    assert [key for key, _ in requests] == [
        "models/doubler/aliases/live.json",
        "models/doubler/versions/1/manifest.json",
        "models/doubler/versions/1/model.onnx",
    ]


def test_the_process_is_copied_while_it_is_small_and_the_copy_ends_with_init(tmp_path: Path) -> None:
    seen = preloaded(tmp_path, "doubler")[0]
    assert seen["copies"] == [{"threads": 1, "has_numpy": False}]
    assert not seen["left"]


def test_a_preload_that_fails_is_logged_once_and_the_function_serves(tmp_path: Path) -> None:
    seen, lines, _ = preloaded(tmp_path, "lost")
    assert [answer["statusCode"] for answer in seen["answers"]] == [200]
    assert [line["message"] for line in lines] == [
        "preload lost: model 'lost': nothing of this name has been published; the first request tries again",
        "answered",
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("environment"))


def test_a_cold_and_a_warm_invocation_are_answered(run: Run) -> None:
    assert [answer["statusCode"] for answer in run.seen["answers"]] == [200, 200, 200, 200]
    assert json.loads(run.seen["answers"][0]["body"])["outputs"][0]["data"] == [2.0, 4.0]


def test_the_cold_one_makes_three_requests_to_the_store_and_the_others_none(run: Run) -> None:
    assert run.requests == [
        ("models/doubler/aliases/live.json", 200),
        ("models/doubler/versions/1/manifest.json", 200),
        ("models/doubler/versions/1/model.onnx", 200),
    ]


def test_a_warm_up_is_one_request_more_and_the_others_make_none(tmp_path: Path) -> None:
    golden = b'{"examples":[{"inputs":[{"name":"x","datatype":"FP32","shape":[2,2],"data":[1.0]}]}]}'
    warmed = Run(tmp_path, golden, **{environment.WARM_UP: "true"})

    assert warmed.requests[3:] == [("models/doubler/versions/1/golden.json", 200)]
    assert [line for line in warmed.lines if line.get("level") == "WARNING"] == []


def test_each_object_comes_over_the_wire_once(run: Run) -> None:
    assert run.sent_bytes == run.stored_bytes


def test_the_graph_is_opened_from_its_path_and_never_held_as_bytes(run: Run) -> None:
    assert run.seen["opened"] == [True]


def test_only_these_modules_are_imported(run: Run) -> None:
    allowed = OURS.union(*BROUGHT_ALONG.values())
    assert set(run.seen["at_import"]) - allowed == set()
    assert set(run.seen["at_import"]) >= OURS


def test_a_protocol_is_imported_when_it_is_first_spoken_and_nothing_else_is_by_serving(run: Run) -> None:
    spoken = {"handlers.inference.routes.plain", "warmstart.protocols.plain", "warmstart.protocols.records"}
    assert set(run.seen["by_serving"]) - {"encodings.idna", "stringprep", "unicodedata"} == {
        *spoken,
        "warmstart.protocols.oip_documents",
    }


@pytest.mark.parametrize(
    "package",
    ["boto3", "botocore", "fastapi", "starlette", "pydantic", "aws_lambda_powertools", "mangum", "requests", "onnx",
     "http.client", "asyncio", "ssl", "email", "tempfile", "shutil", "cryptography", "model_store.signing"],
)  # fmt: skip
def test_what_would_cost_a_cold_start_is_not_loaded(run: Run, package: str) -> None:
    loaded_by_lambda_and_the_runtime = set(run.seen["all"]) - set(run.seen["at_import"]) - set(run.seen["by_serving"])
    if package not in loaded_by_lambda_and_the_runtime:
        assert package not in run.seen["all"]


def test_a_line_is_written_per_invocation_and_nothing_else(run: Run) -> None:
    assert [(line["protocol"], line["operation"], line["cold_start"], line["xray_trace_id"]) for line in run.lines] == [
        ("oip", "infer", True, "Root=1-2-3"),
        ("oip", "infer", False, "Root=1-2-3"),
        ("oip", "server_ready", False, "Root=1-2-3"),
        ("plain", "infer", False, "Root=1-2-3"),
    ]


def test_telemetry_is_off_and_openblas_has_one_thread(run: Run) -> None:
    assert run.seen["environment"] == {"ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1"}


def test_a_bad_setting_fails_the_import_by_its_name() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", "import handlers.inference.lambda_handler"],
        capture_output=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert finished.returncode == 1
    assert b"InvalidSetting: WARMSTART_STORE_BUCKET: expected a value, got None" in finished.stderr
