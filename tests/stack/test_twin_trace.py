"""`warmstart trace` on the twin: a cold start as its log has it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from cli.main import run
from local.process import TwinProcess
from tests.build import models
from tests.build.inference import event, infer_body
from tests.build.twin_client import publish
from warmstart import stacks


def test_a_cold_start_is_found_in_the_log_with_its_phases(
    twin: TwinProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready_file = tmp_path / "twin.json"
    ready_file.write_text(json.dumps(asdict(twin.address)))
    publish(twin, tmp_path, "traced", models.scale(2.0))
    first, _ = (invoke_unpublished(twin, "traced") for _ in range(2))

    code = run(["trace", "traced", "--local", "--json"], {"WARMSTART_READY_FILE": str(ready_file)})

    document = json.loads(capsys.readouterr().out)
    assert code == 0
    [cold] = document["invocations"]
    assert (cold["version"], cold["new_environment"]) == ("1", True)
    assert cold["request_id"] == first
    assert list(cold["phases_ms"]) == ["runtime", "init", "resolve", "fetch", "session", "parse", "run", "render"]
    assert document["median_ms"] == cold["phases_ms"]


def invoke_unpublished(twin: TwinProcess, model: str) -> str:
    """Ask `$LATEST`, whose first environment is new whatever other tests did to the alias's; give the request id.

    An environment that was killed starts its process again within the invocation, without an init phase.
    """
    cloudformation = twin.session.client("cloudformation", endpoint_url=twin.address.aws_endpoint_url)
    [stack] = cloudformation.describe_stacks(StackName=stacks.serving_stack("prod"))["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    request = event("POST", f"/v2/models/{model}/infer", infer_body([1.0, 2.0]))
    answer = twin.session.client("lambda", endpoint_url=twin.address.aws_endpoint_url).invoke(
        FunctionName=outputs[stacks.INFERENCE_FUNCTION], Payload=json.dumps(request)
    )
    assert json.loads(answer["Payload"].read())["statusCode"] == 200
    return answer["ResponseMetadata"]["RequestId"]
