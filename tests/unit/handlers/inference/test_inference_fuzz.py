"""Whatever comes, the answer is JSON in the protocol's shape, and never a fault of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.build import bad_input
from tests.build.inference import Answered, World, event
from warmstart.datatypes import DATATYPES


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return bad_input.world(tmp_path_factory.mktemp("fuzz"))


NUMBERS = st.integers(-3, 3) | st.integers() | st.floats()
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abxy"), inner, max_size=4),
    max_leaves=16,
)
NAMES = st.sampled_from(["x", "a", "b", "shape", "y", "sum"]) | st.text(max_size=5)


def sometimes(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(good, good, good, VALUES)


INPUTS = st.fixed_dictionaries(
    {
        "name": sometimes(NAMES),
        "shape": sometimes(st.lists(st.integers(0, 3), max_size=3)),
        "datatype": sometimes(st.sampled_from(sorted(DATATYPES))),
        "data": sometimes(st.lists(NUMBERS, max_size=4) | st.lists(st.lists(NUMBERS, max_size=3), max_size=3)),
    },
    optional={"parameters": VALUES},
)
INFER_BODIES = st.fixed_dictionaries(
    {"inputs": sometimes(st.lists(INPUTS, max_size=3))},
    optional={"id": VALUES, "outputs": sometimes(st.lists(st.fixed_dictionaries({"name": NAMES}), max_size=2))},
)
RECORDS = st.dictionaries(NAMES, sometimes(st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=3)), max_size=3)
BODIES = st.one_of(
    INFER_BODIES.map(json.dumps),
    (RECORDS | st.lists(RECORDS | st.lists(NUMBERS, max_size=3), max_size=3)).map(json.dumps),
    VALUES.map(json.dumps),
    st.text(max_size=30),
    st.none(),
)
MODELS = st.sampled_from(["doubler", "adder", "divider", "reshaper", "doubler@live", "adder:1"]) | st.text(max_size=6)
PATHS = st.one_of(
    MODELS.map(lambda name: f"/v2/models/{name}/infer"),
    MODELS.map(lambda name: f"/predict/{name}"),
    MODELS.map(lambda name: f"/v2/models/{name}"),
    st.text(max_size=20).map(lambda text: f"/{text}"),
)
METHODS = st.sampled_from(["POST", "POST", "POST", "GET", "DELETE"])
HEADERS = st.sampled_from(
    [
        {"Content-Type": "application/json"},
        None,
        {"content-type": "text/plain"},
        {"inference-header-content-length": "0"},
        {},
    ]
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=METHODS, path=PATHS, body=BODIES, headers=HEADERS, is_base64=st.sampled_from([False, False, False, True]))
def test_no_request_is_a_fault_of_ours(
    world: World, method: str, path: str, body: str | None, headers: object, is_base64: bool
) -> None:
    sent = event(method, path, body, headers=headers, isBase64Encoded=is_base64)
    answered = Answered(world.plane.answer(sent, "request-1"))
    assert answered.status in (200, 400, 404, 405, 413, 415, 422)
    if answered.status != 200:
        error = answered.json["error"]
        message = error["message"] if path.startswith("/predict") and isinstance(error, dict) else error
        assert isinstance(message, str)
        assert message


@settings(max_examples=200, deadline=None)
@given(broken=st.dictionaries(st.sampled_from(["httpMethod", "path", "body", "headers", "requestContext"]), VALUES))
def test_no_event_is_a_fault_of_ours(world: World, broken: dict[str, Any]) -> None:
    sent = event("POST", "/v2/models/doubler/infer", "{}") | broken
    assert Answered(world.plane.answer(sent, "request-1")).status in (400, 404, 405, 415)
