"""The whole stack on the twin: deployed by `cdk deploy`, asked over HTTP, updated, killed, restarted, destroyed."""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest
from mypy_boto3_lambda import LambdaClient
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from local.process import TwinProcess
from model_store.convert.recognise import load
from model_store.convert.source import LoadOptions
from model_store.gate import publish_file
from tests.build import models
from tests.build.slow_model import turns
from tests.build.twin_client import ask, infer, publish, store, until
from warmstart import stacks

CHANGED_APP = "python -m tests.build.changed_app"
INFERENCE_LOG = "/warmstart/prod/inference"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:skl2onnx")


def lambda_client(twin: TwinProcess) -> LambdaClient:
    return twin.session.client("lambda", endpoint_url=twin.address.aws_endpoint_url)


def inference_function(twin: TwinProcess) -> str:
    client = twin.session.client("cloudformation", endpoint_url=twin.address.aws_endpoint_url)
    [stack] = client.describe_stacks(StackName=stacks.serving_stack("prod"))["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return outputs[stacks.INFERENCE_FUNCTION]


def reports(twin: TwinProcess) -> list[str]:
    """The REPORT lines of the inference function."""
    return [line for line in twin.logs(INFERENCE_LOG) if line.startswith("REPORT")]


def end_environments(twin: TwinProcess) -> None:
    """Kill all environments, so that the next invocation is cold."""
    for pid in twin.environments():
        os.kill(pid, signal.SIGKILL)
    until(lambda: not twin.environments())


@pytest.fixture(scope="module")
def twin() -> Iterator[TwinProcess]:
    """A twin of this file's own: an environment that other tests crashed would start anew without an init phase."""
    with TwinProcess.start(context={"alias_ttl_s": "1"}) as running:
        yield running


@pytest.fixture(scope="module")
def iris() -> tuple[LogisticRegression, np.ndarray[Any, np.dtype[np.float32]]]:
    data = load_iris()
    rows = data.data.astype(np.float32)
    return LogisticRegression(max_iter=1000).fit(rows, data.target), rows


def test_a_published_scikit_learn_model_is_served_cold_then_warm_with_its_own_predictions(
    twin: TwinProcess, tmp_path: Path, iris: tuple[LogisticRegression, np.ndarray[Any, np.dtype[np.float32]]]
) -> None:
    estimator, rows = iris
    graph = load(estimator, LoadOptions()).convert(tmp_path, None).graph
    assert publish(twin, tmp_path, "iris", graph.read_bytes()) == 1
    end_environments(twin)
    before = len(reports(twin))
    cold = infer(twin.address, "iris", "X", "FP32", rows[:150:30].ravel().tolist(), [5, 4])
    warm = infer(twin.address, "iris", "X", "FP32", rows[:150:30].ravel().tolist(), [5, 4])
    assert (cold.status, warm.status) == (200, 200)
    assert cold.headers["x-model-version"] == "1"
    outputs = {output["name"]: output["data"] for output in cold.body["outputs"]}
    assert outputs["label"] == estimator.predict(rows[:150:30]).tolist()
    np.testing.assert_allclose(
        outputs["probabilities"], estimator.predict_proba(rows[:150:30]).ravel(), rtol=0, atol=1e-5
    )
    first, second = reports(twin)[before:]
    assert "Init Duration" in first
    assert "Init Duration" not in second
    assert len(twin.environments()) == 1


def test_a_second_version_is_served_without_a_deployment(twin: TwinProcess, tmp_path: Path) -> None:
    publish(twin, tmp_path, "doubling", models.scale(2.0))
    first = infer(twin.address, "doubling", "x", "FP32", [1.0, 2.0], [1, 2])
    deployed = lambda_client(twin).get_alias(FunctionName=inference_function(twin), Name="live")["FunctionVersion"]
    publish(twin, tmp_path, "doubling", models.scale(3.0))
    until(lambda: infer(twin.address, "doubling", "x", "FP32", [1.0, 2.0], [1, 2]).headers["x-model-version"] == "2")
    second = infer(twin.address, "doubling", "x", "FP32", [1.0, 2.0], [1, 2])
    assert first.body["outputs"][0]["data"] == [2.0, 4.0]
    assert second.body["outputs"][0]["data"] == [3.0, 6.0]
    now = lambda_client(twin).get_alias(FunctionName=inference_function(twin), Name="live")["FunctionVersion"]
    assert now == deployed


def test_killing_an_environment_fails_its_own_request_alone(twin: TwinProcess, tmp_path: Path) -> None:
    publish(twin, tmp_path, "turns", turns())
    assert infer(twin.address, "turns", "n", "INT64", [1], [1]).status == 200
    starts = sum(line.startswith("START") for line in twin.logs(INFERENCE_LOG))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(infer, twin.address, "turns", "n", "INT64", [250_000], [1])
        until(lambda: sum(line.startswith("START") for line in twin.logs(INFERENCE_LOG)) > starts)
        busy = busiest(twin.environments())
        os.kill(busy, signal.SIGKILL)
        killed = running.result()
    after = infer(twin.address, "turns", "n", "INT64", [1], [1])
    assert killed.status == 502
    assert killed.body == {"error": "Internal server error"}
    assert after.status == 200


def busiest(pids: list[int]) -> int:
    """The process that computes."""
    processes = [psutil.Process(pid) for pid in pids]
    for process in processes:
        process.cpu_percent()
    time.sleep(0.1)
    return int(max(processes, key=lambda process: process.cpu_percent()).pid)


def test_boto3_invokes_the_environments_that_the_gateway_uses(twin: TwinProcess) -> None:
    assert ask(twin.address, "GET", "/v2/health/live").status == 200
    environments = twin.environments()
    event: dict[str, object] = {
        "httpMethod": "GET",
        "path": "/v2/health/live",
        "headers": {},
        "body": None,
        "isBase64Encoded": False,
    }
    answer = lambda_client(twin).invoke(
        FunctionName=inference_function(twin), Qualifier="live", Payload=json.dumps(event), LogType="Tail"
    )
    assert answer["StatusCode"] == 200
    assert answer.get("FunctionError") is None
    assert json.loads(answer["Payload"].read())["statusCode"] == 200
    assert answer["ExecutedVersion"] != "$LATEST"
    assert b"REPORT RequestId" in base64.b64decode(answer["LogResult"])
    assert twin.environments() == environments


def test_an_event_invocation_is_answered_at_once_and_runs_later(twin: TwinProcess) -> None:
    before = len(reports(twin))
    answer = lambda_client(twin).invoke(
        FunctionName=inference_function(twin), Qualifier="live", InvocationType="Event", Payload=b"{}"
    )
    assert answer["StatusCode"] == 202
    until(lambda: len(reports(twin)) > before)


def test_a_dry_run_runs_nothing(twin: TwinProcess) -> None:
    before = len(reports(twin))
    answer = lambda_client(twin).invoke(
        FunctionName=inference_function(twin), Qualifier="live", InvocationType="DryRun"
    )
    assert answer["StatusCode"] == 204
    assert len(reports(twin)) == before


def test_an_unknown_alias_is_not_found(twin: TwinProcess) -> None:
    client = lambda_client(twin)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName=inference_function(twin), Qualifier="nobody")


