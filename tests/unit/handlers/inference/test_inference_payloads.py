"""Bodies by reference, through the data plane: as if they had been sent, in every protocol."""

from __future__ import annotations

import gzip
import json
import re
import shlex
from pathlib import Path

import pytest

from handlers.inference.data_plane import build_data_plane
from model_store.payload_objects import Payload
from tests.build import payloads
from tests.build.inference import Answered, World, event, infer_body
from tests.build.payloads import BODY, HOST, INFER, ROWS, SIGNATURE, Row, send
from warmstart.protocols.wire import INPUT_LOCATION, OUTPUT_LOCATION

DOCUMENT = Path(__file__).parents[4] / "docs" / "large-payloads.md"
IN, OUT = "s3://bodies/in/a.json", "s3://bodies/out/a.json"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return payloads.world(tmp_path_factory.mktemp("data-plane"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return payloads.world(tmp_path)


@pytest.mark.parametrize("location", [IN, f"{HOST}/in/a.json?{SIGNATURE}"])
def test_a_body_on_s3_is_answered_as_if_it_had_been_sent(world: World, location: str) -> None:
    answered = send(world, {"X-Warmstart-Input-Location": location})

    assert (answered.status, answered.headers["x-model-version"]) == (200, "1")
    assert answered.json["outputs"][0]["data"] == [2, 4]


@pytest.mark.parametrize("location", [OUT, f"{HOST}/out/a.json?{SIGNATURE}"])
def test_an_answer_is_put_where_the_request_says(world: World, location: str) -> None:
    sent = send(world, {}, BODY.decode())
    answered = send(world, {OUTPUT_LOCATION: location}, BODY.decode())

    assert (answered.status, answered.headers["x-model-version"]) == (200, "1")
    assert answered.json == {
        "location": "s3://bodies/out/a.json",
        "content_type": "application/json",
        "size_bytes": len(sent.text),
    }
    assert world.payloads.objects["bodies", "out/a.json"] == Payload(sent.text.encode(), "application/json")


def test_other_protocols_take_and_give_references_too(world: World) -> None:
    world.payloads.objects["bodies", "in/rows.json"] = Payload(b'[{"x": [1, 2]}]', "application/json")

    answered = send(world, {INPUT_LOCATION: "s3://bodies/in/rows.json", OUTPUT_LOCATION: OUT}, path="/predict/doubler")

    assert answered.json["location"] == OUT
    assert json.loads(world.payloads.objects["bodies", "out/a.json"].body)["predictions"] == [{"y": [2, 4]}]


def test_the_requests_own_content_type_goes_before_the_objects(world: World) -> None:
    world.payloads.objects["bodies", "in/a"] = Payload(BODY, "text/csv")

    assert send(world, {INPUT_LOCATION: "s3://bodies/in/a"}).status == 415
    assert send(world, {INPUT_LOCATION: "s3://bodies/in/a", "Content-Type": "application/json"}).status == 200


def test_an_object_may_be_compressed(world: World) -> None:
    world.payloads.objects["bodies", "in/a.gz"] = Payload(gzip.compress(BODY), "application/json", "gzip")

    assert send(world, {INPUT_LOCATION: "s3://bodies/in/a.gz"}).json["outputs"][0]["data"] == [2, 4]


def test_an_object_that_is_too_large_once_it_is_decoded_is_refused(world: World) -> None:
    bomb = gzip.compress(bytes(16 * 1024 * 1024 + 1))
    world.payloads.objects["bodies", "in/a.gz"] = Payload(bomb, "application/json", "gzip")

    answered = send(world, {INPUT_LOCATION: "s3://bodies/in/a.gz"})

    assert answered.status == 413
    assert "expected at most 16777216 bytes once decoded" in answered.json["error"]


def test_a_large_answer_goes_to_s3_whole_where_it_could_not_be_sent(world: World) -> None:
    rows = 400_000
    body = json.dumps(infer_body([0.123456] * 2 * rows, shape=(rows, 2))).encode()
    world.payloads.objects["bodies", "in/rows.json"] = Payload(body, "application/json")

    refused = send(world, {INPUT_LOCATION: "s3://bodies/in/rows.json"})
    answered = send(world, {INPUT_LOCATION: "s3://bodies/in/rows.json", OUTPUT_LOCATION: OUT})

    assert refused.status == 413
    assert "x-warmstart-output-location" in refused.json["error"]
    assert (answered.status, answered.json["size_bytes"] > 6_291_556) == (200, True)
    stored = json.loads(world.payloads.objects["bodies", "out/a.json"].body)
    assert len(stored["outputs"][0]["data"]) == 2 * rows


def test_what_says_how_an_answer_is_read_goes_with_it(world: World) -> None:
    body = json.dumps({**infer_body([1, 2]), "parameters": {"binary_data_output": True}})

    answered = send(world, {OUTPUT_LOCATION: OUT}, body)

    stored = world.payloads.objects["bodies", "out/a.json"]
    [(name, length)] = stored.metadata
    assert (stored.content_type, name) == ("application/octet-stream", "inference-header-content-length")
    assert stored.body[int(length) :] == b"\x00\x00\x00\x40\x00\x00\x80\x40"  # 2.0 and 4.0, little-endian
    assert answered.json["headers"] == {"inference-header-content-length": length}
    assert "inference-header-content-length" not in answered.headers


def test_a_large_answer_on_s3_is_not_compressed_for_who_reads_the_small_one(world: World) -> None:
    body = json.dumps(infer_body([1] * 20_000, shape=(10_000, 2)))

    send(world, {OUTPUT_LOCATION: OUT, "Accept-Encoding": "gzip"}, body)

    assert world.payloads.objects["bodies", "out/a.json"].body.startswith(b'{"model_name"')


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_a_bad_reference_has_its_own_answer(shared: World, row: Row) -> None:
    assert payloads.refused(shared, row) == (row.status, {"error": row.message})


def test_the_documentation_shows_exactly_these_answers() -> None:
    assert f"\n{payloads.table()}\n" in DOCUMENT.read_text()


def test_nothing_is_computed_for_an_answer_that_may_not_be_put_anywhere(world: World) -> None:
    send(world, {OUTPUT_LOCATION: "s3://others/a"}, BODY.decode())

    assert world.store.requests == []


def test_references_belong_to_inferences(world: World) -> None:
    answered = world.ask("GET", "/v2/models/doubler", headers={OUTPUT_LOCATION: OUT})

    assert answered.status == 400
    assert answered.json == {
        "error": f"{INPUT_LOCATION}, {OUTPUT_LOCATION}: expected with an inference, got one with /v2/models/doubler"
    }


def test_a_stage_that_allows_no_locations_says_how_to(tmp_path: Path) -> None:
    answered = send(payloads.world(tmp_path, ""), {INPUT_LOCATION: IN})

    assert (answered.status, answered.json["error"].endswith("its setting payload_locations")) == (400, True)


def test_an_answer_that_s3_did_not_take_says_which_version_gave_it(world: World) -> None:
    world.payloads.is_full = True

    answered = send(world, {OUTPUT_LOCATION: OUT}, BODY.decode())

    assert (answered.status, answered.headers["x-model-version"], answered.headers["retry-after"]) == (503, "1", "1")


def test_the_documented_requests_are_answered_as_documented(tmp_path: Path) -> None:
    world = payloads.world(tmp_path, "s3://my-bodies/in/,s3://my-bodies/out/")
    world.payloads.objects["my-bodies", "in/rows.json"] = Payload(BODY, "application/json")
    text = DOCUMENT.read_text()
    commands = [
        shlex.split(command) for command in re.findall(r"^curl (.*?)\n(?:```|\n)", text, re.DOTALL | re.MULTILINE)
    ]

    answers = []
    for words in commands:
        headers = dict(word.split(": ", 1) for word in words if word.startswith("x-warmstart"))
        [path] = [word.removeprefix("$ENDPOINT") for word in words if word.startswith("$ENDPOINT")]
        answers.append(send(world, headers, path=path))

    assert [answered.status for answered in answers] == [200, 200]
    assert answers[0].json["outputs"][0]["data"] == [2, 4]
    assert f"\n```json\n{json.dumps(answers[1].json)}\n```\n" in text


def test_where_nothing_is_in_the_way_of_a_body_there_are_no_references(world: World) -> None:
    plane = build_data_plane(world.settings, world.store, write=world.lines.append)

    answered = Answered(plane.answer(event("POST", INFER, headers={INPUT_LOCATION: IN}), "request-1"))

    assert (answered.status, answered.json) == (
        400,
        {"error": f"{INPUT_LOCATION}, {OUTPUT_LOCATION}: expected bodies in requests and answers here"},
    )
