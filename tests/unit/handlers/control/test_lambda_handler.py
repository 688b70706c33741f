"""The function's entry, in an interpreter of its own: importing it has effects."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]

PROGRAM = """
import json, sys
from handlers.control import lambda_handler
from tests.build.control_plane import Context, rest_event
answer = lambda_handler.handler(rest_event("GET", sys.argv[1], body=None, headers={}), Context())
print(json.dumps({"answer": answer, "modules": sorted(sys.modules)}))
lambda_handler.LOOP.close()
"""

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "warmstart-prod-control",
    "AWS_MAX_ATTEMPTS": "1",
    # Nothing listens on port 1: a request to S3 fails at once.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "WARMSTART_STORE_BUCKET": "models",
}


def _run(path: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, path],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_answers_an_event_and_needs_neither_numpy_nor_onnxruntime() -> None:
    run = _run("/admin/openapi.json", ENVIRONMENT)
    result = json.loads(run.stdout.splitlines()[-1])

    assert result["answer"]["statusCode"] == 200
    assert {"numpy", "onnxruntime", "moto", "aws_xray_sdk"} & set(result["modules"]) == set()


def test_an_unreachable_store_is_answered_logged_with_the_request_and_counted() -> None:
    run = _run("/admin/models", ENVIRONMENT)
    *logged, result = [json.loads(line) for line in run.stdout.splitlines()]
    line = next(entry for entry in logged if entry.get("message") == "request failed")
    metric = next(entry for entry in logged if "_aws" in entry)

    assert result["answer"]["statusCode"] == 503
    assert json.loads(result["answer"]["body"])["code"] == "store_unavailable"
    assert line["function_request_id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert (line["service"], line["method"], line["path"]) == ("control", "GET", "/admin/models")
    assert (metric["ControlFaults"], metric["service"]) == ([1.0], "control")
    assert metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Warmstart"


@pytest.mark.parametrize("missing", ["WARMSTART_STORE_BUCKET"])
def test_a_missing_setting_fails_at_init_by_its_name(missing: str) -> None:
    run = _run("/admin/models", {key: value for key, value in ENVIRONMENT.items() if key != missing})

    assert run.returncode == 1
    assert f"InvalidSetting: {missing}: expected the name of the store's bucket" in run.stderr