def test_without_a_key_the_gateway_answers_and_no_function_runs(twin: TwinProcess) -> None:
    before = len(reports(twin))
    assert ask(twin.address, "GET", "/v2", key="").status == 403
    assert len(reports(twin)) == before


def test_deploying_changed_code_moves_the_alias_and_starts_new_environments(twin: TwinProcess) -> None:
    client, function = lambda_client(twin), inference_function(twin)
    assert ask(twin.address, "GET", "/v2/health/live").status == 200
    before = client.get_alias(FunctionName=function, Name="live")["FunctionVersion"]
    replace(twin.cdk, app=CHANGED_APP).deploy(update=True)
    after = client.get_alias(FunctionName=function, Name="live")["FunctionVersion"]
    started = len(reports(twin))
    assert ask(twin.address, "GET", "/v2/health/live").status == 200
    assert int(after) > int(before)
    assert client.get_function(FunctionName=function, Qualifier="live")["Configuration"]["Version"] == after
    assert "Init Duration" in reports(twin)[started]


def test_a_plan_and_its_key_hold_as_soon_as_boto3_has_changed_them(twin: TwinProcess) -> None:
    client = twin.session.client("apigateway", endpoint_url=twin.address.aws_endpoint_url)
    [api] = [one["id"] for one in client.get_rest_apis()["items"]]
    stage = urlsplit(twin.address.endpoint).path.strip("/")
    key = client.create_api_key(name="another", enabled=True)
    assert ask(twin.address, "GET", "/v2", key=key["value"]).status == 403
    plan = client.create_usage_plan(
        name="narrow", apiStages=[{"apiId": api, "stage": stage}], throttle={"rateLimit": 0.001, "burstLimit": 1}
    )["id"]
    client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    assert [ask(twin.address, "GET", "/v2", key=key["value"]).status for _ in range(2)] == [200, 429]
    wider = [("/throttle/rateLimit", "10000"), ("/throttle/burstLimit", "100")]
    client.update_usage_plan(
        usagePlanId=plan, patchOperations=[{"op": "replace", "path": path, "value": value} for path, value in wider]
    )
    until(lambda: ask(twin.address, "GET", "/v2", key=key["value"]).status == 200)
    client.delete_usage_plan_key(usagePlanId=plan, keyId=key["id"])
    assert ask(twin.address, "GET", "/v2", key=key["value"]).status == 403
    client.delete_usage_plan(usagePlanId=plan)
    client.delete_api_key(apiKey=key["id"])


def test_publishers_at_once_get_a_version_each_and_live_is_the_highest(twin: TwinProcess, tmp_path: Path) -> None:
    publishers = 4
    sources = []
    for number in range(publishers):
        sources.append(tmp_path / f"{number}.onnx")
        sources[-1].write_bytes(models.scale(float(number + 2)))
    together = threading.Barrier(publishers)

    def publish_one(source: Path) -> int:
        objects = store(twin)
        together.wait()
        return publish_file(source, "contested", objects).manifest.version

    with ThreadPoolExecutor(publishers) as pool:
        versions = list(pool.map(publish_one, sources))
    assert sorted(versions) == list(range(1, publishers + 1))
    answer = infer(twin.address, "contested", "x", "FP32", [1.0, 1.0], [1, 2])
    last = float(versions.index(publishers) + 2)
    assert (answer.headers["x-model-version"], answer.body["outputs"][0]["data"]) == (str(publishers), [last, last])
