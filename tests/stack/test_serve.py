"""`warmstart serve` as it runs: a process that answers, stays alive under load, and ends without losing a request."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from model_store.memory import MemoryObjects
from tests.build.processes import somebody_listens, watched
from tests.build.s3_server import s3_server
from tests.build.serving import COMMAND, LONG, WAIT_S, Served, fill, serving
from warmstart.client import Client
from warmstart.refs import ModelRef


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("serve"), "--preload", "adder,slow", "--log", "all") as running:
        while running.ask("GET", "/v2/health/ready").status != 200:
            time.sleep(0.05)
        yield running


def test_a_request_is_answered_with_the_version_and_an_id(served: Served) -> None:
    reply = served.add(1, 2)

    assert (reply.status, reply.headers["x-model-version"]) == (200, "1")
    assert reply.json["outputs"][0]["data"] == [3.0]
    assert reply.headers["x-request-id"]


def test_an_answer_says_when_it_was_made(served: Served) -> None:
    said = parsedate_to_datetime(served.ask("GET", "/v2/health/live").headers["date"])

    assert abs(said.timestamp() - time.time()) < 10


def test_an_error_has_the_shape_of_the_protocol(served: Served) -> None:
    assert served.ask("GET", "/v2/models/none").status == 404
    assert set(served.ask("POST", "/v2/models/adder/infer", []).json) == {"error"}
    assert set(served.ask("POST", "/predict/adder", 1).json["error"]) == {"code", "message"}


def test_many_clients_at_once_get_their_own_answers(served: Served) -> None:
    with ThreadPoolExecutor(16) as pool:
        sums = list(pool.map(lambda number: served.add(number, 1).json["outputs"][0]["data"], range(200)))

    assert sums == [[number + 1.0] for number in range(200)]


def test_health_and_other_models_are_answered_while_a_slow_model_computes(served: Served) -> None:
    slow = served.turn(LONG)
    answered = [served.ask("GET", "/v2/health/live").status for _ in range(20)]
    answered += [served.add(1, 1).status for _ in range(20)]

    assert not slow.done()
    assert answered == [200] * 40
    assert slow.result(WAIT_S).json["outputs"][0]["data"] == [0.0]


def test_clients_that_vanish_do_no_harm(served: Served) -> None:
    body = json.dumps({"inputs": [{"name": "n", "shape": [1], "datatype": "INT64", "data": [100]}]}).encode()
    head = b"POST /v2/models/slow/infer HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    sent = head % len(body) + body
    for end in (1, len(sent) - 1, len(sent)):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", served.port)) as connection:
                connection.sendall(sent[:end])

    assert served.add(1, 2).status == 200


def test_the_client_of_ours_finds_its_way(served: Served) -> None:
    with closing(Client(f"http://127.0.0.1:{served.port}", api_key="none")) as client:
        answer = client.predict(ModelRef.parse("adder"), [{"a": 1, "b": 2}])

    assert answer.body == {"model_name": "adder", "model_version": "1", "predictions": [{"sum": 3.0}]}


def test_each_request_is_a_line_of_json(served: Served) -> None:
    served.add(1, 2)
    served.ask("GET", "/v2/health/live")
    lines = [json.loads(line) for line in served.command.printed.splitlines() if line.startswith("{")]

    assert {line["operation"] for line in lines} >= {"infer", "server_live"}
    assert all(line["message"] == "answered" for line in lines)


def test_when_told_to_end_it_answers_what_it_computes_and_takes_no_more(tmp_path: Path) -> None:
    with serving(tmp_path, "--preload", "slow") as served, closing(served.connect()) as before:
        slow = served.turn(LONG)
        served.command.signal(signal.SIGTERM)
        while somebody_listens(f"http://127.0.0.1:{served.port}"):
            time.sleep(0.05)
        ready = served.ask("GET", "/v2/health/ready", over=before)
        assert (ready.status, ready.headers["connection"], ready.headers["retry-after"]) == (503, "close", "1")
        assert not slow.done()

        answered = slow.result(WAIT_S)
        assert (answered.status, answered.headers["connection"]) == (200, "close")
        assert served.command.ends() == 0


def test_ctrl_c_ends_it_too(tmp_path: Path) -> None:
    with serving(tmp_path) as served, closing(served.connect()) as kept:
        served.command.signal_group(signal.SIGINT)

        assert served.command.ends() == 0
        assert kept.sock.recv(1) == b""


def test_what_does_not_end_in_time_is_cut_off_and_said_so(tmp_path: Path) -> None:
    with serving(tmp_path, "--drain-s", "0.1") as served:
        slow = served.turn(100 * LONG)
        served.command.signal(signal.SIGTERM)

        assert served.command.ends() == 1
        with pytest.raises(ConnectionError):
            slow.result(WAIT_S)


def test_beyond_the_queue_a_request_is_told_to_come_back(tmp_path: Path) -> None:
    with serving(tmp_path, "--queue", "1", "--preload", "slow") as served:
        slow = served.turn(LONG)
        refused = served.turn(1).result(WAIT_S)

        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert refused.json == {
            "error": "server: expected at most 1 requests at once, got one more; send it again later"
        }
        assert slow.result(WAIT_S).status == 200


def test_it_is_not_ready_before_its_models_are_loaded(tmp_path: Path) -> None:
    with serving(tmp_path, "--preload", "adder") as served:
        while served.ask("GET", "/v2/health/ready").status == 503:
            pass
        report = served.ask("GET", "/v2/models/adder/ready")

        assert (report.status, report.json) == (200, {"name": "adder", "ready": True})


def test_a_store_that_does_not_answer_leaves_it_alive_and_not_ready(tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    nobody = "http://127.0.0.1:9"
    with serving(tmp_path, "--preload", "adder", store="s3://store", AWS_ENDPOINT_URL_S3=nobody, **keys) as served:
        served.command.waits_for("preload adder: ")

        assert served.ask("GET", "/v2/health/live").status == 200
        assert served.ask("GET", "/v2/health/ready").status == 503


def test_models_come_from_a_bucket(tmp_path: Path) -> None:
    objects = MemoryObjects()
    fill(objects)
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    with (
        s3_server(objects) as s3,
        serving(tmp_path, store="s3://store", AWS_ENDPOINT_URL_S3=s3.url, **keys) as served,
    ):
        assert served.add(1, 2).json["outputs"][0]["data"] == [3.0]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--preload", "none"), 1, "model_not_found: model 'none'"),
        (("--host", "256.0.0.1"), 1, "system: "),
        (("--log", "loud"), 2, "invalid_setting: WARMSTART_LOG: expected errors or all or none, got 'loud'"),
    ],
)
def test_what_cannot_be_served_is_said(tmp_path: Path, options: tuple[str, ...], code: int, said: str) -> None:
    (tmp_path / "store").mkdir()
    command = ("-c", COMMAND, "serve", "--store", f"file://{tmp_path / 'store'}", "--port", "0", *options)
    with watched(*command, printed=tmp_path / "printed", environ={**os.environ, "HOME": str(tmp_path)}) as running:
        assert running.ends() == code
        assert said in running.printed


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = ("-c", COMMAND, "serve", "--store", f"file://{tmp_path}", "--port", port)
        with watched(*command, printed=tmp_path / "printed", environ=os.environ) as running:
            assert running.ends() == 1
            assert "system: Address already in use" in running.printed


def test_vertex_asks_on_paths_of_its_own(tmp_path: Path) -> None:
    route = "/v1/endpoints/1/deployedModels/2"
    environ = {"AIP_HEALTH_ROUTE": route, "AIP_PREDICT_ROUTE": f"{route}:predict", "WARMSTART_DEFAULT_MODEL": "adder"}
    with serving(tmp_path, **environ) as served:
        predicted = served.ask("POST", f"{route}:predict", {"instances": [{"a": [1], "b": [2]}, {"a": [3], "b": [4]}]})

        assert (predicted.status, predicted.json) == (200, {"predictions": [[3.0], [7.0]]})
        assert served.ask("GET", route).status == 200


def test_sagemakers_own_client_asks_for_a_model_by_its_endpoints_name(tmp_path: Path) -> None:
    with (
        serving(tmp_path) as served,
        closing(
            boto3.client(
                "sagemaker-runtime",
                endpoint_url=f"http://127.0.0.1:{served.port}",
                region_name="us-east-1",
                config=Config(signature_version=UNSIGNED, retries={"max_attempts": 0}),
            )
        ) as client,
    ):
        answered = client.invoke_endpoint(
            EndpointName="adder", Body=b'[{"a": 1, "b": 2}]', ContentType="application/json"
        )

        assert json.loads(answered["Body"].read()) == [3.0]
        with pytest.raises(ClientError, match="nothing"):
            client.invoke_endpoint(EndpointName="nothing", Body=b"[]", ContentType="application/json")


def test_sagemaker_asks_for_the_default_model(tmp_path: Path) -> None:
    with serving(tmp_path, "--default-model", "adder") as served:
        invoked = served.ask("POST", "/invocations", {"inputs": {"a": [[1]], "b": [[2]]}})

        assert (invoked.status, invoked.json) == (200, {"predictions": [3.0]})
        with closing(served.connect()) as ping:
            ping.request("GET", "/ping")
            assert ping.getresponse().status == 200
