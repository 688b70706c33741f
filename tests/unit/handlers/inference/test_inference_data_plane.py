"""Events through the whole data plane, on an in-memory store: what is answered, and asked of the store."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from handlers.inference.data_plane import DataPlane, Edge
from handlers.inference.routes.table import Routes
from model_store.manifest import render_manifest
from tests.build import inference, manifests, models
from tests.build.inference import World, event, infer_body
from warmstart.datatypes import DATATYPES, Datatype
from warmstart.errors import Overloaded
from warmstart.protocols.wire import Request

INFER = "/v2/models/doubler/infer"
ALIAS = "GET models/doubler/aliases/live.json"
ALIAS_IF_MOVED = "GET-IF-CHANGED models/doubler/aliases/live.json"
MANIFEST = "GET models/doubler/versions/1/manifest.json"
GRAPH = "DOWNLOAD models/doubler/versions/1/model.onnx"


@pytest.fixture
def world(tmp_path: Path) -> World:
    built = World(tmp_path)
    built.publish_doubler()
    return built


def test_an_inference_is_answered(world: World) -> None:
    answered = world.ask("POST", INFER, {"id": "7", **infer_body([1, 2.5])})
    assert answered.status == 200
    assert answered.headers == {
        "content-type": "application/json",
        "x-request-id": "request-1",
        "x-model-version": "1",
    }
    assert answered.json == {
        "model_name": "doubler",
        "model_version": "1",
        "id": "7",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [2.0, 5.0]}],
    }


def test_records_are_answered(world: World) -> None:
    answered = world.ask("POST", "/predict/doubler", [{"x": [1, 2]}, {"x": [3, 4]}])
    assert (answered.status, answered.headers["x-model-version"]) == (200, "1")
    assert answered.json == {
        "model_name": "doubler",
        "model_version": "1",
        "predictions": [{"y": [2.0, 4.0]}, {"y": [6.0, 8.0]}],
    }


@pytest.mark.parametrize("row", DATATYPES.values(), ids=lambda row: row.name)
def test_every_datatype_is_answered_in_both_protocols_as_onnx_runtime_gives_it(world: World, row: Datatype) -> None:
    spec = {"x": (row.name, (-1, 1))}, {"y": (row.name, (-1, 1))}
    world.publish("echo", models.identity(row.onnx_code, ("batch", 1)), inference.signature(*spec))
    value = {"BYTES": "ü", "BOOL": True}.get(row.name, 7)
    as_records = world.ask("POST", "/predict/echo", [{"x": value}])
    as_tensors = world.ask("POST", "/v2/models/echo/infer", infer_body([value], shape=[1, 1], datatype=row.name))
    assert (as_records.status, as_tensors.status) == (200, 200)
    assert as_records.json["predictions"] == [{"y": value}]
    assert as_tensors.json["outputs"] == [{"name": "y", "datatype": row.name, "shape": [1, 1], "data": [value]}]


def test_the_servers_own_routes_are_answered_without_the_store(world: World) -> None:
    assert world.ask("GET", "/v2/health/live").json == {"live": True}
    assert world.ask("GET", "/v2/health/ready").json == {"live": True, "ready": True}
    assert world.ask("GET", "/v2").json["name"] == "warmstart"
    assert world.store.requests == []


def test_metadata_is_answered_without_opening_the_model(world: World) -> None:
    answered = world.ask("GET", "/v2/models/doubler")
    assert (answered.json["inputs"], answered.headers["x-model-version"]) == (
        [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
        "1",
    )
    assert world.store.requests == [ALIAS, MANIFEST]


def test_a_model_is_ready_once_it_is_open(world: World) -> None:
    assert world.ask("GET", "/v2/models/doubler/ready").json == {"name": "doubler", "ready": True}
    assert world.store.requests == [ALIAS, MANIFEST, GRAPH]
    world.ask("POST", INFER, infer_body([1, 2]))
    assert world.logged()[-1]["ModelCacheHit"] == 1


def test_a_cold_invocation_asks_the_store_three_times_and_a_warm_one_never(world: World) -> None:
    world.ask("POST", INFER, infer_body([1, 2]))
    assert world.store.requests == [ALIAS, MANIFEST, GRAPH]
    for _ in range(100):
        world.ask("POST", INFER, infer_body([1, 2]))
    assert len(world.store.requests) == 3


def test_an_alias_that_has_had_its_time_costs_one_conditional_request(world: World) -> None:
    world.ask("POST", INFER, infer_body([1, 2]))
    world.time_s += world.settings.alias_ttl_s
    for _ in range(100):
        world.ask("POST", INFER, infer_body([1, 2]))
    assert world.store.requests[3:] == [ALIAS_IF_MOVED]


def test_a_version_published_later_is_served_without_a_deployment(world: World) -> None:
    assert world.ask("POST", INFER, infer_body([1, 2])).json["outputs"][0]["data"] == [2.0, 4.0]
    world.publish_doubler(2, factor=3.0)
    world.time_s += world.settings.alias_ttl_s
    answered = world.ask("POST", INFER, infer_body([1, 2]))
    assert (answered.json["outputs"][0]["data"], answered.headers["x-model-version"]) == ([3.0, 6.0], "2")
    pinned = world.ask("POST", "/v2/models/doubler/versions/1/infer", infer_body([1, 2]))
    assert pinned.json["outputs"][0]["data"] == [2.0, 4.0]


def test_a_version_that_cannot_be_fetched_leaves_the_one_before_serving(world: World) -> None:
    world.ask("POST", INFER, infer_body([1, 2]))
    world.publish_doubler(2, factor=3.0)
    world.time_s += world.settings.alias_ttl_s
    world.ask("GET", "/v2/models/doubler")  # the move is seen, the graph is not fetched yet
    world.store.is_down = True
    assert world.ask("POST", INFER, infer_body([1, 2])).headers["x-model-version"] == "1"
    assert world.ask("GET", "/v2/models/doubler/ready").status == 200
    assert [line["level"] for line in world.logged()].count("WARNING") == 1
    world.store.is_down = False
    world.time_s += world.settings.alias_ttl_s
    assert world.ask("POST", INFER, infer_body([1, 2])).headers["x-model-version"] == "2"


def test_a_baked_version_is_served_while_the_store_is_down(tmp_path: Path) -> None:
    world = World(tmp_path)
    body = models.scale(5.0)
    folder = tmp_path / "baked" / "doubler" / "1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(render_manifest(manifests.manifest("doubler", body=body)))
    (folder / "model.onnx").write_bytes(body)
    world.store.is_down = True
    answered = world.ask("POST", "/v2/models/doubler/versions/1/infer", infer_body([1, 2]))
    assert (answered.status, answered.json["outputs"][0]["data"]) == (200, [5.0, 10.0])
    assert world.store.requests == []


def test_only_the_outputs_asked_for_come_in_the_order_asked(tmp_path: Path) -> None:
    world = World(tmp_path)
    described = inference.signature({"x": ("FP32", (-1, 2))}, {"y": ("FP32", (-1, 2))})
    world.publish("doubler", models.scale(), described)
    answered = world.ask("POST", INFER, {**infer_body([1, 2]), "outputs": [{"name": "y"}]})
    assert [output["name"] for output in answered.json["outputs"]] == ["y"]


def test_a_model_of_text_is_answered(tmp_path: Path) -> None:
    world = World(tmp_path)
    described = inference.signature({"x": ("BYTES", (-1, 2))}, {"y": ("BYTES", (-1, 2))})
    world.publish("echo", models.identity(TensorProto.STRING), described)
    answered = world.ask("POST", "/v2/models/echo/infer", infer_body(["a", "ü"], datatype="BYTES"))
    assert answered.json["outputs"] == [{"name": "y", "datatype": "BYTES", "shape": [1, 2], "data": ["a", "ü"]}]
    assert world.ask("POST", "/predict/echo", [["a", "b"]]).json["predictions"] == [{"y": ["a", "b"]}]


def test_the_body_that_curl_sends_by_itself_is_read(world: World) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert world.ask("POST", INFER, infer_body([1, 2]), headers=headers).status == 200


def test_tensors_come_and_go_as_bytes_in_base64_as_the_gateway_has_them(world: World) -> None:
    item = {"name": "x", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}
    header = json.dumps({"inputs": [item], "parameters": {"binary_data_output": True}}).encode()
    body = base64.b64encode(header + np.array([1, 2.5], "<f4").tobytes()).decode()
    headers = {"Inference-Header-Content-Length": str(len(header))}
    sent = world.plane.answer(event("POST", INFER, body, isBase64Encoded=True, headers=headers), "request-1")
    content = base64.b64decode(sent["body"])
    length = int(sent["headers"]["inference-header-content-length"])
    assert (sent["statusCode"], sent["isBase64Encoded"]) == (200, True)
    assert sent["headers"]["content-type"] == "application/octet-stream"
    assert np.frombuffer(content[length:], "<f4").tolist() == [2.0, 5.0]


def test_a_tensors_bytes_alone_are_a_request(world: World) -> None:
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": "0"}
    body = base64.b64encode(b"\x00\x00\x80\x3f\x00\x00\x20\x40").decode()  # 1 and 2.5
    answered = world.ask("POST", INFER, body, isBase64Encoded=True, headers=headers)
    length = int(answered.headers["inference-header-content-length"])
    assert (answered.status, answered.headers["content-type"]) == (200, "application/octet-stream")
    assert json.loads(answered.body[:length])["outputs"][0]["shape"] == [1, 2]
    assert answered.body[length:] == b"\x00\x00\x00\x40\x00\x00\xa0\x40"


def test_a_compressed_request_is_read_and_a_large_answer_compressed_for_who_reads_it(world: World) -> None:
    rows = [[float(number), 0.5] for number in range(4000)]
    body = base64.b64encode(gzip.compress(json.dumps(rows).encode())).decode()
    headers = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}
    sent = world.plane.answer(event("POST", "/predict/doubler", body, isBase64Encoded=True, headers=headers), "1")
    assert (sent["statusCode"], sent["headers"]["content-encoding"], sent["headers"]["vary"]) == (
        200,
        "gzip",
        "accept-encoding",
    )
    document = json.loads(gzip.decompress(base64.b64decode(sent["body"])))
    assert document["predictions"][3999] == {"y": [7998.0, 1.0]}


def test_a_small_answer_is_sent_as_it_is(world: World) -> None:
    answered = world.ask("POST", INFER, infer_body([1, 2]), headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answered.headers


def test_an_answer_above_lambdas_limit_fits_once_it_is_compressed(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish("expander", models.expand(), inference.EXPAND)
    one = infer_body([0.5], shape=[1])["inputs"]
    many = infer_body([2_000_000], name="shape", shape=[1], datatype="INT64")["inputs"]
    path, body = "/v2/models/expander/infer", {"inputs": [*one, *many]}
    assert world.ask("POST", path, body).status == 413
    sent = world.plane.answer(event("POST", path, body, headers={"Accept-Encoding": "zstd"}), "1")
    assert (sent["statusCode"], sent["headers"]["content-encoding"]) == (200, "zstd")


def test_what_is_published_is_listed(world: World) -> None:
    world.publish_doubler(2)
    world.publish("adder", models.add(), inference.ADD)
    assert [(each["name"], each["version"]) for each in world.ask("POST", "/v2/repository/index").json] == [
        ("adder", "1"),
        ("doubler", "1"),
        ("doubler", "2"),
    ]


def test_inferences_are_counted_by_version(world: World) -> None:
    world.ask("POST", INFER, infer_body([1, 2, 3, 4], shape=(2, 2)))
    world.ask("POST", INFER, infer_body([1, 2]))
    world.ask("POST", INFER, infer_body([1, 2], name="z"))
    [found] = world.ask("GET", "/v2/models/doubler/stats").json["model_stats"]
    assert (found["version"], found["inference_count"], found["execution_count"]) == ("1", 3, 2)
    assert found["last_inference"] == 1_700_000_000_000
    counts = {name: each["count"] for name, each in found["inference_stats"].items()}
    assert (counts["success"], counts["fail"], counts["compute_infer"]) == (2, 1, 2)
    assert world.ask("GET", "/v2/models/stats").json["model_stats"] == [found]


def test_the_best_classes_are_answered_with_their_labels(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish("doubler", models.scale(), manifests.IDENTITY, labels=("no", "yes"))
    asked = {**infer_body([1, 2]), "outputs": [{"name": "y", "parameters": {"classification": 1}}]}
    assert world.ask("POST", INFER, asked).json["outputs"][0]["data"] == ["4.000000:1:yes"]


def test_a_path_that_names_no_model_asks_the_stages_default(tmp_path: Path) -> None:
    world = World(tmp_path, WARMSTART_DEFAULT_MODEL="doubler")
    world.publish_doubler()
    assert world.ask("POST", "/predict", [1, 2]).json["predictions"] == [{"y": [2.0, 4.0]}]
    without = World(tmp_path / "other")
    refused = without.ask("POST", "/predict", [1, 2])
    assert (refused.status, refused.json["error"]["code"]) == (400, "invalid_reference")
    assert "default_model" in refused.json["error"]["message"]


def test_what_needs_no_model_is_instant(world: World) -> None:
    plane = world.plane

    assert [
        plane.is_instant(Request(method, path))
        for method, path in [
            ("GET", "/v2/health/live"),
            ("GET", "/v2/none"),
            ("DELETE", "/v2"),
            ("GET", "/v2/models/doubler"),
            ("POST", "/v2/models/doubler/infer"),
            ("POST", "/v2/repository/index"),
        ]
    ] == [True, True, True, False, False, False]


def test_an_inference_is_warm_once_its_model_is_open_and_its_alias_fresh(world: World) -> None:
    infer, ready = Request("POST", "/v2/models/doubler/infer"), Request("GET", "/v2/models/doubler/ready")
    assert [world.plane.is_warm(infer), world.plane.is_warm(ready)] == [False, False]

    world.ask("POST", "/v2/models/doubler/infer", infer_body([1, 2]))
    asked = len(world.store.requests)
    assert [world.plane.is_warm(infer), world.plane.is_warm(ready)] == [True, True]

    world.time_s += 11
    assert not world.plane.is_warm(infer)
    assert len(world.store.requests) == asked


def test_what_is_refused_is_warm_and_what_reads_the_store_is_not(world: World) -> None:
    assert world.plane.is_warm(Request("POST", "/predict"))  # no default model
    assert not world.plane.is_warm(Request("POST", "/v2/repository/index"))
    assert not world.plane.is_warm(Request("POST", "/v2/models/doubler:1/infer"))


def test_a_request_that_is_not_let_in_is_refused_in_the_protocols_shape_and_logged(world: World) -> None:
    refused = [world.plane.refuse(Overloaded("busy"), path, "r-1") for path in ("/v2/models/x/infer", "/predict/x")]

    assert [(found.status, found.headers) for found in refused] == [(503, (("retry-after", "1"),))] * 2
    assert json.loads(refused[0].body) == {"error": "busy"}
    assert json.loads(refused[1].body) == {"error": {"code": "overloaded", "message": "busy"}}
    assert [(line["status"], line["error"]) for line in world.logged()] == [(503, "overloaded")] * 2


def test_a_process_that_wants_no_requests_says_that_it_is_not_ready(world: World) -> None:
    plane = DataPlane(
        world.plane._service,
        world.plane._observer,
        Routes(),
        edge=Edge(),
        default_model=None,
        shows_timing=False,
        setup_ns=0,
        clock_ns=lambda: 0,
        is_ready=lambda: False,
    )
    ready = plane.respond(Request("GET", "/v2/health/ready"), "r-1")
    live = plane.respond(Request("GET", "/v2/health/live"), "r-2")

    assert (ready.status, ready.headers, live.status) == (503, (("retry-after", "1"),), 200)
