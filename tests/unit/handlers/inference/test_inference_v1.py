"""The protocols below /v1 through the data plane: whose they are, what is malformed, and never a 500."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.build import bad_v1, manifests, models
from tests.build.bad_v1 import Row
from tests.build.inference import Answered, World, event
from warmstart.errors import InvalidSetting

DOCS = Path(__file__).parents[4] / "docs"


@pytest.fixture(scope="module")
def tensorflow(tmp_path_factory: pytest.TempPathFactory) -> World:
    return bad_v1.world(tmp_path_factory.mktemp("v1"))


@pytest.fixture(scope="module")
def kserve(tmp_path_factory: pytest.TempPathFactory) -> World:
    return bad_v1.world(tmp_path_factory.mktemp("v1"), WARMSTART_V1_PROTOCOL="kserve")


def send(world: World, row: Row) -> Answered:
    headers = {"Content-Type": row.content_type}
    return Answered(world.plane.answer(event(row.method, row.path, row.body, headers=headers), "request-1"))


@pytest.mark.parametrize("row", bad_v1.TENSORFLOW_ROWS, ids=lambda row: row.what)
def test_tensorflow_servings_errors_have_its_shape(tensorflow: World, row: Row) -> None:
    answered = send(tensorflow, row)
    assert (answered.status, answered.json) == (row.status, {"error": row.message})


@pytest.mark.parametrize("row", bad_v1.KSERVE_ROWS, ids=lambda row: row.what)
def test_kserves_errors_have_its_shape(kserve: World, row: Row) -> None:
    answered = send(kserve, row)
    assert (answered.status, answered.json) == (row.status, {"error": row.message})


@pytest.mark.parametrize("row", bad_v1.VERTEX_ROWS, ids=lambda row: row.what)
def test_vertex_ais_errors_have_its_shape(tensorflow: World, row: Row) -> None:
    answered = send(tensorflow, row)
    word = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND"}[row.status]
    assert (answered.status, answered.json) == (
        row.status,
        {"error": {"code": row.status, "message": row.message, "status": word}},
    )


@pytest.mark.parametrize(("page", "rows"), bad_v1.TABLES.items(), ids=list(bad_v1.TABLES))
def test_the_documentation_shows_exactly_these_answers(page: str, rows: list[Row]) -> None:
    assert f"\n{bad_v1.table(rows)}\n" in (DOCS / page).read_text()


def test_versions_and_labels_are_asked_by_the_path(tensorflow: World) -> None:
    asked = {"instances": [2.0]}
    found = {
        path: tensorflow.ask("POST", f"/v1/models/half-plus-two{path}:predict", asked).json["predictions"]
        for path in ("", "/versions/1", "/versions/2", "/labels/canary", ":2", "@canary", "%40canary")
    }
    assert found == {
        "": [3.0],
        "/versions/1": [3.0],
        "/versions/2": [4.0],
        "/labels/canary": [4.0],
        ":2": [4.0],
        "@canary": [4.0],
        "%40canary": [4.0],
    }


def test_metadata_and_status_are_those_of_the_version_asked(tensorflow: World) -> None:
    metadata = tensorflow.ask("GET", "/v1/models/half-plus-two/labels/canary/metadata").json
    assert metadata["model_spec"] == {"name": "half-plus-two", "signature_name": "", "version": "2"}
    assert statuses(tensorflow, "half-plus-two/versions/1") == {"1": "AVAILABLE"}
    assert statuses(tensorflow, "half-plus-two/labels/canary") == {"2": "AVAILABLE"}
    assert (
        statuses(tensorflow, "half-plus-two/labels/live")
        == statuses(tensorflow, "half-plus-two:1")
        == {"1": "AVAILABLE"}
    )


def statuses(world: World, path: str) -> dict[str, str]:
    document = world.ask("GET", f"/v1/models/{path}").json
    return {found["version"]: found["state"] for found in document["model_version_status"]}


@pytest.fixture
def three(tmp_path: Path) -> World:
    """Versions 1, 2 and 10 of `doubler`, of which 2 is live, and another model."""
    world = World(tmp_path)
    for version in (1, 10, 2):
        world.publish_doubler(version)
    world.publish("doubler-of-more", models.scale(), manifests.IDENTITY)
    return world


def test_the_status_of_a_model_is_that_of_all_its_versions_the_one_that_answers_first(three: World) -> None:
    assert [*statuses(three, "doubler").items()] == [("2", "AVAILABLE"), ("10", "AVAILABLE"), ("1", "AVAILABLE")]


def test_the_status_costs_a_request_to_the_store_and_an_inference_none(three: World) -> None:
    asked = {"instances": [[1, 2]]}
    assert three.ask("POST", "/v1/models/doubler:predict", asked).status == 200
    three.store.requests.clear()
    assert three.ask("POST", "/v1/models/doubler:predict", asked).status == 200
    assert three.store.requests == []
    statuses(three, "doubler")
    assert three.store.requests == ["LIST models/doubler/versions/"]


def test_the_status_of_a_known_model_does_not_need_the_store(three: World) -> None:
    three.store.is_down = True
    assert three.ask("GET", "/v1/models/doubler").status == 503
    three.store.is_down = False
    statuses(three, "doubler")
    three.store.is_down = True
    assert statuses(three, "doubler") == {"2": "AVAILABLE"}


def test_the_same_path_means_two_things_and_a_stage_says_which(tensorflow: World, kserve: World) -> None:
    assert set(tensorflow.ask("GET", "/v1/models/half-plus-two").json) == {"model_version_status"}
    assert kserve.ask("GET", "/v1/models/half-plus-two").json == {"name": "half-plus-two", "ready": True}
    assert tensorflow.ask("GET", "/v1/models").status == 404
    assert kserve.ask("GET", "/v1/models").json == {"models": ["adder", "half-plus-two", "iris", "texts"]}
    assert tensorflow.ask("POST", "/v1/models/half-plus-two:predict", {"inputs": [2]}).json == {"outputs": [3.0]}
    assert kserve.ask("POST", "/v1/models/half-plus-two:predict", {"inputs": [2]}).json == {"predictions": [3.0]}


def test_a_classifier_is_asked_by_rows_by_examples_and_as_vertex_ai_asks(tensorflow: World) -> None:
    flower = [6.2, 2.9, 4.3, 1.3]
    scores = [0.0, 0.5, 0.5]
    asked = {"instances": [flower]}
    rows = tensorflow.ask("POST", "/v1/models/iris:predict", asked)
    assert (rows.status, rows.json) == (200, {"predictions": [{"label": 1, "probabilities": scores}]})
    vertex = tensorflow.ask("POST", bad_v1.VERTEX.replace("half-plus-two", "iris"), asked)
    assert vertex.json["predictions"] == rows.json["predictions"]
    classes = tensorflow.ask("POST", "/v1/models/iris:classify", {"examples": [{"X": flower}]})
    assert classes.json == {"results": [[["setosa", 0.0], ["versicolor", 0.5], ["virginica", 0.5]]]}


def test_a_third_meaning_is_refused_by_its_variables_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="WARMSTART_V1_PROTOCOL: expected tensorflow or kserve, got 'seldon'"):
        bad_v1.world(tmp_path, WARMSTART_V1_PROTOCOL="seldon")


def test_tokens_come_back_as_tokens(tensorflow: World) -> None:
    answered = tensorflow.plane.answer(
        event("POST", "/v1/models/half-plus-two:predict", '{"instances": [NaN, 1]}'), "1"
    )
    assert (answered["statusCode"], answered["body"]) == (200, '{"predictions":[NaN,2.5]}')


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=4) | st.just({"b64": "YQ=="}),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "a", "b", "b64"]), inner, max_size=3)
    ),
    max_leaves=12,
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "instances": VALUES,
        "inputs": VALUES,
        "examples": st.lists(VALUES, max_size=3) | VALUES,
        "context": VALUES,
        "signature_name": VALUES,
        "parameters": VALUES,
    },
)
PATHS = st.sampled_from(
    [
        *(f"{bad_v1.HALF}:{verb}" for verb in ("predict", "classify", "regress")),
        f"{bad_v1.ADDER}:predict",
        "/v1/models/texts:predict",
        bad_v1.VERTEX,
    ]
) | st.text(max_size=8).map(lambda text: f"/v1/models/{text}")


@settings(max_examples=400, deadline=None)
@given(path=PATHS, body=BODIES.map(json.dumps) | VALUES.map(json.dumps) | st.text(max_size=12))
def test_no_request_is_a_fault_of_ours(tensorflow: World, kserve: World, path: str, body: str) -> None:
    for world in (tensorflow, kserve):
        sent = world.plane.answer(event("POST", path, body), "request-1")
        assert sent["statusCode"] in (200, 400, 404, 405, 422)
