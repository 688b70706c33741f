"""What comes wrong is answered in the protocol's own shape, by a message that says what was expected: never a 500."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_store import keys
from tests.build import bad_input
from tests.build.bad_input import SECTIONS, Row, expected_body, send
from tests.build.inference import Answered, World, event, infer_body

ROWS = [row for rows in SECTIONS.values() for row in rows]
DOCUMENT = Path(__file__).parents[4] / "docs" / "errors.md"
INFER = "/v2/models/doubler/infer"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return bad_input.world(tmp_path_factory.mktemp("data-plane"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{'records' if row.code else 'oip'}: {row.what}")
def test_a_bad_request_has_its_own_answer(world: World, row: Row) -> None:
    assert send(world, row) == (row.status, expected_body(row))


@pytest.mark.parametrize(("title", "rows"), SECTIONS.items(), ids=list(SECTIONS))
def test_the_documentation_shows_exactly_these_answers(title: str, rows: list[Row]) -> None:
    assert f"\n## {title}\n\n{bad_input.table(rows)}\n" in DOCUMENT.read_text()


def test_the_documentation_shows_what_the_gateway_answers() -> None:
    assert f"{bad_input.gateway_table()}\n" in DOCUMENT.read_text()


def test_a_wrong_method_names_those_that_are_allowed(world: World) -> None:
    assert world.ask("DELETE", INFER).headers["allow"] == "POST"
    assert world.ask("POST", "/v2").headers["allow"] == "GET"


def test_a_refused_request_says_which_version_refused_it(world: World) -> None:
    answered = world.ask("POST", INFER, infer_body([1, 2], name="z"))
    assert (answered.headers["x-model-version"], answered.headers["x-request-id"]) == ("1", "request-1")


def test_an_answer_that_json_cannot_hold_says_which_version_gave_it(world: World) -> None:
    answered = world.ask("POST", "/predict/divider", {"a": 1, "b": 0})
    assert (answered.status, answered.headers["x-model-version"]) == (422, "1")


def test_a_flipped_byte_in_the_store_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_doubler()
    key = keys.artifact("doubler", 1, "model.onnx")
    body = bytearray(world.store.objects.get(key).body)
    body[10] ^= 1
    world.store.objects.put(key, bytes(body))
    answered = world.ask("POST", INFER, infer_body([1, 2]))
    assert answered.status == 503
    assert answered.json["error"].startswith(f"{key}: model.onnx: expected sha256 ")
    assert world.logged()[-1]["error"] == "artifact_mismatch"


def test_a_truncated_object_in_the_store_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_doubler()
    key = keys.artifact("doubler", 1, "model.onnx")
    world.store.objects.put(key, world.store.objects.get(key).body[:-1])
    assert world.ask("POST", INFER, infer_body([1, 2])).status == 503


def test_a_manifest_that_is_not_readable_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_doubler()
    world.store.objects.put(keys.manifest("doubler", 1), b"{")
    assert world.ask("POST", INFER, infer_body([1, 2])).status == 503


def test_a_store_that_is_down_at_the_first_request_asks_to_try_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_doubler()
    world.store.is_down = True
    answered = world.ask("POST", INFER, infer_body([1, 2]))
    assert (answered.status, answered.headers["retry-after"]) == (503, "1")
    assert answered.json == {"error": "store: did not answer"}


def test_a_store_that_is_down_does_not_matter_to_a_warm_model(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish_doubler()
    assert world.ask("POST", INFER, infer_body([1, 2])).status == 200
    world.store.is_down = True
    world.time_s += 3600
    assert world.ask("POST", INFER, infer_body([1, 2])).status == 200


def test_an_event_of_another_kind_is_refused(world: World) -> None:
    assert Answered(world.plane.answer({"Records": []}, "request-1")).status == 400
    assert Answered(world.plane.answer(event("POST", INFER) | {"body": {}}, "request-1")).status == 400


def test_what_nobody_thought_of_is_logged_with_its_trace_and_answered_without_detail(world: World) -> None:
    class Hostile(dict[str, object]):
        def __getitem__(self, name: str) -> object:
            raise RuntimeError(f"secret {name}")

    answered = Answered(world.plane.answer(Hostile(), "request-1"))
    assert answered.status == 500
    assert answered.json == {"error": "internal error; the log has the details under this x-request-id"}
    logged = world.logged()[-1]
    assert (logged["level"], logged["status"], logged["error"]) == ("ERROR", 500, "RuntimeError")
    assert "parse_event" in "".join(logged["trace"])
    assert "secret" not in json.dumps(logged["trace"][:-1])
