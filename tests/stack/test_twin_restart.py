"""A twin with `--data`, killed and started again; then destroyed and stopped."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil
import pytest

from local.process import TwinProcess
from tests.build import models
from tests.build.twin_client import ask, infer, publish, store, until

SETTINGS = {"alias_ttl_s": "1"}
"""As the session's twin has them: the same template is not synthesized twice."""
pytestmark = pytest.mark.xdist_group("second twin")


class Restarted(NamedTuple):
    """A twin that came up again on the folder of one that was killed, and the key that the dead one had."""

    twin: TwinProcess
    old_key: str


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restarted]:
    folder = tmp_path_factory.mktemp("restarted")
    with TwinProcess.start(data=folder / "data", context=SETTINGS) as first:
        publish(first, folder, "doubling", models.scale(2.0))
        s3 = first.session.client("s3", endpoint_url=first.address.aws_endpoint_url)
        s3.put_object(Bucket=first.address.store, Key="notes/kept", Body=b"1", ContentType="text/plain")
        s3.put_object(Bucket=first.address.store, Key="notes/taken-back", Body=b"1")
        s3.delete_object(Bucket=first.address.store, Key="notes/taken-back")
        first.kill()
    with TwinProcess.start(data=folder / "data", context=SETTINGS) as second:
        yield Restarted(second, first.address.api_key)


def test_what_was_published_survives_the_twins_death(restarted: Restarted) -> None:
    answer = infer(restarted.twin.address, "doubling", "x", "FP32", [1.0, 2.0], [1, 2])
    assert answer.body["outputs"][0]["data"] == [2.0, 4.0]
    assert list(store(restarted.twin).keys("notes/")) == ["notes/kept"]
    s3 = restarted.twin.session.client("s3", endpoint_url=restarted.twin.address.aws_endpoint_url)
    kept = s3.get_object(Bucket=restarted.twin.address.store, Key="notes/kept")
    assert (kept["Body"].read(), kept["ContentType"]) == (b"1", "text/plain")


def test_the_api_key_survives_the_twins_death(restarted: Restarted) -> None:
    assert restarted.twin.address.api_key == restarted.old_key


def test_destroying_leaves_nothing_behind_and_stopping_neither(restarted: Restarted) -> None:
    twin = restarted.twin
    assert ask(twin.address, "GET", "/v2").status == 200
    twin.cdk.destroy()
    assert left_over(twin) == {"stacks": ["CDKToolkit"]}
    assert ask(twin.address, "GET", "/v2").status == 403
    until(lambda: twin.environments() == [])
    processes = [psutil.Process(twin.pid), *psutil.Process(twin.pid).children(recursive=True)]
    twin.stop()
    assert psutil.wait_procs(processes, timeout=5)[1] == []
    for url in (twin.address.endpoint, twin.address.aws_endpoint_url):
        with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
            probe.connect(("127.0.0.1", urlsplit(url).port))


def left_over(twin: TwinProcess) -> dict[str, list[str]]:
    """What stands on the twin, by kind; the store's buckets apart, which a destroy retains."""
    session, url = twin.session, twin.address.aws_endpoint_url
    functions, gateway = session.client("lambda", endpoint_url=url), session.client("apigateway", endpoint_url=url)
    alarms, logs = session.client("cloudwatch", endpoint_url=url), session.client("logs", endpoint_url=url)
    formation = session.client("cloudformation", endpoint_url=url)
    found = {
        "functions": [f["FunctionName"] for f in functions.list_functions()["Functions"]],
        "layers": [layer["LayerName"] for layer in functions.list_layers()["Layers"]],
        "apis": [api["id"] for api in gateway.get_rest_apis()["items"]],
        "keys": [key["id"] for key in gateway.get_api_keys()["items"]],
        "plans": [plan["id"] for plan in gateway.get_usage_plans()["items"]],
        "alarms": [alarm["AlarmName"] for alarm in alarms.describe_alarms()["MetricAlarms"]],
        "log groups": [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]],
        "stacks": [stack["StackName"] for stack in formation.describe_stacks()["Stacks"]],
    }
    return {kind: names for kind, names in found.items() if names}
